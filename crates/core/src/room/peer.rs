//! One other member, with the link to it.

use std::time::Duration;

use sightline_protocol::{ConnectionId, Generation, Member, MemberId, Presence, control::PublishedState};

use super::{
    LinkState,
    bulk::BulkWay,
    link::{Link, LinkId},
};
use crate::{
    Timestamp,
    budget::Standing,
    recovery::{Health, Repair},
};

/// Peer connections that never came up, after which the tile says so. The tries go on.
const FAILURES_TOLD: u32 = 2;
const MAX_REBUILD_DELAY: Duration = Duration::from_secs(16);
/// How long a member that the server does not know any more may be silent.
const DEPARTED_PATIENCE: Duration = Duration::from_secs(30);

/// The server does not know a member any more, and the link to it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// The server said so: the member goes when the link does.
    Left,
    /// It is not in a new snapshot: a restarted server knows only who has come back yet.
    Missing(Timestamp),
}

/// Another member as the page shows it.
#[derive(Debug, Clone, Copy)]
pub struct PeerView<'a> {
    /// Who, as the server says.
    pub member: &'a Member,
    /// How the link stands.
    pub state: LinkState,
    /// What it says it publishes; `None` before it said so.
    pub published: Option<PublishedState>,
    /// Whether it is heard.
    pub standing: Standing,
}

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) member: Member,
    /// The link in use.
    pub(super) link: Option<Link>,
    /// One that is built beside it to replace it.
    pub(super) next: Option<Link>,
    /// For the bytes of files.
    pub(super) bulk: BulkWay,
    pub(super) repair: Repair,
    /// What the latest link was called, for the generation after it.
    pub(super) last_link: Option<(ConnectionId, Generation)>,
    pub(super) published: Option<PublishedState>,
    /// What it published while it was muted, for the end of that.
    pub(super) held_state: Option<PublishedState>,
    pub(super) standing: Standing,
    /// Whether a link was ever healthy: then trouble is a recovery, not a first connection.
    pub(super) was_connected: bool,
    /// Peer connections in a row that never came up, before the first that did.
    pub(super) failures: u32,
    /// When to build the first peer connection, again (as the offerer).
    pub(super) rebuild_at: Option<Timestamp>,
    pub(super) departure: Option<Departure>,
    /// How the person sees it.
    pub(super) shown: Option<LinkState>,
}

impl Peer {
    pub(super) fn new(member: Member) -> Self {
        Self {
            member,
            link: None,
            next: None,
            bulk: BulkWay::default(),
            repair: Repair::default(),
            last_link: None,
            published: None,
            held_state: None,
            standing: Standing::Heard,
            was_connected: false,
            failures: 0,
            rebuild_at: None,
            departure: None,
            shown: None,
        }
    }

    pub(super) fn id(&self) -> &MemberId {
        &self.member.id
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_healthy)
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &Link> {
        self.link.iter().chain(&self.next)
    }

    pub(super) fn links_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.link.iter_mut().chain(&mut self.next)
    }

    pub(super) fn is_next(&self, id: LinkId) -> bool {
        self.next.as_ref().is_some_and(|link| link.id == id)
    }

    /// Of the link in use; `None` before the first.
    pub(super) fn health(&self) -> Option<Health> {
        match &self.link {
            Some(link) => Some(link.health()),
            None => self.was_connected.then_some(Health::Dead),
        }
    }

    /// When a member that the server does not know any more, and that is silent, goes.
    pub(super) fn forget_at(&self) -> Option<Timestamp> {
        let silent_since = self.repair.since()?;
        let from = match self.departure? {
            Departure::Left => silent_since,
            Departure::Missing(since) => silent_since.max(since),
        };
        Some(from + DEPARTED_PATIENCE)
    }

    /// Whether no connection could be made often enough to say so.
    pub(super) fn is_failing(&self) -> bool {
        self.failures >= FAILURES_TOLD
    }

    pub(super) fn rebuild_delay(&self) -> Duration {
        match self.failures {
            0 => Duration::ZERO,
            failures => Duration::from_secs(1 << failures.min(5)).min(MAX_REBUILD_DELAY),
        }
    }

    pub(super) fn state(&self) -> LinkState {
        if self.standing == Standing::CutOff {
            LinkState::Failed
        } else if self.is_healthy() {
            LinkState::Connected
        } else if self.member.presence == Presence::Away {
            LinkState::Away
        } else if self.is_failing() {
            LinkState::Failed
        } else if self.was_connected {
            LinkState::Recovering
        } else {
            LinkState::Connecting
        }
    }

    pub(super) fn view(&self) -> PeerView<'_> {
        PeerView {
            member: &self.member,
            state: self.state(),
            published: self.published,
            standing: self.standing,
        }
    }
}
