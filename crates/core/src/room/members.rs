//! The other members of a room, and whether their messages are processed.
//!
//! Owns the peers and their budgets, and finds a peer by its member id or by one of its links. It never decides who is in the
//! room, and never sends anything: the session takes the peers' outputs.
//!
//! Invariants: at most [`MAX_PEERS`] members, each once, in the order in which this page learned of them. Each peer has a
//! unique number for the ids of its links; a number is never reused. A peer sees no message of its member before the budgets
//! have admitted it.

use std::collections::VecDeque;

use sightline_protocol::{
    InstanceId, Member, MemberId,
    control::{ControlMessage, PublishedSource, PublishedState},
    signaling::Signal,
};

use super::{
    budgets::{Budgets, Charge, charges_of_control, charges_of_signal},
    hands,
};
use crate::{
    Timestamp,
    budget::{Accounts, Change, MessageKind, Standing, Verdict},
    link::{LinkId, LinkNames},
    peer::{FileLoad, LocalMember, PeerOutput, PeerSession},
    random::SeededRandom,
    transfer::Transfers,
};

/// Maximum number of members that a page keeps links to, however many the server names.
const MAX_PEERS: usize = 64;

/// Most page instances of removed members that are remembered.
const MAX_REMOVED: usize = 64;

#[derive(Debug)]
pub(super) struct Members {
    /// `None` until the room is entered for the first time.
    local: Option<LocalMember>,
    /// The published state of this page.
    announced: PublishedState,
    is_signaling_up: bool,
    peers: Vec<PeerSession>,
    /// The page instances that a host removed.
    removed: VecDeque<InstanceId>,
    budgets: Budgets,
    next_number: u32,
    /// Generates the connection ids.
    random: SeededRandom,
}

impl Members {
    pub(super) fn new(announced: PublishedState, random: SeededRandom) -> Self {
        Self {
            local: None,
            announced: PublishedState { private_chat: true, ..announced },
            is_signaling_up: false,
            peers: Vec::new(),
            removed: VecDeque::new(),
            budgets: Budgets::default(),
            next_number: 0,
            random,
        }
    }

    // Membership.

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

    /// Removes a member after its peer returned [`PeerOutput::Gone`].
    pub(super) fn remove(&mut self, member: &MemberId) {
        self.peers.retain(|peer| peer.id() != member);
    }

    /// The member id of this page, once it is in the room.
    pub(super) fn local_id(&self) -> Option<&MemberId> {
        self.local.as_ref().map(|local| &local.id)
    }

    pub(super) fn accounts(&self) -> &Accounts {
        self.budgets.accounts()
    }

    pub(super) fn announced(&self) -> PublishedState {
        self.announced
    }

    /// Whether any member, this page included, sends picture or sound.
    pub(super) fn is_call(&self) -> bool {
        let is_media =
            |published: PublishedState| published.microphone || published.source != PublishedSource::None;
        let mut published = self.peers.iter().filter_map(|peer| peer.view().published);
        is_media(self.announced) || published.any(is_media)
    }

    // Events of the server.

    /// Takes whether this page has its seat at the signaling server.
    pub(super) fn handle_signaling(&mut self, is_up: bool) {
        if std::mem::replace(&mut self.is_signaling_up, is_up) != is_up {
            self.peers.iter_mut().for_each(|peer| peer.handle_signaling(is_up));
        }
    }

    /// Notes that this page entered the room, for the first time or again, where `others` are the other members. The caller
    /// then passes each of them to [`Self::handle_present`].
    pub(super) fn handle_entered(&mut self, local: LocalMember, others: &[Member], now: Timestamp) {
        for peer in &mut self.peers {
            peer.handle_local(&local, now);
            if !others.iter().any(|member| member.id == *peer.id()) {
                peer.handle_missing(now);
            }
        }
        self.local = Some(local);
    }

    /// Notes that a host removed a member: closes all connections to it, working ones too, and never again accepts anything of its
    /// page, even if the server lists it.
    pub(super) fn handle_removed(&mut self, id: &MemberId) {
        let Some(peer) = self.get_mut(id) else { return };
        let instance = peer.view().member.instance.clone();
        peer.end();
        if self.removed.len() >= MAX_REMOVED {
            self.removed.pop_front();
        }
        self.removed.push_back(instance);
    }

    /// Takes a member that is in the room, according to the server.
    pub(super) fn handle_present(&mut self, member: Member, now: Timestamp) {
        let Some(local) = self.local.clone().filter(|local| local.id != member.id) else { return };
        if self.removed.contains(&member.instance) {
            return;
        }
        let id = member.id.clone();
        self.budgets.handle_instance(&id, &member.instance);
        // The conduct of the member's earlier pages still counts.
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

    /// Takes a signal of a member.
    pub(super) fn handle_signal(&mut self, from: &MemberId, signal: Signal, now: Timestamp) {
        let heard = self.get(from).filter(|peer| peer.view().standing != Standing::CutOff);
        let Some(peer) = heard else { return };
        let mut charges = charges_of_signal(&signal, peer.opens_link(&signal));
        let is_admitted = charges.all(|charge| self.admit(from, charge, now));
        if let Some(peer) = self.get_mut(from).filter(|_| is_admitted) {
            peer.handle_signal(signal, now);
        }
    }

    // Messages of the members.

    /// Notes that data arrived on a link: the member is reachable, whatever the data is.
    pub(super) fn handle_heard(&mut self, member: &MemberId, link: LinkId, now: Timestamp) {
        if let Some(peer) = self.get_mut(member) {
            peer.handle_heard(link, now);
        }
    }

    /// Takes a member's message on `control`; `transfers` tells which files are known.
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

    /// Charges a member for a message and says whether to process the message. Mutes or cuts off a member that is far beyond
    /// its budget.
    pub(super) fn admit(&mut self, member: &MemberId, charge: Charge, now: Timestamp) -> bool {
        let verdict = self.budgets.admit(member, charge, now);
        self.apply(verdict, member, now);
        verdict == Verdict::Taken
    }

    /// Notes that messages of a member were lost because they arrived faster than this page could process them.
    pub(super) fn handle_lost(&mut self, member: &MemberId, count: u64, now: Timestamp) {
        if self.get(member).is_some() {
            let verdict = self.budgets.handle_lost(member, count, now);
            self.apply(verdict, member, now);
        }
    }

    // Actions of this page.

    /// Takes the new published state of this page; the hand stays as it is.
    pub(super) fn announce(&mut self, published: PublishedState) {
        self.publish(PublishedState { hand: self.announced.hand, private_chat: true, ..published });
    }

    /// Raises or lowers the hand of this page.
    pub(super) fn raise_hand(&mut self, is_raised: bool) {
        let others = self.peers.iter().filter_map(|peer| peer.view().published?.hand);
        let hand = is_raised.then(|| self.announced.hand.unwrap_or_else(|| hands::next_number(others)));
        self.publish(PublishedState { hand, ..self.announced });
    }

    /// The members with a raised hand, who raised it first first; `None` is this page.
    pub(super) fn raised_hands(&self) -> Vec<Option<MemberId>> {
        let others =
            self.peers.iter().filter_map(|peer| Some((peer.view().published?.hand?, Some(peer.id()))));
        let local = self.announced.hand.map(|number| (number, None));
        hands::in_order(local.into_iter().chain(others), self.local_id())
    }

    fn publish(&mut self, published: PublishedState) {
        if std::mem::replace(&mut self.announced, published) != published {
            self.peers.iter_mut().for_each(|peer| peer.announce(published));
        }
    }

    /// Opens the links that the transfers need, and closes idle ones.
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

    /// Handles the deadlines that have passed. The caller then calls [`Self::tend_files`], too.
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

    /// The time at which [`Self::handle_timeout`] is to be called.
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

    /// Adds a member, unless the room has [`MAX_PEERS`] already.
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
