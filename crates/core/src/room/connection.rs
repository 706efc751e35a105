//! What follows from links: messages, opening, giving up, letting go.

use std::collections::VecDeque;

use sightline_protocol::{ConnectionId, Generation, Presence, control::ControlMessage};

use super::{
    link::{Link, LinkId, time_to_come_up},
    output::{RoomEvent, RoomOutput},
    peer::Peer,
    session::RoomSession,
};
use crate::{Timestamp, negotiation::Role, notice::NoticeCode, transfer::Reach};

impl RoomSession {
    pub(super) fn handle_control_message(
        &mut self,
        at: usize,
        link: LinkId,
        message: ControlMessage,
        now: Timestamp,
    ) {
        let id = self.peers[at].id().clone();
        if !self.admit_control(at, &message, now) {
            // The latest counts, once there is room for it.
            if let ControlMessage::State(published) = message
                && !self.is_cut_off(at)
            {
                self.peers[at].held_state = Some(published);
            }
            return;
        }
        match message {
            ControlMessage::State(published) => {
                self.peers[at].held_state = None;
                self.peers[at].published = Some(published);
                self.event(RoomEvent::PeerChanged(id));
            }
            ControlMessage::Chat { id: message, text, sent_at_ms } => {
                let name = &self.peers[at].member.name;
                self.conversation.handle_chat(&id, name.as_str(), message, &text, sent_at_ms);
            }
            ControlMessage::ChatAck { id: message } => self.conversation.handle_ack(&id, &message),
            ControlMessage::Use => self.handle_use(at, link, now),
            ControlMessage::TransferOffer(offer) => self.transfers.handle_offer(&id, offer, now),
            ControlMessage::TransferProgress(progress) => {
                self.transfers.handle_progress(&id, &progress, now);
            }
            ControlMessage::TransferDone { transfer, sha256 } => {
                self.transfers.handle_done(&id, &transfer, sha256, now);
            }
            ControlMessage::TransferEnd { transfer, reason } => {
                self.transfers.handle_end(&id, &transfer, reason, now);
            }
            ControlMessage::BulkSignal { connection, payload } => {
                self.handle_bulk_signal(at, connection, payload, now);
            }
            ControlMessage::Bye => {
                let peer = self.peers.remove(at);
                self.forget(peer);
            }
            message @ (ControlMessage::RunStart { .. }
            | ControlMessage::RunStop { .. }
            | ControlMessage::RunLog { .. }) => self.event(RoomEvent::Run(id, message)),
            ControlMessage::Unknown => {}
        }
    }

    /// A link that never came up, or on which nothing can be negotiated, is gone: the offerer builds the next, the other
    /// waits for its offer.
    pub(super) fn give_up_link(&mut self, at: usize, now: Timestamp) {
        let peer = &mut self.peers[at];
        let Some(link) = peer.link.take() else { return };
        self.outputs.push_back(RoomOutput::CloseLink(link.id));
        self.close_bulk(at);
        let peer = &mut self.peers[at];
        if peer.was_connected {
            peer.repair.handle_attempt_failed(now);
            return;
        }
        peer.failures = peer.failures.saturating_add(1);
        if link.role == Role::Offerer {
            peer.rebuild_at = Some(now + peer.rebuild_delay());
        }
        if peer.is_failing() {
            self.event(RoomEvent::Raised(NoticeCode::ConnectionFailed));
        }
    }

    /// Builds the first peer connection as the offerer, once signals can reach the other side.
    pub(super) fn rebuild(&mut self, at: usize, now: Timestamp) {
        let peer = &self.peers[at];
        let is_reachable = self.client.is_joined() && peer.member.presence == Presence::Present;
        if is_reachable && peer.link.is_none() && !self.is_cut_off(at) {
            self.build_next(at, now);
        }
    }

    /// Offers the next peer connection, beside the link in use where there is one.
    pub(super) fn build_next(&mut self, at: usize, now: Timestamp) {
        let name = match &self.peers[at].last_link {
            Some((connection, generation)) => (connection.clone(), generation.next()),
            None => (ConnectionId::from_random(self.random.next_u128()), Generation::default()),
        };
        self.open_link(at, name, Role::Offerer, now);
    }

    pub(super) fn open_link(
        &mut self,
        at: usize,
        name: (ConnectionId, Generation),
        role: Role,
        now: Timestamp,
    ) {
        if self.you.is_none() {
            return;
        }
        let id = LinkId(self.next_link);
        self.next_link += 1;
        let peer = &mut self.peers[at];
        let deadline = now + time_to_come_up(role, peer.was_connected);
        peer.rebuild_at = None;
        peer.last_link = Some(name.clone());
        let link = Link::new(id, name, role, deadline);
        let place = if peer.link.is_some() { &mut peer.next } else { &mut peer.link };
        if let Some(older) = place.replace(link) {
            self.outputs.push_back(RoomOutput::CloseLink(older.id));
        }
        let member = peer.id().clone();
        self.outputs.push_back(RoomOutput::OpenLink { link: id, member: member.clone(), role });
        self.event(RoomEvent::PeerChanged(member));
    }

    pub(super) fn drop_links(&mut self, at: usize) {
        self.close_bulk(at);
        let peer = &mut self.peers[at];
        peer.rebuild_at = None;
        self.transfers.handle_channel_closed(peer.id());
        for link in [peer.link.take(), peer.next.take()].into_iter().flatten() {
            self.outputs.push_back(RoomOutput::CloseLink(link.id));
        }
    }

    /// The page shows no room any more: nobody may be seen or heard by calls that it does not show.
    pub(super) fn end_calls(&mut self, reason: NoticeCode) {
        // To the others, a page that replaced this one is the same member.
        if reason != NoticeCode::Replaced {
            for link in self.peers.iter().flat_map(Peer::links) {
                if link.watch.is_channel_open() {
                    push_control(&mut self.outputs, link.id, &ControlMessage::Bye);
                }
            }
        }
        (0..self.peers.len()).for_each(|at| self.drop_links(at));
    }

    pub(super) fn forget(&mut self, mut peer: Peer) {
        for link in peer.bulk.take() {
            self.outputs.push_back(RoomOutput::CloseLink(link));
        }
        for link in peer.links() {
            self.outputs.push_back(RoomOutput::CloseLink(link.id));
        }
        self.transfers.handle_channel_closed(peer.id());
        self.transfers.handle_reach(peer.id(), Reach::Gone);
        self.conversation.handle_member_gone(peer.id());
        self.event(RoomEvent::PeerGone(peer.member.id));
        self.tell_standings();
    }
}

pub(super) fn push_control(outputs: &mut VecDeque<RoomOutput>, link: LinkId, message: &ControlMessage) {
    if let Ok(text) = serde_json::to_string(message) {
        outputs.push_back(RoomOutput::SendControl(link, text));
    }
}
