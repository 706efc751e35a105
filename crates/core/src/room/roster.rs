//! The other members of a room.
//!
//! Owns the peers, and finds one by its member or by one of its links. It never decides who is in the room.
//!
//! Invariants: at most [`MAX_PEERS`] members, each once, in the order in which this page came to know them. Each peer has a
//! number of its own for the ids of its links, which is not given again.

use sightline_protocol::{Member, MemberId, control::PublishedState};

use crate::{
    budget::Standing,
    link::{LinkId, LinkNames},
    peer::{LocalMember, PeerOutput, PeerSession},
    random::SeededRandom,
};

/// Members that a page keeps links to, whatever a server says.
const MAX_PEERS: usize = 64;

#[derive(Debug)]
pub(super) struct Roster {
    peers: Vec<PeerSession>,
    next_number: u32,
    /// For the names of connections.
    random: SeededRandom,
    is_signaling_up: bool,
}

impl Roster {
    pub(super) fn new(random: SeededRandom) -> Self {
        Self { peers: Vec::new(), next_number: 0, random, is_signaling_up: false }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, PeerSession> {
        self.peers.iter()
    }

    pub(super) fn iter_mut(&mut self) -> std::slice::IterMut<'_, PeerSession> {
        self.peers.iter_mut()
    }

    pub(super) fn get(&self, member: &MemberId) -> Option<&PeerSession> {
        self.peers.iter().find(|peer| peer.id() == member)
    }

    pub(super) fn get_mut(&mut self, member: &MemberId) -> Option<&mut PeerSession> {
        self.peers.iter_mut().find(|peer| peer.id() == member)
    }

    pub(super) fn of_link(&self, link: LinkId) -> Option<&PeerSession> {
        self.peers.iter().find(|peer| peer.has_link(link))
    }

    pub(super) fn of_link_mut(&mut self, link: LinkId) -> Option<&mut PeerSession> {
        self.peers.iter_mut().find(|peer| peer.has_link(link))
    }

    /// The ids of all members, for what changes the roster meanwhile.
    pub(super) fn members(&self) -> Vec<MemberId> {
        self.peers.iter().map(|peer| peer.id().clone()).collect()
    }

    /// Adds a member; `None` where the roster is full.
    pub(super) fn add(
        &mut self,
        member: Member,
        standing: Standing,
        local: LocalMember,
        announced: PublishedState,
    ) -> Option<&mut PeerSession> {
        if self.peers.len() >= MAX_PEERS {
            return None;
        }
        let names = LinkNames::new(self.next_number, self.random.next_u128());
        self.next_number = self.next_number.wrapping_add(1);
        let mut peer = PeerSession::new(member, standing, local, announced, names);
        peer.handle_signaling(self.is_signaling_up);
        self.peers.push(peer);
        self.peers.last_mut()
    }

    pub(super) fn remove(&mut self, member: &MemberId) {
        self.peers.retain(|peer| peer.id() != member);
    }

    /// Whether this page has its place at the signaling server.
    pub(super) fn handle_signaling(&mut self, is_up: bool) {
        if std::mem::replace(&mut self.is_signaling_up, is_up) != is_up {
            self.peers.iter_mut().for_each(|peer| peer.handle_signaling(is_up));
        }
    }

    /// The next output of any peer.
    pub(super) fn poll_output(&mut self) -> Option<(MemberId, PeerOutput)> {
        self.peers.iter_mut().find_map(|peer| {
            let output = peer.poll_output()?;
            Some((peer.id().clone(), output))
        })
    }
}
