//! What follows from signalling: who is here, and whose turn it is to open a link.

use sightline_protocol::{
    Arrival, Member, MemberId, Presence,
    signalling::{IceServer, Signal, SignalPayload},
};

use super::{
    budgets::is_offer,
    output::{RoomEvent, RoomOutput},
    peer::{Departure, Peer},
    session::{MAX_PEERS, RoomSession},
};
use crate::{
    Timestamp,
    budget::{MessageKind, Standing},
    negotiation::Role,
    signalling::SignallingEvent,
};

impl RoomSession {
    pub(super) fn handle_signalling(&mut self, event: SignallingEvent, now: Timestamp) {
        match event {
            SignallingEvent::Status(status) => self.event(RoomEvent::Status(status)),
            SignallingEvent::Raised(code) => {
                if code.ends_the_room() {
                    self.end_calls(code);
                }
                self.event(RoomEvent::Raised(code));
            }
            SignallingEvent::Cleared(code) => self.event(RoomEvent::Cleared(code)),
            SignallingEvent::RoundTrip(_) => {}
            SignallingEvent::Joined { you, arrival, members, resume, ice_servers } => {
                self.set_ice_servers(ice_servers);
                if self.you.as_ref().is_some_and(|(before, _)| *before != you) {
                    // The place was lost: to the others this is somebody new, and the old links are a ghost's.
                    (0..self.peers.len()).for_each(|at| self.drop_links(at));
                }
                self.you = Some((you.clone(), arrival));
                self.event(RoomEvent::Entered { you, resume });
                let gone: Vec<_> = self
                    .peers
                    .iter()
                    .filter(|peer| !members.iter().any(|member| member.id == *peer.id()))
                    .map(|peer| peer.id().clone())
                    .collect();
                for id in gone {
                    self.handle_missing(&id, now);
                }
                for member in members {
                    self.handle_member(member, now);
                }
                let peers = &self.peers;
                self.conversation.handle_present(|member| peers.iter().any(|peer| peer.id() == member));
            }
            SignallingEvent::IceServers(ice_servers) => self.set_ice_servers(ice_servers),
            SignallingEvent::PeerJoined(member) => self.handle_member(member, now),
            SignallingEvent::PeerAway(id) => {
                if let Some(peer) = self.peers.iter_mut().find(|peer| *peer.id() == id) {
                    peer.member.presence = Presence::Away;
                    self.event(RoomEvent::PeerChanged(id));
                }
            }
            SignallingEvent::PeerLeft(id) => self.handle_left(&id),
            SignallingEvent::Signal { from, signal } => self.handle_signal(&from, signal, now),
            SignallingEvent::UnreadableSignal { from } => {
                if let Some(at) = self.index_of(&from) {
                    self.admit(at, MessageKind::Unreadable, 1, now);
                }
            }
        }
    }

    /// They count for what gathers candidates from now on: new links, and old ones that restart ICE.
    fn set_ice_servers(&mut self, ice_servers: Vec<IceServer>) {
        if self.ice_servers != ice_servers {
            self.ice_servers = ice_servers;
            self.outputs.push_back(RoomOutput::IceServersChanged);
        }
    }

    pub(super) fn handle_member(&mut self, member: Member, now: Timestamp) {
        let Some((you, arrival)) = self.you.clone() else { return };
        if member.id == you {
            return;
        }
        let id = member.id.clone();
        self.accounts.handle_instance(&id, &member.instance);
        let (at, is_new_page) = match self.index_of(&id) {
            Some(at) => {
                let is_new_page = self.peers[at].member.instance != member.instance;
                if is_new_page {
                    // Its page is a new one: whatever it had is gone.
                    self.drop_links(at);
                    self.peers[at] =
                        Peer { last_link: self.peers[at].last_link.take(), ..Peer::new(member.clone()) };
                }
                self.peers[at].member = member;
                (at, is_new_page)
            }
            None if self.peers.len() < MAX_PEERS => {
                self.peers.push(Peer::new(member));
                (self.peers.len() - 1, true)
            }
            None => return,
        };
        if is_new_page {
            // What an earlier page of the member did still counts.
            self.peers[at].standing = self.accounts.standing(&id);
            self.admit(at, MessageKind::Arrival, 1, now);
            self.tell_standings();
        }
        let peer = &mut self.peers[at];
        peer.departure = None;
        peer.repair.handle_reachable();
        for link in peer.links_mut() {
            link.negotiator.handle_path_restored(now);
        }
        if peer.standing == Standing::CutOff {
            // It is shown, and nothing else.
        } else if peer.was_connected {
            self.mend(at, now);
        } else if peer.link.is_none() && offers_first(&you, arrival, &peer.member) {
            peer.rebuild_at = Some(now);
            self.rebuild(at, now);
        }
        self.event(RoomEvent::PeerChanged(id));
    }

    fn handle_left(&mut self, id: &MemberId) {
        let Some(at) = self.index_of(id) else { return };
        if self.peers[at].is_healthy() {
            // The server lost it, we did not. A `bye` or the end of the link will tell.
            self.note_departure(at, Departure::Left);
        } else {
            let peer = self.peers.remove(at);
            self.forget(peer);
        }
    }

    /// A member is not in a new snapshot.
    fn handle_missing(&mut self, id: &MemberId, now: Timestamp) {
        let Some(at) = self.index_of(id) else { return };
        if self.peers[at].was_connected {
            self.note_departure(at, Departure::Missing(now));
        } else {
            let peer = self.peers.remove(at);
            self.forget(peer);
        }
    }

    fn note_departure(&mut self, at: usize, departure: Departure) {
        let peer = &mut self.peers[at];
        peer.departure = Some(departure);
        peer.member.presence = Presence::Away;
        let id = peer.id().clone();
        self.event(RoomEvent::PeerChanged(id));
    }

    fn handle_signal(&mut self, from: &MemberId, signal: Signal, now: Timestamp) {
        let (Some((you, arrival)), Some(at)) = (self.you.clone(), self.index_of(from)) else { return };
        let Signal { connection, generation, payload } = signal;
        let kind = match &payload {
            SignalPayload::Description(_) => MessageKind::Description,
            SignalPayload::Candidate(_) => MessageKind::Candidate,
        };
        if self.is_cut_off(at) || !self.admit(at, kind, 1, now) {
            return;
        }
        let peer = &self.peers[at];
        let is_current =
            peer.links().any(|link| link.connection == connection && link.generation == generation);
        if !is_current {
            let is_older = peer
                .last_link
                .as_ref()
                .is_some_and(|(last, newest)| *last == connection && *newest > generation);
            // Only the side whose turn it is opens a connection; anything else for an unknown one is stale.
            if !is_offer(&payload) || is_older || offers_first(&you, arrival, &peer.member) {
                return;
            }
            if !self.admit_connection(at, MessageKind::Connection, now) {
                return;
            }
            let peer = &self.peers[at];
            // The next generation of what came up once is built beside it.
            if peer.link.as_ref().is_some_and(|link| link.connection != connection || !link.came_up()) {
                self.drop_links(at);
            }
            self.open_link(at, (connection.clone(), generation), Role::Answerer, now);
        }
        let link = self.peers[at]
            .links_mut()
            .find(|link| (&link.connection, link.generation) == (&connection, generation));
        if let Some(link) = link {
            link.negotiator.handle_signal(payload, now);
        }
    }

    /// Whether this side offers first to a member, and leads the repair of the connection to it.
    pub(super) fn leads(&self, peer: &Peer) -> bool {
        self.you.as_ref().is_some_and(|(you, arrival)| offers_first(you, *arrival, &peer.member))
    }
}

/// Of two page instances the later one, the newcomer, offers first.
fn offers_first(you: &MemberId, arrival: Arrival, other: &Member) -> bool {
    (arrival, you) > (other.arrival, &other.id)
}
