//! The presence of a member, as the server and the budgets report it.
//!
//! Owns the server's data about the member, its standing, its published state, and its departure. It never knows a link;
//! [`Terms`] has the consequences for links.
//!
//! Invariant: no state that a member published while it was cut off is kept.

use std::time::Duration;

use sightline_protocol::{Arrival, Member, MemberId, Presence, control::PublishedState};

use super::{LinkState, PeerView, links::Terms};
use crate::{Timestamp, budget::Standing};

/// How long a member that the server no longer lists may be silent before it counts as gone.
const DEPARTED_PATIENCE: Duration = Duration::from_secs(30);

/// This page, as the signaling server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalMember {
    /// The member id of this page.
    pub id: MemberId,
    /// The arrival number of this page instance.
    pub arrival: Arrival,
}

impl LocalMember {
    /// Whether this page makes the first offer to another member: the later of two page instances does, the newcomer.
    #[must_use]
    pub fn offers_first(&self, other: &Member) -> bool {
        (self.arrival, &self.id) > (other.arrival, &other.id)
    }
}

/// Why the server no longer lists a member; the link to it may still work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// The server reported the departure: the member goes when the link fails.
    Left,
    /// The member is missing in a new snapshot: a restarted server lists only members that have returned so far.
    Missing(Timestamp),
}

#[derive(Debug)]
pub(super) struct PeerPresence {
    member: Member,
    local: LocalMember,
    /// Whether this page is in the room at the signaling server.
    is_signaling_up: bool,
    published: Option<PublishedState>,
    /// The state that the member published while it was muted, to be applied afterwards.
    held: Option<PublishedState>,
    standing: Standing,
    departure: Option<Departure>,
}

impl PeerPresence {
    pub(super) fn new(member: Member, standing: Standing, local: LocalMember) -> Self {
        Self { member, local, is_signaling_up: false, published: None, held: None, standing, departure: None }
    }

    pub(super) fn id(&self) -> &MemberId {
        &self.member.id
    }

    pub(super) fn view(&self, state: LinkState) -> PeerView<'_> {
        PeerView { member: &self.member, state, published: self.published, standing: self.standing }
    }

    pub(super) fn is_away(&self) -> bool {
        self.member.presence == Presence::Away
    }

    pub(super) fn is_cut_off(&self) -> bool {
        self.standing == Standing::CutOff
    }

    /// Whether the server reported that the member left.
    pub(super) fn has_left(&self) -> bool {
        self.departure == Some(Departure::Left)
    }

    /// The permissions for links that follow.
    pub(super) fn terms(&self) -> Terms {
        Terms {
            leads: self.local.offers_first(&self.member) && !self.is_cut_off(),
            is_reachable: self.is_signaling_up && self.member.presence == Presence::Present,
        }
    }

    /// When a member that the server no longer lists, and that is silent since `silent_since`, counts as gone.
    pub(super) fn gone_at(&self, silent_since: Option<Timestamp>) -> Option<Timestamp> {
        let from = match self.departure? {
            Departure::Left => silent_since?,
            Departure::Missing(since) => silent_since?.max(since),
        };
        Some(from + DEPARTED_PATIENCE)
    }

    pub(super) fn handle_signaling(&mut self, is_up: bool) {
        self.is_signaling_up = is_up;
    }

    /// Takes the identity of this page. Returns whether its member id changed.
    pub(super) fn handle_local(&mut self, local: &LocalMember) -> bool {
        std::mem::replace(&mut self.local, local.clone()).id != local.id
    }

    pub(super) fn handle_new_page(&mut self, member: Member, standing: Standing) {
        (self.published, self.held) = (None, None);
        (self.member, self.standing) = (member, standing);
    }

    pub(super) fn handle_present(&mut self, member: Member) {
        self.member = member;
        self.departure = None;
    }

    pub(super) fn handle_away(&mut self) {
        self.member.presence = Presence::Away;
    }

    pub(super) fn note_departure(&mut self, departure: Departure) {
        self.departure = Some(departure);
    }

    pub(super) fn handle_published(&mut self, published: PublishedState) {
        self.held = None;
        self.published = Some(published);
    }

    /// Takes the published state that came with a description. It counts until the first one on a `control` channel, which may be later
    /// news that overtook it. Returns whether it counts.
    pub(super) fn expect_published(&mut self, published: PublishedState) -> bool {
        let is_news = self.standing == Standing::Heard && self.published.is_none();
        if is_news {
            self.published = Some(published);
        }
        is_news
    }

    /// Keeps the latest published state until the budget admits it.
    pub(super) fn hold_published(&mut self, published: PublishedState) {
        if !self.is_cut_off() {
            self.held = Some(published);
        }
    }

    /// Sets the standing. Returns whether it changed.
    pub(super) fn set_standing(&mut self, standing: Standing) -> bool {
        match standing {
            Standing::Heard => self.published = self.held.take().or(self.published),
            Standing::Muted => {}
            Standing::CutOff => (self.published, self.held) = (None, None),
        }
        std::mem::replace(&mut self.standing, standing) != standing
    }
}
