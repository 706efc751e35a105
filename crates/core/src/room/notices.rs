//! The notices about the members of a room.
//!
//! Owns the set of raised notices. It never looks for problems itself: the session passes the peers to it.
//!
//! Invariant: a notice is cleared only after it was raised, and only once.

use super::RoomEvent;
use crate::{
    budget::Standing,
    notice::NoticeCode,
    peer::{LinkState, PeerSession},
};

#[derive(Debug, Default)]
pub(super) struct Notices {
    raised: Vec<NoticeCode>,
}

impl Notices {
    /// Notes that a connection to a member failed. Raises the notice each time, since a person may have closed it.
    pub(super) fn raise_connection_failed(&mut self) -> RoomEvent {
        if !self.raised.contains(&NoticeCode::ConnectionFailed) {
            self.raised.push(NoticeCode::ConnectionFailed);
        }
        RoomEvent::Raised(NoticeCode::ConnectionFailed)
    }

    /// Notes that a signal was refused. The notice is raised once, and stays until the person closes it.
    pub(super) fn raise_signals_refused(&mut self) -> Option<RoomEvent> {
        if self.raised.contains(&NoticeCode::SignalsRefused) {
            return None;
        }
        self.raised.push(NoticeCode::SignalsRefused);
        Some(RoomEvent::Raised(NoticeCode::SignalsRefused))
    }

    /// The notices to raise or clear, given the present state of the peers.
    pub(super) fn review<'a>(
        &mut self,
        peers: impl Iterator<Item = &'a PeerSession> + Clone,
    ) -> Vec<RoomEvent> {
        let mut events = Vec::new();
        for (standing, code) in
            [(Standing::Muted, NoticeCode::MemberMuted), (Standing::CutOff, NoticeCode::MemberCutOff)]
        {
            let is_due = peers.clone().any(|peer| peer.view().standing == standing);
            if is_due && !self.raised.contains(&code) {
                self.raised.push(code);
                events.push(RoomEvent::Raised(code));
            } else if !is_due {
                events.extend(self.clear(code));
            }
        }
        let is_one_connected = peers.clone().any(|peer| peer.view().state == LinkState::Connected);
        if is_one_connected && !peers.clone().any(PeerSession::is_failing) {
            events.extend(self.clear(NoticeCode::ConnectionFailed));
        }
        events
    }

    fn clear(&mut self, code: NoticeCode) -> Option<RoomEvent> {
        let at = self.raised.iter().position(|raised| *raised == code)?;
        self.raised.remove(at);
        Some(RoomEvent::Cleared(code))
    }
}
