//! The other members of a room, and the intake of their signals and messages.
//!
//! Owns the peers and their budgets, and finds a peer by its member id or by one of its links. It decodes what a member sends and hands
//! it to the member's peer. It never decides who is in the room, and never sends anything: the session takes the peers' outputs.
//!
//! Invariants: at most [`MAX_PEERS`] members, each once, in the order in which this page learned of them. Each peer has a
//! unique number for the ids of its links; a number is never reused. A peer sees no message of its member before the budgets
//! have admitted it.

use std::collections::VecDeque;

use sightline_protocol::{
    InstanceId, Member, MemberId,
    control::{ControlMessage, PublishedSource, PublishedState},
    signaling::{Signal, SignalPayload},
    telemetry::TelemetryMessage,
};

use super::{
    budgets::{Budgets, Charge, charges_of_control, charges_of_signal},
    hands,
    signal_path::SignalPath,
};
use crate::{
    Timestamp,
    budget::{Accounts, Change, MessageKind, Standing, Verdict},
    decode,
    link::{LinkId, LinkNames},
    peer::{FileLoad, LocalMember, PeerOutput, PeerSession},
    random::SeededRandom,
    transfer::Transfers,
    trust::Refusal,
};

/// Maximum number of members that a page keeps links to, however many the server names.
const MAX_PEERS: usize = 64;

/// Most page instances of removed members that are remembered.
const MAX_REMOVED: usize = 64;

/// The link is closed, or the member's budget does not admit the message. Unless the member was muted or cut off for it, nothing follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dropped;

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

    pub(super) fn ids(&self) -> Vec<MemberId> {
        self.peers.iter().map(|peer| peer.id().clone()).collect()
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

    /// Whether any member, this page included, sends picture or sound.
    fn is_call(&self) -> bool {
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

    /// Notes that a host removed a page: closes all connections to it, working ones too, and never again accepts anything of it, even if
    /// the server lists it. Returns the members that the page was listed as, because a server may list it several times.
    pub(super) fn shut_out(&mut self, page: InstanceId) -> Vec<MemberId> {
        let listed = self.peers.iter_mut().filter(|peer| peer.view().member.instance == page);
        let ended = listed.map(|peer| {
            peer.end();
            peer.id().clone()
        });
        let ended = ended.collect();
        if self.removed.len() >= MAX_REMOVED {
            self.removed.pop_front();
        }
        self.removed.push_back(page);
        ended
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

    // Messages of the members.

    /// Takes a signal as the server relayed it; `path` opens it. A signal is charged before it is opened, as what is in it after that.
    pub(super) fn handle_signal(
        &mut self,
        from: &MemberId,
        signal: Signal,
        path: &mut SignalPath,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let is_heard = self.get(from).is_some_and(|peer| peer.view().standing != Standing::CutOff);
        let is_sealed = matches!(signal.payload, SignalPayload::Sealed(_));
        if !is_heard || is_sealed && !self.admit(from, (MessageKind::Sealed, 1), now) {
            return Ok(());
        }
        let Some((peer, local)) = self.get(from).zip(self.local_id()) else { return Ok(()) };
        let signal = match path.open(peer.view().member, local, signal) {
            Ok(signal) => signal,
            // A reload makes honest signals stale, and a removal makes them come with another secret.
            Err(refusal @ (Refusal::Stale | Refusal::OtherSecret)) => return Err(refusal),
            Err(refusal) => {
                self.admit(from, (MessageKind::Unreadable, 1), now);
                return Err(refusal);
            }
        };
        let mut charges = charges_of_signal(&signal, peer.opens_link(&signal));
        let is_admitted = charges.all(|charge| self.admit(from, charge, now));
        if let Some(peer) = self.get_mut(from).filter(|_| is_admitted) {
            peer.handle_signal(signal, now);
        }
        Ok(())
    }

    /// Takes a signal that is none. Returns whether its sender is a member.
    pub(super) fn handle_unreadable_signal(&mut self, from: &MemberId, now: Timestamp) -> bool {
        let is_member = self.get(from).is_some();
        if is_member {
            self.admit(from, (MessageKind::Unreadable, 1), now);
        }
        is_member
    }

    /// Takes a text of the `control` channel; `transfers` tells which files are known.
    pub(super) fn handle_control(
        &mut self,
        link: LinkId,
        text: &str,
        transfers: &Transfers,
        now: Timestamp,
    ) -> Result<(), Dropped> {
        let member = self.id_of_link(link).ok_or(Dropped)?;
        // The budget is checked before any other work, so that a flood costs little.
        let size = text.len() as u64;
        for charge in [(MessageKind::Control, 1), (MessageKind::ControlByte, size)] {
            self.admit(&member, charge, now).then_some(()).ok_or(Dropped)?;
        }
        let message = decode::control_message(text).ok();
        if message.is_some() || self.admit(&member, (MessageKind::Unreadable, 1), now) {
            self.handle_heard(&member, link, now);
        }
        let Some((message, peer)) = message.zip(self.get(&member)) else { return Ok(()) };
        let mut charges = charges_of_control(&message, peer, transfers);
        let is_admitted = charges.all(|charge| self.admit(&member, charge, now));
        let Some(peer) = self.get_mut(&member) else { return Ok(()) };
        match message {
            message if is_admitted => peer.handle_control(link, message, now),
            ControlMessage::State(published) => peer.hold_state(published),
            _ => {}
        }
        Ok(())
    }

    /// Takes a text of the `telemetry` channel. Returns the message unless it is about pings.
    pub(super) fn handle_telemetry(
        &mut self,
        link: LinkId,
        text: &str,
        now: Timestamp,
    ) -> Result<Option<TelemetryMessage>, Dropped> {
        let member = self.id_of_link(link).ok_or(Dropped)?;
        self.admit(&member, (MessageKind::Telemetry, 1), now).then_some(()).ok_or(Dropped)?;
        let message = decode::telemetry_message(text).ok();
        if message.is_some() || self.admit(&member, (MessageKind::Unreadable, 1), now) {
            self.handle_heard(&member, link, now);
        }
        let peer = self.get_mut(&member);
        Ok(message.zip(peer).and_then(|(message, peer)| peer.handle_telemetry(link, message, now)))
    }

    /// Takes data of a channel that is no message, or is longer than a message may be.
    pub(super) fn handle_no_message(&mut self, link: LinkId, now: Timestamp) {
        if let Some(member) = self.id_of_link(link) {
            self.admit(&member, (MessageKind::NoMessage, 1), now);
        }
    }

    /// Whether to take a frame of a `bulk` channel. `is_wanted` says that bytes of the member are expected.
    pub(super) fn admit_bulk_frame(&mut self, member: &MemberId, is_wanted: bool, now: Timestamp) -> bool {
        let kind = if is_wanted { MessageKind::BulkFrame } else { MessageKind::UnwantedFrame };
        self.get(member).is_some() && self.admit(member, (kind, 1), now)
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

    /// The members with a raised hand, in the order in which they raised it; `None` is this page.
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

    /// Lets the transfers send to a member, whose channels can take `free_bytes` more.
    pub(super) fn send_files(
        &mut self,
        member: &MemberId,
        free_bytes: u64,
        transfers: &mut Transfers,
        now: Timestamp,
    ) {
        let is_call = self.is_call();
        let Some(peer) = self.get_mut(member) else { return };
        let allowed = peer.allow_files(free_bytes, is_call, now);
        // Bytes that wait in a channel delay the call's packets, so no more than the allowance is sent.
        let sent_bytes = transfers.handle_capacity(member, free_bytes, allowed.bytes, allowed.chunk_bytes);
        peer.handle_files_sent(allowed, sent_bytes);
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

    fn id_of_link(&self, link: LinkId) -> Option<MemberId> {
        self.peers.iter().find(|peer| peer.has_link(link)).map(|peer| peer.id().clone())
    }

    /// Data arrived on a link: the member is reachable, whatever the data is.
    fn handle_heard(&mut self, member: &MemberId, link: LinkId, now: Timestamp) {
        if let Some(peer) = self.get_mut(member) {
            peer.handle_heard(link, now);
        }
    }

    /// Charges a member for a message and says whether to process the message. Mutes or cuts off a member that is far beyond its
    /// budget.
    fn admit(&mut self, member: &MemberId, charge: Charge, now: Timestamp) -> bool {
        let verdict = self.budgets.admit(member, charge, now);
        self.apply(verdict, member, now);
        verdict == Verdict::Taken
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
