//! What follows from links: up, down, given up, built again.

use std::collections::VecDeque;

use sightline_protocol::{ConnectionId, Generation, Presence, control::ControlMessage};

use super::{
    link::{Link, LinkId},
    peer::Peer,
    session::{RoomEvent, RoomOutput, RoomSession},
};
use crate::{
    Timestamp,
    negotiation::{Politeness, Role},
    notice::NoticeCode,
};

impl RoomSession {
    pub(super) fn handle_control_message(&mut self, at: usize, message: ControlMessage) {
        let id = self.peers[at].id().clone();
        match message {
            ControlMessage::State(published) => {
                self.peers[at].published = Some(published);
                self.event(RoomEvent::PeerChanged(id));
            }
            ControlMessage::Chat { id: message, text, sent_at_ms } => {
                self.conversation.handle_chat(&id, message, &text, sent_at_ms);
            }
            ControlMessage::ChatAck { id: message } => self.conversation.handle_ack(&id, &message),
            ControlMessage::Bye => {
                let peer = self.peers.remove(at);
                self.forget(peer);
            }
            ControlMessage::Unknown => {}
        }
    }

    /// A link came up, or went down for now.
    pub(super) fn note_health(&mut self, at: usize) {
        let peer = &mut self.peers[at];
        if peer.is_healthy() {
            peer.was_connected = true;
            peer.failures = 0;
            if let Some(link) = &mut peer.link {
                link.deadline = None;
            }
            if !self.peers.iter().any(Peer::is_failing) {
                self.event(RoomEvent::Cleared(NoticeCode::ConnectionFailed));
            }
        }
        let id = self.peers[at].id().clone();
        self.event(RoomEvent::PeerChanged(id));
    }

    /// The link will not carry anything any more: the offerer builds the next, the other waits for its offer.
    pub(super) fn give_up_link(&mut self, at: usize, now: Timestamp) {
        if self.peers[at].is_departed {
            let peer = self.peers.remove(at);
            self.forget(peer);
            return;
        }
        let never_came_up = self.peers[at].link.as_ref().is_some_and(|link| link.deadline.is_some());
        let was_offerer = self.peers[at].link.as_ref().is_some_and(|link| link.role == Role::Offerer);
        let identity = self.peers[at].link.as_ref().map(|link| (link.connection.clone(), link.generation));
        self.drop_link(at);
        let peer = &mut self.peers[at];
        if never_came_up {
            peer.failures = peer.failures.saturating_add(1);
        }
        peer.last_link = identity;
        if was_offerer {
            peer.rebuild_at = Some(now + peer.rebuild_delay());
        }
        let id = peer.id().clone();
        if never_came_up && peer.is_failing() {
            self.event(RoomEvent::Raised(NoticeCode::ConnectionFailed));
        }
        self.event(RoomEvent::PeerChanged(id));
    }

    /// Builds the next peer connection as the offerer, once signals can reach the other side.
    pub(super) fn rebuild(&mut self, at: usize, now: Timestamp) {
        let peer = &self.peers[at];
        if !self.client.is_joined() || peer.member.presence == Presence::Away || peer.link.is_some() {
            return;
        }
        let (connection, generation) = match &peer.last_link {
            Some((connection, generation)) => (connection.clone(), generation.next()),
            None => (ConnectionId::from_random(self.random.next_u128()), Generation::default()),
        };
        self.open_link(at, connection, generation, Role::Offerer, now);
    }

    pub(super) fn open_link(
        &mut self,
        at: usize,
        connection: ConnectionId,
        generation: Generation,
        role: Role,
        now: Timestamp,
    ) {
        let Some((you, _)) = &self.you else { return };
        let id = LinkId(self.next_link);
        self.next_link += 1;
        let peer = &mut self.peers[at];
        let politeness = if *you < *peer.id() { Politeness::Polite } else { Politeness::Impolite };
        peer.rebuild_at = None;
        peer.last_link = Some((connection.clone(), generation));
        peer.link = Some(Link::new(id, connection, generation, role, politeness, now));
        let member = peer.id().clone();
        self.outputs.push_back(RoomOutput::OpenLink { link: id, member: member.clone(), role });
        self.event(RoomEvent::PeerChanged(member));
    }

    pub(super) fn drop_link(&mut self, at: usize) {
        let peer = &mut self.peers[at];
        peer.rebuild_at = None;
        if let Some(link) = peer.link.take() {
            self.outputs.push_back(RoomOutput::CloseLink(link.id));
        }
    }

    pub(super) fn forget(&mut self, peer: Peer) {
        if let Some(link) = &peer.link {
            self.outputs.push_back(RoomOutput::CloseLink(link.id));
        }
        self.conversation.handle_member_gone(peer.id());
        self.event(RoomEvent::PeerGone(peer.member.id));
    }
}

pub(super) fn push_control(outputs: &mut VecDeque<RoomOutput>, link: LinkId, message: &ControlMessage) {
    if let Ok(text) = serde_json::to_string(message) {
        outputs.push_back(RoomOutput::SendControl(link, text));
    }
}
