//! One other member, with the link to it.

use std::time::Duration;

use sightline_protocol::{ConnectionId, Generation, Member, MemberId, Presence, control::PublishedState};

use super::{LinkState, link::Link};
use crate::Timestamp;

/// Peer connections that never came up, after which the tile says so. The tries go on.
const FAILURES_TOLD: u32 = 2;
const MAX_REBUILD_DELAY: Duration = Duration::from_secs(16);

/// Another member as the page shows it.
#[derive(Debug, Clone, Copy)]
pub struct PeerView<'a> {
    /// Who, as the server says.
    pub member: &'a Member,
    /// How the link stands.
    pub state: LinkState,
    /// What it says it publishes; `None` before it said so.
    pub published: Option<PublishedState>,
}

#[derive(Debug)]
pub(super) struct Peer {
    pub(super) member: Member,
    pub(super) link: Option<Link>,
    /// What the latest link was called, for the generation after it.
    pub(super) last_link: Option<(ConnectionId, Generation)>,
    pub(super) published: Option<PublishedState>,
    /// Whether a link was ever healthy: then trouble is a recovery, not a first connection.
    pub(super) was_connected: bool,
    /// Peer connections in a row that never came up.
    pub(super) failures: u32,
    /// When to build the next peer connection (as the offerer).
    pub(super) rebuild_at: Option<Timestamp>,
    /// The server let the place go while the link was healthy: the member goes when the link does.
    pub(super) is_departed: bool,
}

impl Peer {
    pub(super) fn new(member: Member) -> Self {
        Self {
            member,
            link: None,
            last_link: None,
            published: None,
            was_connected: false,
            failures: 0,
            rebuild_at: None,
            is_departed: false,
        }
    }

    pub(super) fn id(&self) -> &MemberId {
        &self.member.id
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.link.as_ref().is_some_and(Link::is_healthy)
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
        if self.is_healthy() {
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
        PeerView { member: &self.member, state: self.state(), published: self.published }
    }
}
