//! The other members of a room, and whether what they say counts.
//!
//! Owns the peers and their budgets, and finds a peer by its member or by one of its links. It never decides who is in the room, and
//! never sends anything: the session takes the peers' outputs.
//!
//! Invariants: at most [`MAX_PEERS`] members, each once, in the order in which this page came to know them. Each peer has a
//! number of its own for the ids of its links, which is not given again. A peer sees nothing of a member that the budgets have not
//! admitted.

use sightline_protocol::{
    Member, MemberId,
    control::{ControlMessage, PublishedSource, PublishedState},
    signaling::Signal,
};

use super::budgets::{Budgets, Charge, charges_of_control, charges_of_signal};
use crate::{
    Timestamp,
    budget::{Accounts, Change, MessageKind, Standing, Verdict},
    link::{LinkId, LinkNames},
    peer::{FileLoad, LocalMember, PeerOutput, PeerSession},
    random::SeededRandom,
    transfer::Transfers,
};

/// Members that a page keeps links to, whatever a server says.
const MAX_PEERS: usize = 64;

#[derive(Debug)]
pub(super) struct Members {
    /// `None` before the room is entered for the first time.
    local: Option<LocalMember>,
    /// What this page publishes.
    announced: PublishedState,
    is_signaling_up: bool,
    peers: Vec<PeerSession>,
    budgets: Budgets,
    next_number: u32,
    /// For the names of connections.
    random: SeededRandom,
}

impl Members {
    pub(super) fn new(announced: PublishedState, random: SeededRandom) -> Self {
        Self {
            local: None,
            announced,
            is_signaling_up: false,
            peers: Vec::new(),
            budgets: Budgets::default(),
            next_number: 0,
            random,
        }
    }

    // Who is there.

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

    pub(super) fn of_link_mut(&mut self, link: LinkId) -> Option<&mut PeerSession> {
        self.peers.iter_mut().find(|peer| peer.has_link(link))
    }

    pub(super) fn id_of_link(&self, link: LinkId) -> Option<MemberId> {
        self.peers.iter().find(|peer| peer.has_link(link)).map(|peer| peer.id().clone())
    }

    /// Takes a member out whose peer said [`PeerOutput::Gone`].
    pub(super) fn remove(&mut self, member: &MemberId) {
        self.peers.retain(|peer| peer.id() != member);
    }

    pub(super) fn accounts(&self) -> &Accounts {
        self.budgets.accounts()
    }

    pub(super) fn announced(&self) -> PublishedState {
        self.announced
    }

    /// Whether anybody in the room, this page included, is seen or heard.
    pub(super) fn is_call(&self) -> bool {
        let is_media =
            |published: PublishedState| published.microphone || published.source != PublishedSource::None;
        let mut published = self.peers.iter().filter_map(|peer| peer.view().published);
        is_media(self.announced) || published.any(is_media)
    }

    // What the server says.

    /// Whether this page has its place at the signaling server.
    pub(super) fn handle_signaling(&mut self, is_up: bool) {
        if std::mem::replace(&mut self.is_signaling_up, is_up) != is_up {
            self.peers.iter_mut().for_each(|peer| peer.handle_signaling(is_up));
        }
    }

    /// This page entered the room, or entered it again, and these are the others. Each of them is then told with
    /// [`Self::handle_present`].
    pub(super) fn handle_entered(&mut self, local: LocalMember, others: &[Member], now: Timestamp) {
        for peer in &mut self.peers {
            peer.handle_local(&local, now);
            if !others.iter().any(|member| member.id == *peer.id()) {
                peer.handle_missing(now);
            }
        }
        self.local = Some(local);
    }

    /// The server says that a member is in the room.
    pub(super) fn handle_present(&mut self, member: Member, now: Timestamp) {
        let Some(local) = self.local.clone().filter(|local| local.id != member.id) else { return };
        let id = member.id.clone();
        self.budgets.handle_instance(&id, &member.instance);
        // What an earlier page of the member did still counts.
        let standing = self.budgets.standing(&id);
        let is_new_page = match self.get_mut(&id) {
            Some(peer) if peer.is_new_page(&member) => {
                peer.handle_new_page(member.clone(), standing);
                true
            }
            Some(_) => false,
            None => self.add(member.clone(), standing, local),
        };
        if is_new_page {
            self.admit(&id, (MessageKind::Arrival, 1), now);
        }
        if let Some(peer) = self.get_mut(&id) {
            peer.handle_present(member, now);
        }
    }

    /// A member sent a signal.
    pub(super) fn handle_signal(&mut self, from: &MemberId, signal: Signal, now: Timestamp) {
        let heard = self.get(from).filter(|peer| peer.view().standing != Standing::CutOff);
        let Some(peer) = heard else { return };
        let mut charges = charges_of_signal(&signal, peer.opens_link(&signal));
        let is_admitted = charges.all(|charge| self.admit(from, charge, now));
        if let Some(peer) = self.get_mut(from).filter(|_| is_admitted) {
            peer.handle_signal(signal, now);
        }
    }

    // What the members say.

    /// Something came on a link: the member is there, whatever it says.
    pub(super) fn handle_heard(&mut self, member: &MemberId, link: LinkId, now: Timestamp) {
        if let Some(peer) = self.get_mut(member) {
            peer.handle_heard(link, now);
        }
    }

    /// A member said this on `control`; `transfers` tell which files are known.
    pub(super) fn handle_control(
        &mut self,
        member: &MemberId,
        link: LinkId,
        message: ControlMessage,
        transfers: &Transfers,
        now: Timestamp,
    ) {
        let Some(peer) = self.get(member) else { return };
        let mut charges = charges_of_control(&message, peer, transfers);
        let is_admitted = charges.all(|charge| self.admit(member, charge, now));
        let Some(peer) = self.get_mut(member) else { return };
        match message {
            message if is_admitted => peer.handle_control(link, message, now),
            ControlMessage::State(published) => peer.hold_state(published),
            _ => {}
        }
    }

    /// Whether something of a member counts. A member that is far beyond its budget is muted or cut off here.
    pub(super) fn admit(&mut self, member: &MemberId, charge: Charge, now: Timestamp) -> bool {
        let verdict = self.budgets.admit(member, charge, now);
        self.apply(verdict, member, now);
        verdict == Verdict::Taken
    }

    /// Messages of a member were lost because they came faster than they could be taken.
    pub(super) fn handle_lost(&mut self, member: &MemberId, count: u64, now: Timestamp) {
        if self.get(member).is_some() {
            let verdict = self.budgets.handle_lost(member, count, now);
            self.apply(verdict, member, now);
        }
    }

    // What this page does.

    /// This page publishes something else now.
    pub(super) fn announce(&mut self, published: PublishedState) {
        if std::mem::replace(&mut self.announced, published) != published {
            self.peers.iter_mut().for_each(|peer| peer.announce(published));
        }
    }

    /// Opens the links for files that are worth having, and closes those that are idle.
    pub(super) fn tend_files(&mut self, transfers: &Transfers, now: Timestamp) {
        let is_call = self.is_call();
        let receivers = self.peers.iter().filter(|peer| transfers.is_sending_to(peer.id())).count();
        for peer in &mut self.peers {
            let load = FileLoad {
                remaining_bytes: transfers.remaining_bytes(peer.id()),
                is_sending: transfers.is_sending_to(peer.id()),
                receivers,
                is_call,
            };
            peer.tend_files(load, now);
        }
    }

    // Time and results.

    /// Time passed. [`Self::tend_files`] wants to be called then, too.
    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        while let Some((member, change)) = self.budgets.poll_change(now) {
            let Some(peer) = self.get_mut(&member) else { continue };
            peer.set_standing(Standing::Heard, now);
            if change == Change::Returned {
                let member = peer.view().member.clone();
                self.handle_present(member, now);
            }
        }
        self.peers.iter_mut().for_each(|peer| peer.handle_timeout(now));
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub(super) fn poll_timeout(&self, transfers: &Transfers) -> Option<Timestamp> {
        let of_peer = |peer: &PeerSession| peer.poll_timeout(transfers.remaining_bytes(peer.id()));
        self.peers.iter().filter_map(of_peer).chain(self.budgets.poll_timeout()).min()
    }

    pub(super) fn has_outputs(&self) -> bool {
        self.peers.iter().any(PeerSession::has_outputs)
    }

    /// The next output of any peer.
    pub(super) fn poll_output(&mut self) -> Option<(MemberId, PeerOutput)> {
        self.peers.iter_mut().find_map(|peer| {
            let output = peer.poll_output()?;
            Some((peer.id().clone(), output))
        })
    }

    /// Adds a member, where there is room for one.
    fn add(&mut self, member: Member, standing: Standing, local: LocalMember) -> bool {
        if self.peers.len() >= MAX_PEERS {
            return false;
        }
        let names = LinkNames::new(self.next_number, self.random.next_u128());
        self.next_number = self.next_number.wrapping_add(1);
        let mut peer = PeerSession::new(member, standing, local, self.announced, names);
        peer.handle_signaling(self.is_signaling_up);
        self.peers.push(peer);
        true
    }

    fn apply(&mut self, verdict: Verdict, member: &MemberId, now: Timestamp) {
        let standing = match verdict {
            Verdict::Taken | Verdict::Dropped => return,
            Verdict::Muted => Standing::Muted,
            Verdict::CutOff => Standing::CutOff,
        };
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.id() == member) else { return };
        if standing == Standing::CutOff {
            self.budgets.cut_off(member, &peer.view().member.instance, now);
        }
        peer.set_standing(standing, now);
    }
}
