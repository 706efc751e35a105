//! The session of one member in one room: signalling, links and conversation together.

use std::collections::VecDeque;

use sightline_protocol::{
    Arrival, ErrorCode, MemberId, MessageId, Presence,
    control::{ControlMessage, PublishedState},
    limits::MAX_FRAME_BYTES,
    signalling::{IceServer, SignalCandidate},
};

use super::{
    connection::push_control,
    link::{Link, LinkId, PeerConnectionState},
    peer::{Peer, PeerView},
};
use crate::{
    Timestamp,
    chat::{ChatMessage, Conversation, TextRefused},
    negotiation::{Completed, NegotiatorOutput, Operation, OperationFailure, OperationId, Role},
    notice::NoticeCode,
    random::SeededRandom,
    signalling::{JoinRequest, SignallingClient, SignallingOutput, SignallingStatus, SocketId},
};

/// Members a page keeps links to, whatever a server says.
pub(super) const MAX_PEERS: usize = 64;

/// What the session wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomOutput {
    /// Open a signalling socket under this id.
    OpenSocket(SocketId),
    /// Send a text frame on it.
    SendFrame(SocketId, String),
    /// Close and forget it; with a code where the server is to be told what was wrong with what it said.
    CloseSocket(SocketId, Option<ErrorCode>),
    /// Make a peer connection under this id, with the `control` channel; the offerer's with its transceivers.
    OpenLink {
        /// Its name from now on.
        link: LinkId,
        /// To whom.
        member: MemberId,
        /// Whether it offers first.
        role: Role,
    },
    /// Close and forget a peer connection.
    CloseLink(LinkId),
    /// Perform an operation on a peer connection and report its end.
    Perform(LinkId, OperationId, Operation),
    /// Every peer connection gets the ice servers of [`RoomSession::ice_servers`], for the next time that it gathers
    /// candidates.
    IceServersChanged,
    /// Send this text on the `control` channel.
    SendControl(LinkId, String),
    /// Tell the person.
    Event(RoomEvent),
}

/// What changed for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// The signalling connection.
    Status(SignallingStatus),
    /// A problem arose.
    Raised(NoticeCode),
    /// It is over.
    Cleared(NoticeCode),
    /// The room is entered, or entered again. Keep the token for a reload of this tab.
    Entered {
        /// The place.
        you: MemberId,
        /// Takes it back.
        resume: String,
    },
    /// A member came or is not as it was: see [`RoomSession::peer`].
    PeerChanged(MemberId),
    /// A member is gone.
    PeerGone(MemberId),
    /// A message is new or has another state: see [`RoomSession::message`].
    ChatChanged(MessageId),
}

/// One member's session in a room. It outlives every socket and every peer connection in it.
#[derive(Debug)]
pub struct RoomSession {
    pub(super) client: SignallingClient,
    pub(super) random: SeededRandom,
    pub(super) you: Option<(MemberId, Arrival)>,
    /// In the order in which they came to this page's knowledge.
    pub(super) peers: Vec<Peer>,
    pub(super) conversation: Conversation,
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
        Self {
            client: SignallingClient::new(request, jitter),
            random,
            you: None,
            peers: Vec::new(),
            conversation: Conversation::default(),
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

    /// Leaves for good: says so everywhere, then closes everything.
    pub fn leave(&mut self, now: Timestamp) {
        for link in self.peers.iter().filter_map(|peer| peer.link.as_ref()) {
            if link.is_channel_open {
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
        let present: Vec<_> = self.peers.iter().map(|peer| peer.id().clone()).collect();
        let peers = &self.peers;
        let is_open = |member: &MemberId| {
            peers.iter().any(|peer| {
                peer.id() == member && peer.link.as_ref().is_some_and(|link| link.is_channel_open)
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
            for link in self.peers.iter().filter_map(|peer| peer.link.as_ref()) {
                if link.is_channel_open {
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
        self.drain(now);
    }

    // What the peer connections do.

    /// `negotiationneeded` fired.
    pub fn handle_negotiation_needed(&mut self, link: LinkId, now: Timestamp) {
        if let Some(link) = self.link_mut(link) {
            link.negotiator.handle_negotiation_needed(now);
        }
        self.drain(now);
    }

    /// The local ICE agent found a candidate.
    pub fn handle_local_candidate(&mut self, link: LinkId, candidate: SignalCandidate, now: Timestamp) {
        if let Some(link) = self.link_mut(link) {
            link.negotiator.handle_local_candidate(candidate, now);
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
        if let Some(link) = self.link_mut(link) {
            link.negotiator.handle_completed(operation, result, now);
        }
        self.drain(now);
    }

    /// `connectionState` changed.
    pub fn handle_connection_state(&mut self, link: LinkId, state: PeerConnectionState, now: Timestamp) {
        if let Some(at) = self.index_of_link(link) {
            if let Some(link) = &mut self.peers[at].link {
                link.state = state;
            }
            if matches!(state, PeerConnectionState::Failed | PeerConnectionState::Closed) {
                self.give_up_link(at, now);
            } else {
                self.note_health(at);
            }
        }
        self.drain(now);
    }

    /// The `control` channel opened.
    pub fn handle_channel_opened(&mut self, link: LinkId, now: Timestamp) {
        if let Some(at) = self.index_of_link(link) {
            let peer = &mut self.peers[at];
            if let Some(link) = &mut peer.link {
                link.is_channel_open = true;
                push_control(&mut self.outputs, link.id, &ControlMessage::State(self.published));
            }
            let member = peer.id().clone();
            self.conversation.handle_channel_open(&member);
            self.note_health(at);
        }
        self.drain(now);
    }

    /// The `control` channel closed: the other page is gone, or its connection is.
    pub fn handle_channel_closed(&mut self, link: LinkId, now: Timestamp) {
        if let Some(at) = self.index_of_link(link) {
            self.give_up_link(at, now);
        }
        self.drain(now);
    }

    /// A text message came on the `control` channel. What is not understood is ignored.
    pub fn handle_control(&mut self, link: LinkId, text: &str, now: Timestamp) {
        if let Some(at) = self.index_of_link(link)
            && text.len() <= MAX_FRAME_BYTES
            && let Ok(message) = serde_json::from_str(text)
        {
            self.handle_control_message(at, message);
        }
        self.drain(now);
    }

    // Time and results.

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.client.handle_timeout(now);
        for at in 0..self.peers.len() {
            if let Some(link) = &mut self.peers[at].link {
                link.negotiator.handle_timeout(now);
                if link.deadline.is_some_and(|deadline| deadline <= now) {
                    self.give_up_link(at, now);
                }
            }
        }
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
        let of_peers = self.peers.iter().flat_map(|peer| {
            let link = peer.link.as_ref();
            let can_rebuild = self.client.is_joined() && peer.member.presence == Presence::Present;
            [
                peer.rebuild_at.filter(|_| can_rebuild && link.is_none()),
                link.and_then(|link| link.deadline),
                link.and_then(|link| link.negotiator.poll_timeout()),
            ]
        });
        of_peers.chain([self.client.poll_timeout()]).flatten().min()
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

    /// A message of the conversation.
    #[must_use]
    pub fn message(&self, id: &MessageId) -> Option<&ChatMessage> {
        self.conversation.message(id)
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
}

/// Moving what the parts put out to where it goes.
impl RoomSession {
    fn drain(&mut self, now: Timestamp) {
        loop {
            let mut moved = false;
            while let Some(output) = self.client.poll_output() {
                moved = true;
                match output {
                    SignallingOutput::Connect(socket) => {
                        self.outputs.push_back(RoomOutput::OpenSocket(socket));
                    }
                    SignallingOutput::Send(socket, frame) => {
                        self.outputs.push_back(RoomOutput::SendFrame(socket, frame));
                    }
                    SignallingOutput::Close(socket, refusal) => {
                        self.outputs.push_back(RoomOutput::CloseSocket(socket, refusal));
                    }
                    SignallingOutput::Event(event) => self.handle_signalling(event, now),
                }
            }
            for at in 0..self.peers.len() {
                moved |= self.drain_link(at, now);
            }
            if !moved {
                break;
            }
        }
        while let Some(outgoing) = self.conversation.poll_outgoing() {
            let link = self.index_of(&outgoing.to).and_then(|at| self.peers[at].link.as_ref());
            if let Some(link) = link.filter(|link| link.is_channel_open) {
                push_control(&mut self.outputs, link.id, &outgoing.message);
            }
        }
        while let Some(id) = self.conversation.poll_changed() {
            self.event(RoomEvent::ChatChanged(id));
        }
    }

    fn drain_link(&mut self, at: usize, now: Timestamp) -> bool {
        let mut moved = false;
        let peer = &mut self.peers[at];
        while let Some(link) = &mut peer.link
            && let Some(output) = link.negotiator.poll_output()
        {
            moved = true;
            match output {
                NegotiatorOutput::Perform(id, operation) => {
                    self.outputs.push_back(RoomOutput::Perform(link.id, id, operation));
                }
                NegotiatorOutput::Send(payload) => {
                    let signal = link.stamp(payload);
                    self.client.send_signal(peer.member.id.clone(), signal);
                }
                NegotiatorOutput::Broken(_) => {
                    self.give_up_link(at, now);
                    break;
                }
            }
        }
        moved
    }

    pub(super) fn event(&mut self, event: RoomEvent) {
        self.outputs.push_back(RoomOutput::Event(event));
    }

    pub(super) fn index_of(&self, id: &MemberId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id() == id)
    }

    pub(super) fn index_of_link(&self, id: LinkId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.link.as_ref().is_some_and(|link| link.id == id))
    }

    pub(super) fn link_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.peers.iter_mut().filter_map(|peer| peer.link.as_mut()).find(|link| link.id == id)
    }
}
