//! From how links are to what is done about it: see [`recovery`](crate::recovery).

use std::collections::VecDeque;

use sightline_protocol::{Presence, control::ControlMessage, telemetry::TelemetryMessage};

use super::{
    LinkState,
    connection::push_control,
    link::{Link, LinkId},
    output::{RoomEvent, RoomOutput},
    peer::{Departure, Peer},
    session::RoomSession,
};
use crate::{
    Timestamp,
    budget::Standing,
    negotiation::Role,
    notice::NoticeCode,
    ping::Heard,
    recovery::{Health, RepairAction, Situation},
    transfer::Reach,
};

impl RoomSession {
    /// Draws the conclusions from how the links to a member are now. The member may be gone afterwards.
    pub(super) fn review(&mut self, at: usize, now: Timestamp) {
        if self.peers[at].next.as_ref().is_some_and(|next| next.health() == Health::Dead) {
            self.drop_next(at, now);
        }
        let Some(link) = &self.peers[at].link else { return self.note_health(at, now) };
        match link.health() {
            Health::Pending | Health::Troubled => {}
            Health::Carrying => self.note_carrying(at),
            Health::Dead if self.peers[at].departure == Some(Departure::Left) => {
                let peer = self.peers.remove(at);
                return self.forget(peer);
            }
            Health::Dead if !link.came_up() => self.give_up_link(at, now),
            Health::Dead => {
                let next_is_up = self.peers[at].next.as_ref().is_some_and(Link::is_healthy);
                if link.role == Role::Answerer && next_is_up {
                    self.promote(at, now);
                }
            }
        }
        self.note_health(at, now);
    }

    /// Something arrived on a link: of two, the leader uses the first that carries data.
    pub(super) fn note_heard(&mut self, at: usize, link: LinkId, now: Timestamp) {
        let peer = &mut self.peers[at];
        if let Some(link) = peer.links_mut().find(|other| other.id == link) {
            link.watch.handle_heard();
        }
        if peer.next.as_ref().is_some_and(|next| next.id == link && next.role == Role::Offerer) {
            push_control(&mut self.outputs, link, &ControlMessage::Use);
            self.promote(at, now);
        }
    }

    /// The leader says that it uses this link.
    pub(super) fn handle_use(&mut self, at: usize, link: LinkId, now: Timestamp) {
        let peer = &mut self.peers[at];
        if peer.links().any(|other| other.id == link && other.role == Role::Offerer) {
            return;
        }
        if peer.is_next(link) {
            self.promote(at, now);
        } else if let Some(next) = peer.next.take() {
            self.outputs.push_back(RoomOutput::CloseLink(next.id));
        }
    }

    /// Takes what is about pings; the rest is for whoever measures.
    pub(super) fn handle_telemetry_message(
        &mut self,
        at: usize,
        id: LinkId,
        message: TelemetryMessage,
        now: Timestamp,
    ) -> Option<TelemetryMessage> {
        let link = self.peers[at].links_mut().find(|link| link.id == id)?;
        match link.watch.pings_mut().handle(message, now) {
            Heard::Asked(answer) => push_telemetry(&mut self.outputs, id, &answer),
            Heard::Answered(pong) => {
                let has_trouble_ended = link.watch.handle_pong(pong);
                if has_trouble_ended {
                    self.review(at, now);
                }
                if let Some(at) = self.index_of_link(id).filter(|at| !self.peers[*at].is_next(id)) {
                    self.handle_bulk_pong(at, pong, now);
                }
            }
            Heard::Clock(message) | Heard::Other(message) => return Some(message),
            Heard::Stray => {}
        }
        None
    }

    /// Asks the other sides whether they are there, and for their clocks.
    pub(super) fn ping(&mut self, now: Timestamp) {
        for link in self.peers.iter_mut().flat_map(Peer::links_mut) {
            let ping = link.watch.handle_timeout(now).map(|nonce| TelemetryMessage::Ping { nonce });
            let clock_ping = link.watch.pings_mut().poll_clock(now);
            for message in ping.into_iter().chain(clock_ping) {
                push_telemetry(&mut self.outputs, link.id, &message);
            }
        }
    }

    /// Does what the leading side does about trouble.
    pub(super) fn mend(&mut self, at: usize, now: Timestamp) {
        let Some(situation) = self.situation(&self.peers[at]) else { return };
        match self.peers[at].repair.poll_action(situation, now) {
            Some(RepairAction::RestartIce) => {
                if let Some(link) = &mut self.peers[at].link {
                    link.negotiator.restart_ice(now);
                }
            }
            Some(RepairAction::BuildNext) => self.build_next(at, now),
            None => {}
        }
    }

    /// When [`Self::mend`] wants to be called.
    pub(super) fn mend_at(&self, peer: &Peer) -> Option<Timestamp> {
        peer.repair.due(self.situation(peer)?)
    }

    /// As the leading side sees it; `None` where this is the following side, or there never was a connection.
    fn situation(&self, peer: &Peer) -> Option<Situation> {
        let is_ours = self.leads(peer) && peer.standing != Standing::CutOff;
        let health = peer.health().filter(|_| is_ours)?;
        Some(Situation {
            health,
            is_reachable: self.client.is_joined() && peer.member.presence == Presence::Present,
            has_attempt: peer.next.is_some(),
        })
    }

    fn note_carrying(&mut self, at: usize) {
        let peer = &mut self.peers[at];
        (peer.was_connected, peer.failures) = (true, 0);
        if let Some(link) = &mut peer.link {
            link.deadline = None;
            // It healed before its successor carried anything.
            if link.role == Role::Offerer
                && let Some(next) = peer.next.take()
            {
                push_control(&mut self.outputs, link.id, &ControlMessage::Use);
                self.outputs.push_back(RoomOutput::CloseLink(next.id));
            }
        }
        if !self.peers.iter().any(Peer::is_failing) {
            self.event(RoomEvent::Cleared(NoticeCode::ConnectionFailed));
        }
    }

    fn note_health(&mut self, at: usize, now: Timestamp) {
        let peer = &mut self.peers[at];
        if let Some(health) = peer.health()
            && peer.repair.handle_health(health, now)
        {
            // What struck the link may have struck the way to the server, which would be noticed later.
            self.client.handle_wake(now);
        }
        let peer = &mut self.peers[at];
        let state = peer.state();
        if peer.shown.replace(state) != Some(state) {
            let id = peer.id().clone();
            let is_up = state == LinkState::Connected;
            self.transfers.handle_reach(&id, if is_up { Reach::Connected } else { Reach::Waiting });
            self.event(RoomEvent::PeerChanged(id));
        }
        self.mend(at, now);
    }

    /// The link beside the other is the one in use now.
    fn promote(&mut self, at: usize, now: Timestamp) {
        let peer = &mut self.peers[at];
        let Some(mut next) = peer.next.take() else { return };
        next.deadline = None;
        if peer.link.as_ref().is_some_and(|old| old.watch.answers()) {
            next.watch.expect_answers();
        }
        let member = peer.id().clone();
        // First, so that what it shows takes the place of what the old one showed before that ends.
        self.outputs.push_back(RoomOutput::UseLink(next.id));
        if let Some(old) = peer.link.replace(next) {
            self.outputs.push_back(RoomOutput::CloseLink(old.id));
        }
        self.close_bulk(at);
        self.conversation.handle_channel_open(&member);
        self.transfers.handle_channel_open(&member, now);
        self.event(RoomEvent::WayOpen(member));
    }

    /// The link beside the other came to nothing.
    pub(super) fn drop_next(&mut self, at: usize, now: Timestamp) {
        let peer = &mut self.peers[at];
        if let Some(next) = peer.next.take() {
            peer.repair.handle_attempt_failed(now);
            self.outputs.push_back(RoomOutput::CloseLink(next.id));
        }
    }
}

pub(super) fn push_telemetry(outputs: &mut VecDeque<RoomOutput>, link: LinkId, message: &TelemetryMessage) {
    if let Ok(text) = serde_json::to_string(message) {
        outputs.push_back(RoomOutput::SendTelemetry(link, text));
    }
}
