//! What follows from signalling: who is here, and whose turn it is to open a link.

use sightline_protocol::{
    Arrival, Member, MemberId, Presence,
    signalling::{DescriptionKind, IceServer, Signal, SignalPayload},
};

use super::{
    peer::Peer,
    session::{MAX_PEERS, RoomEvent, RoomOutput, RoomSession},
};
use crate::{Timestamp, negotiation::Role, signalling::SignallingEvent};

impl RoomSession {
    pub(super) fn handle_signalling(&mut self, event: SignallingEvent, now: Timestamp) {
        match event {
            SignallingEvent::Status(status) => self.event(RoomEvent::Status(status)),
            SignallingEvent::Raised(code) => self.event(RoomEvent::Raised(code)),
            SignallingEvent::Cleared(code) => self.event(RoomEvent::Cleared(code)),
            SignallingEvent::RoundTrip(_) => {}
            SignallingEvent::Joined { you, arrival, members, resume, ice_servers } => {
                self.set_ice_servers(ice_servers);
                if self.you.as_ref().is_some_and(|(before, _)| *before != you) {
                    // The place was lost: to the others this is somebody new, and the old links are a ghost's.
                    (0..self.peers.len()).for_each(|at| self.drop_link(at));
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
                    self.handle_left(&id);
                }
                for member in members {
                    self.handle_member(member, now);
                }
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
        }
    }

    /// They count for what gathers candidates from now on: new links, and old ones that restart ICE.
    fn set_ice_servers(&mut self, ice_servers: Vec<IceServer>) {
        if self.ice_servers != ice_servers {
            self.ice_servers = ice_servers;
            self.outputs.push_back(RoomOutput::IceServersChanged);
        }
    }

    fn handle_member(&mut self, member: Member, now: Timestamp) {
        let Some((you, arrival)) = self.you.clone() else { return };
        if member.id == you {
            return;
        }
        let id = member.id.clone();
        let at = match self.index_of(&id) {
            Some(at) => {
                if self.peers[at].member.instance != member.instance {
                    // Its page is a new one: whatever it had is gone.
                    self.drop_link(at);
                    let peer = &mut self.peers[at];
                    peer.published = None;
                    peer.failures = 0;
                }
                self.peers[at].member = member;
                at
            }
            None if self.peers.len() < MAX_PEERS => {
                self.peers.push(Peer::new(member));
                self.peers.len() - 1
            }
            None => return,
        };
        let peer = &mut self.peers[at];
        peer.is_departed = false;
        if let Some(link) = &mut peer.link {
            link.negotiator.handle_path_restored(now);
        } else if offers_first(&you, arrival, &peer.member) {
            peer.rebuild_at = Some(now);
            self.rebuild(at, now);
        }
        self.event(RoomEvent::PeerChanged(id));
    }

    fn handle_left(&mut self, id: &MemberId) {
        let Some(at) = self.index_of(id) else { return };
        if self.peers[at].is_healthy() {
            // The server lost it, we did not. A `bye` or the end of the link will tell.
            self.peers[at].is_departed = true;
            self.peers[at].member.presence = Presence::Away;
            self.event(RoomEvent::PeerChanged(id.clone()));
        } else {
            let peer = self.peers.remove(at);
            self.forget(peer);
        }
    }

    fn handle_signal(&mut self, from: &MemberId, signal: Signal, now: Timestamp) {
        let (Some((you, arrival)), Some(at)) = (self.you.clone(), self.index_of(from)) else { return };
        let Signal { connection, generation, payload } = signal;
        let is_offer = matches!(
            &payload,
            SignalPayload::Description(description) if description.kind == DescriptionKind::Offer
        );
        let peer = &self.peers[at];
        let is_current = peer
            .link
            .as_ref()
            .is_some_and(|link| link.connection == connection && link.generation == generation);
        if !is_current {
            let is_older = peer
                .last_link
                .as_ref()
                .is_some_and(|(last, newest)| *last == connection && *newest > generation);
            // Only the side whose turn it is opens a connection; anything else for an unknown one is stale.
            if !is_offer || is_older || offers_first(&you, arrival, &peer.member) {
                return;
            }
            self.drop_link(at);
            self.open_link(at, connection, generation, Role::Answerer, now);
        }
        if let Some(link) = &mut self.peers[at].link {
            link.negotiator.handle_signal(payload, now);
        }
    }
}

/// Of two page instances the later one, the newcomer, offers first.
fn offers_first(you: &MemberId, arrival: Arrival, other: &Member) -> bool {
    (arrival, you) > (other.arrival, &other.id)
}
