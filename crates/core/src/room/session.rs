//! The session of one member in one room: signalling, links and conversation together.

use std::collections::VecDeque;

use sightline_protocol::{
    Arrival, MemberId, MessageId, Presence,
    control::{ControlMessage, PublishedState},
    signalling::{IceServer, SignalCandidate},
    telemetry::TelemetryMessage,
};

use super::{
    RoomEvent, RoomOutput,
    connection::push_control,
    link::{Link, LinkId},
    peer::{Peer, PeerView},
    repair::push_telemetry,
};
use crate::{
    Timestamp,
    budget::{Accounts, Bucket, MessageKind, Standing},
    chat::{ChatMessage, Conversation, KeptMessage, MessageNumber, TextRefused},
    decode,
    negotiation::{Completed, Negotiator, OperationFailure, OperationId},
    notice::NoticeCode,
    random::SeededRandom,
    recovery::PeerConnectionState,
    signalling::{JoinRequest, SignallingClient, SocketId},
    transfer::Transfers,
};

/// Members a page keeps links to, whatever a server says.
pub(super) const MAX_PEERS: usize = 64;

/// One member's session in a room. It outlives every socket and every peer connection in it.
#[derive(Debug)]
pub struct RoomSession {
    pub(super) client: SignallingClient,
    pub(super) random: SeededRandom,
    pub(super) you: Option<(MemberId, Arrival)>,
    /// In the order in which they came to this page's knowledge.
    pub(super) peers: Vec<Peer>,
    pub(super) accounts: Accounts,
    pub(super) room_connections: Bucket,
    /// Notices about members that are raised now.
    pub(super) told_standings: Vec<NoticeCode>,
    pub(super) conversation: Conversation,
    pub(super) transfers: Transfers,
    pub(super) published: PublishedState,
    pub(super) ice_servers: Vec<IceServer>,
    pub(super) next_link: u64,
    pub(super) outputs: VecDeque<RoomOutput>,
}

impl RoomSession {
    /// A session that does nothing until [`Self::start`]. `seed` must be random.
    #[must_use]
    pub fn new(request: JoinRequest, published: PublishedState, seed: u128) -> Self {
        let mut random = SeededRandom::new(seed);
        let jitter = SeededRandom::new(random.next_u128());
        let transfer_ids = SeededRandom::new(random.next_u128());
        Self {
            client: SignallingClient::new(request, jitter),
            random,
            you: None,
            peers: Vec::new(),
            accounts: Accounts::default(),
            room_connections: Bucket::default(),
            told_standings: Vec::new(),
            conversation: Conversation::default(),
            transfers: Transfers::new(transfer_ids),
            published,
            ice_servers: Vec::new(),
            next_link: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Enters the room, or tries again after the signalling ended for good.
    pub fn start(&mut self, now: Timestamp) {
        self.client.start(now);
        self.drain(now);
    }

    /// Instead of [`Self::start`]: the server said beforehand that it does not let this page in.
    pub fn handle_page_refused(&mut self, code: NoticeCode, now: Timestamp) {
        self.client.handle_page_refused(code);
        self.drain(now);
    }

    /// Leaves for good: says so everywhere, then closes everything.
    pub fn leave(&mut self, now: Timestamp) {
        self.transfers.leave(now);
        self.drain_transfers();
        for link in self.peers.iter().flat_map(Peer::links) {
            if link.watch.is_channel_open() {
                push_control(&mut self.outputs, link.id, &ControlMessage::Bye);
            }
        }
        self.client.leave();
        for peer in std::mem::take(&mut self.peers) {
            self.forget(peer);
        }
        self.drain(now);
    }

    // What the person does.

    /// Says something to everyone present.
    ///
    /// # Errors
    /// [`TextRefused`] where the text is empty or too long.
    pub fn send_chat(&mut self, text: &str, unix_ms: u64, now: Timestamp) -> Result<(), TextRefused> {
        let id = MessageId::from_random(self.random.next_u128());
        let heard = self.peers.iter().filter(|peer| peer.standing != Standing::CutOff);
        let present: Vec<_> = heard.map(|peer| peer.id().clone()).collect();
        let peers = &self.peers;
        let is_open = |member: &MemberId| {
            peers.iter().any(|peer| {
                peer.id() == member && peer.link.as_ref().is_some_and(|link| link.watch.is_channel_open())
            })
        };
        self.conversation.send(id, text, unix_ms, present, is_open)?;
        self.drain(now);
        Ok(())
    }

    /// This member publishes something else now.
    pub fn set_published(&mut self, published: PublishedState, now: Timestamp) {
        if self.published != published {
            self.published = published;
            for link in self.peers.iter().flat_map(Peer::links) {
                if link.watch.is_channel_open() {
                    push_control(&mut self.outputs, link.id, &ControlMessage::State(published));
                }
            }
        }
        self.drain(now);
    }

    // What the signalling socket does.

    /// The socket is open.
    pub fn handle_socket_opened(&mut self, socket: SocketId, now: Timestamp) {
        self.client.handle_opened(socket);
        self.drain(now);
    }

    /// The socket closed, or could not be opened.
    pub fn handle_socket_closed(&mut self, socket: SocketId, now: Timestamp) {
        self.client.handle_closed(socket, now);
        self.drain(now);
    }

    /// A text frame came.
    pub fn handle_frame(&mut self, socket: SocketId, frame: &str, now: Timestamp) {
        self.client.handle_frame(socket, frame, now);
        self.drain(now);
    }

    /// The network is back, or the page woke up.
    pub fn handle_wake(&mut self, now: Timestamp) {
        self.client.handle_wake(now);
        for link in self.peers.iter_mut().flat_map(Peer::links_mut) {
            link.watch.handle_wake(now);
        }
        self.handle_timeout(now);
    }

    // What the peer connections do.

    /// `negotiationneeded` fired.
    pub fn handle_negotiation_needed(&mut self, link: LinkId, now: Timestamp) {
        if let Some(negotiator) = self.negotiator_mut(link) {
            negotiator.handle_negotiation_needed(now);
        }
        self.drain(now);
    }

    /// The local ICE agent found a candidate.
    pub fn handle_local_candidate(&mut self, link: LinkId, candidate: SignalCandidate, now: Timestamp) {
        if let Some(negotiator) = self.negotiator_mut(link) {
            negotiator.handle_local_candidate(candidate, now);
        }
        self.drain(now);
    }

    /// An operation ended.
    pub fn handle_completed(
        &mut self,
        link: LinkId,
        operation: OperationId,
        result: Result<Completed, OperationFailure>,
        now: Timestamp,
    ) {
        if let Some(negotiator) = self.negotiator_mut(link) {
            negotiator.handle_completed(operation, result, now);
        }
        self.drain(now);
    }

    /// `connectionState` changed.
    pub fn handle_connection_state(&mut self, link: LinkId, state: PeerConnectionState, now: Timestamp) {
        if let Some(at) = self.index_of_link(link) {
            if let Some(link) = self.link_mut(link) {
                link.watch.handle_state(state);
            }
            self.review(at, now);
        } else if matches!(state, PeerConnectionState::Failed | PeerConnectionState::Closed) {
            self.handle_bulk_closed(link, now);
        }
        self.drain(now);
    }

    /// The `control` channel opened.
    pub fn handle_channel_opened(&mut self, link: LinkId, now: Timestamp) {
        if let Some(at) = self.index_of_link(link) {
            if let Some(link) = self.link_mut(link) {
                link.watch.handle_channel_opened(now);
            }
            push_control(&mut self.outputs, link, &ControlMessage::State(self.published));
            if !self.peers[at].is_next(link) {
                let member = self.peers[at].id().clone();
                self.conversation.handle_channel_open(&member);
                self.transfers.handle_channel_open(&member, now);
                self.event(RoomEvent::WayOpen(member));
            }
            self.review(at, now);
        }
        self.drain(now);
    }

    /// The `control` channel closed: the other page is gone, or its connection is.
    pub fn handle_channel_closed(&mut self, link: LinkId, now: Timestamp) {
        if let Some(at) = self.index_of_link(link) {
            if let Some(link) = self.link_mut(link) {
                link.watch.handle_channel_closed();
            }
            self.review(at, now);
        }
        self.drain(now);
    }

    /// Says something to a member, if the way there is open; otherwise it is not said.
    pub fn send_control(&mut self, member: &MemberId, message: &ControlMessage) {
        let link = self.index_of(member).and_then(|at| self.peers[at].link.as_ref());
        if let Some(link) = link {
            push_control(&mut self.outputs, link.id, message);
        }
    }

    /// Says something on the `telemetry` channel of a link. What does not get through is not missed.
    pub fn send_telemetry(&mut self, link: LinkId, message: &TelemetryMessage) {
        push_telemetry(&mut self.outputs, link, message);
    }

    /// A text message came on the `control` channel. What cannot be read, or is beyond the member's budget, is dropped.
    pub fn handle_control(&mut self, link: LinkId, text: &str, now: Timestamp) {
        let Some(at) = self.index_of_link(link) else { return };
        // Before anything else is done for it, so that a flood costs little.
        if !self.admit(at, MessageKind::Control, 1, now)
            || !self.admit(at, MessageKind::ControlByte, text.len() as u64, now)
        {
            return self.drain_refusal(now);
        }
        match decode::control_message(text) {
            Ok(message) => {
                self.note_heard(at, link, now);
                self.handle_control_message(at, link, message, now);
                self.review_all(now);
                self.drain(now);
            }
            Err(_) => {
                if self.admit(at, MessageKind::Unreadable, 1, now) {
                    self.note_heard(at, link, now);
                }
                self.drain(now);
            }
        }
    }

    /// A text message came on the `telemetry` channel. What is about pings is done with; the rest, where it is within the member's
    /// budget, is for [`measure`](crate::measure).
    pub fn handle_telemetry(&mut self, link: LinkId, text: &str, now: Timestamp) -> Option<TelemetryMessage> {
        let at = self.index_of_link(link)?;
        if !self.admit(at, MessageKind::Telemetry, 1, now) {
            self.drain_refusal(now);
            return None;
        }
        let message = decode::telemetry_message(text).ok();
        if message.is_some() || self.admit(at, MessageKind::Unreadable, 1, now) {
            self.note_heard(at, link, now);
        }
        let rest = message.and_then(|message| self.handle_telemetry_message(at, link, message, now));
        self.drain(now);
        rest
    }

    /// What follows from a message that was dropped: nothing, but for the first and the last that were put up with.
    fn drain_refusal(&mut self, now: Timestamp) {
        if !self.outputs.is_empty() {
            self.drain(now);
        }
    }

    /// So many packets of picture and sound arrived on a link so far.
    pub fn handle_inbound_packets(&mut self, link: LinkId, packets: u64) {
        if let Some(link) = self.link_mut(link) {
            link.watch.handle_inbound_packets(packets);
        }
    }

    // Time and results.

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.client.handle_timeout(now);
        self.review_accounts(now);
        for link in self.peers.iter_mut().flat_map(Peer::links_mut) {
            link.negotiator.handle_timeout(now);
        }
        self.ping(now);
        self.review_all(now);
        self.transfers.handle_timeout(now);
        self.tend_bulk(now);
        for at in 0..self.peers.len() {
            if self.peers[at].rebuild_at.is_some_and(|rebuild_at| rebuild_at <= now) {
                self.rebuild(at, now);
            }
        }
        self.drain(now);
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let of_links = self
            .peers
            .iter()
            .flat_map(Peer::links)
            .flat_map(|link| [link.deadline, link.negotiator.poll_timeout(), link.watch.poll_timeout()]);
        let of_peers = self.peers.iter().flat_map(|peer| {
            let can_rebuild =
                self.client.is_joined() && peer.member.presence == Presence::Present && peer.link.is_none();
            let can_rebuild = can_rebuild && peer.standing != Standing::CutOff;
            let rebuild_at = peer.rebuild_at.filter(|_| can_rebuild);
            [rebuild_at, peer.forget_at(), self.mend_at(peer), self.bulk_timeout(peer)]
        });
        of_links
            .chain(of_peers)
            .chain([self.client.poll_timeout(), self.transfers.poll_timeout(), self.accounts.poll_timeout()])
            .flatten()
            .min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<RoomOutput> {
        self.outputs.pop_front()
    }

    /// The others.
    pub fn peers(&self) -> impl Iterator<Item = PeerView<'_>> {
        self.peers.iter().map(Peer::view)
    }

    /// One of the others.
    #[must_use]
    pub fn peer(&self, id: &MemberId) -> Option<PeerView<'_>> {
        self.peers.iter().find(|peer| peer.id() == id).map(Peer::view)
    }

    /// Takes up the conversation of an earlier life of this tab; before [`Self::start`].
    pub fn restore_chat(&mut self, kept: impl IntoIterator<Item = KeptMessage>) {
        self.conversation.restore(kept);
    }

    /// What is to be kept of a message for the next life of this tab.
    #[must_use]
    pub fn kept_message(&self, number: MessageNumber) -> Option<KeptMessage> {
        self.conversation.kept(number)
    }

    /// A message of the conversation.
    #[must_use]
    pub fn message(&self, number: MessageNumber) -> Option<&ChatMessage> {
        self.conversation.message(number)
    }

    /// The conversation.
    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Whether a link is the one in use to its member, not one that is built beside it.
    #[must_use]
    pub fn is_in_use(&self, link: LinkId) -> bool {
        self.peers.iter().any(|peer| peer.link.as_ref().is_some_and(|used| used.id == link))
    }

    /// What this member publishes.
    #[must_use]
    pub fn published(&self) -> PublishedState {
        self.published
    }

    /// For the configuration of the next peer connection.
    #[must_use]
    pub fn ice_servers(&self) -> &[IceServer] {
        &self.ice_servers
    }

    /// Draws every conclusion that time brings, too.
    fn review_all(&mut self, now: Timestamp) {
        let members: Vec<_> = self.peers.iter().map(|peer| peer.id().clone()).collect();
        for member in members {
            let Some(at) = self.index_of(&member) else { continue };
            let is_over = |link: &Link| link.deadline.is_some_and(|deadline| deadline <= now);
            if self.peers[at].next.as_ref().is_some_and(is_over) {
                self.drop_next(at, now);
            }
            if self.peers[at].link.as_ref().is_some_and(is_over) {
                self.give_up_link(at, now);
            }
            if self.peers[at].forget_at().is_some_and(|forget_at| forget_at <= now) {
                let peer = self.peers.remove(at);
                self.forget(peer);
            } else {
                self.review(at, now);
            }
        }
    }

    pub(super) fn event(&mut self, event: RoomEvent) {
        self.outputs.push_back(RoomOutput::Event(event));
    }

    pub(super) fn index_of(&self, id: &MemberId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id() == id)
    }

    pub(super) fn index_of_link(&self, id: LinkId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.links().any(|link| link.id == id))
    }

    fn negotiator_mut(&mut self, id: LinkId) -> Option<&mut Negotiator> {
        if let Some(at) = self.index_of_bulk(id) {
            return self.peers[at].bulk.negotiator_mut(id);
        }
        self.link_mut(id).map(|link| &mut link.negotiator)
    }

    pub(super) fn link_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.peers.iter_mut().flat_map(Peer::links_mut).find(|link| link.id == id)
    }
}
