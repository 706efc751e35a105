//! The path of signals to the other members and back, through the signaling server.
//!
//! Owns the connection to the server, the protection of the room by its link, and the ICE servers that the server names. Names in its
//! events are readable, or empty where they cannot be read. Signals come out as the server relayed them, because to open one is work
//! that the budget of its sender must admit first; [`SignalPath::open`] opens it. The path never charges a member, and never knows
//! which members are in the room.
//!
//! Invariants: a signal leaves only while this page has its seat at the server, sealed if the room is protected. There is no way around
//! [`Sealing`] in either direction.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    AdmissionTag, DisplayName, InstanceId, Member, MemberId, Visitor, VisitorPicture,
    signaling::{ClientMessage, IceServer, Signal},
};

use super::{RoomOutput, listed_names::ListedNames, sealing::Sealing};
use crate::{
    Timestamp,
    notice::NoticeCode,
    picture::StillPicture,
    random::SeededRandom,
    signaling::{JoinRequest, SignalingClient, SignalingEvent, SignalingOutput, SocketId},
    trust::{Refusal, RoomKeys},
};

#[derive(Debug)]
pub(super) struct SignalPath {
    client: SignalingClient,
    sealing: Sealing,
    ice_servers: Vec<IceServer>,
    names: ListedNames,
    /// When the present keys replaced others.
    rekeyed_at: Option<Timestamp>,
    outputs: VecDeque<SignalPathOutput>,
}

/// How long signals to a member wait for the proof that its page has the present keys, too.
const PROOF_PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) enum SignalPathOutput {
    /// An action for the page.
    Perform(RoomOutput),
    /// An event of the room, with readable names. Never [`SignalingEvent::IceServers`].
    Event(SignalingEvent),
}

impl SignalPath {
    /// A path that does nothing before [`Self::start`]. `jitter` spreads attempts to connect; `nonces` must be random.
    pub(super) fn new(request: JoinRequest, jitter: SeededRandom, nonces: SeededRandom) -> Self {
        let instance = request.instance.clone();
        let client = SignalingClient::new(request, jitter);
        let sealing = Sealing::new(client.keys(), instance, nonces);
        let names = ListedNames::default();
        Self { client, sealing, ice_servers: Vec::new(), names, rekeyed_at: None, outputs: VecDeque::new() }
    }

    // Signals.

    /// Sends a signal of this page, whose member id is `local`. Without a seat at the server, or while the addressee has not shown that it
    /// has the present keys, the signal is lost, and the negotiation repeats it.
    pub(super) fn send(&mut self, local: &MemberId, to: &Member, signal: Signal, now: Timestamp) {
        let is_settled = self.rekeyed_at.is_none_or(|at| now.since(at) >= PROOF_PATIENCE);
        if self.client.is_joined()
            && (is_settled || self.names.has_present_keys(&to.instance, &self.sealing))
            && let Some(signal) = self.sealing.seal(local, to, signal)
        {
            self.client.send_signal(to.id.clone(), signal);
        }
    }

    /// A signal of a member as it takes effect. `local` is the member id of this page.
    pub(super) fn open(
        &mut self,
        from: &Member,
        local: &MemberId,
        signal: Signal,
    ) -> Result<Signal, Refusal> {
        self.sealing.open(from, local, signal)
    }

    /// Why [`SignalingEvent::UnreadableSignal`] is to be reported; `None` if only its sender is to be charged. In a protected room whoever
    /// made it has no key.
    pub(super) fn refusal_of_unreadable(&self) -> Option<Refusal> {
        self.is_protected().then_some(Refusal::Forged)
    }

    // The secret of the room.

    pub(super) fn enable_rekeys(&mut self) {
        self.client.enable_rekeys();
    }

    /// Seals and opens with other keys from now on.
    pub(super) fn use_keys(&mut self, keys: RoomKeys, now: Timestamp) {
        self.sealing.use_keys(keys.clone());
        self.client.use_keys(keys);
        self.rekeyed_at = Some(now);
        for member in self.names.read_again(&self.sealing) {
            let event = SignalingEvent::PeerJoined(member);
            self.outputs.push_back(SignalPathOutput::Event(event));
        }
    }

    /// Tells the server the tag of the present keys, and the name of this member under them.
    pub(super) fn send_rekey(&mut self) {
        self.client.send_rekey();
    }

    pub(super) fn handle_link_lost(&mut self) {
        self.client.handle_link_lost();
    }

    /// Asks the server for something that only a host may do.
    pub(super) fn act_as_host(&mut self, message: &ClientMessage) {
        self.client.act_as_host(message);
    }

    // The picture of a visitor.

    /// Whether the hosts of the locked room can be shown a picture now.
    pub(super) fn takes_picture(&self) -> bool {
        self.client.takes_picture()
    }

    /// Returns whether the picture was sent.
    pub(super) fn show_picture(&mut self, picture: &StillPicture) -> bool {
        self.client.show_picture(picture)
    }

    /// The picture of the visitor with this instance id; `None` if it may not be shown.
    pub(super) fn open_picture(
        &self,
        picture: &VisitorPicture,
        instance: &InstanceId,
    ) -> Option<StillPicture> {
        self.sealing.open_picture(picture, instance)
    }

    // The connection to the server.

    pub(super) fn prepare(&mut self) {
        self.client.prepare();
    }

    pub(super) fn set_name(&mut self, name: DisplayName) {
        self.client.set_name(name);
    }

    pub(super) fn start(&mut self, now: Timestamp) {
        self.client.start(now);
    }

    pub(super) fn leave(&mut self) {
        self.client.leave();
    }

    pub(super) fn handle_page_refused(&mut self, code: NoticeCode) {
        self.client.handle_page_refused(code);
    }

    pub(super) fn handle_opened(&mut self, socket: SocketId) {
        self.client.handle_opened(socket);
    }

    pub(super) fn handle_closed(&mut self, socket: SocketId, now: Timestamp) {
        self.client.handle_closed(socket, now);
    }

    pub(super) fn handle_frame(&mut self, socket: SocketId, frame: &str, now: Timestamp) {
        self.client.handle_frame(socket, frame, now);
    }

    pub(super) fn handle_wake(&mut self, now: Timestamp) {
        self.client.handle_wake(now);
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        self.client.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.client.poll_timeout()
    }

    pub(super) fn poll_output(&mut self) -> Option<SignalPathOutput> {
        while self.outputs.is_empty() {
            let output = self.client.poll_output()?;
            self.pass_on(output);
        }
        self.outputs.pop_front()
    }

    // Queries.

    /// Whether this page has its seat at the server.
    pub(super) fn is_up(&self) -> bool {
        self.client.is_joined()
    }

    pub(super) fn is_protected(&self) -> bool {
        self.sealing.is_protected()
    }

    /// The tag that names a protected room to the server.
    pub(super) fn admission(&self) -> Option<&AdmissionTag> {
        self.client.keys().and_then(RoomKeys::admission)
    }

    pub(super) fn ice_servers(&self) -> &[IceServer] {
        &self.ice_servers
    }

    fn pass_on(&mut self, output: SignalingOutput) {
        let output = match output {
            SignalingOutput::Connect(socket) => RoomOutput::OpenSocket(socket),
            SignalingOutput::Send(socket, frame) => RoomOutput::SendFrame(socket, frame),
            SignalingOutput::Close(socket, refusal) => RoomOutput::CloseSocket(socket, refusal),
            SignalingOutput::Event(SignalingEvent::IceServers(servers)) => {
                if self.ice_servers == servers {
                    return;
                }
                // New links use them, and old ones when they restart ICE.
                self.ice_servers = servers;
                RoomOutput::IceServersChanged
            }
            SignalingOutput::Event(event) => {
                self.names.handle(&event);
                let event = self.with_readable_names(event);
                return self.outputs.push_back(SignalPathOutput::Event(event));
            }
        };
        self.outputs.push_back(SignalPathOutput::Perform(output));
    }

    fn with_readable_names(&mut self, event: SignalingEvent) -> SignalingEvent {
        match event {
            SignalingEvent::Joined { you, arrival, members, resume, hosts, is_locked, admission_sha256 } => {
                let read = |member| self.names.read(member, &self.sealing);
                let members = members.into_iter().map(read).collect();
                SignalingEvent::Joined { you, arrival, members, resume, hosts, is_locked, admission_sha256 }
            }
            SignalingEvent::PeerJoined(member) => {
                SignalingEvent::PeerJoined(self.names.read(member, &self.sealing))
            }
            SignalingEvent::Knock(visitor) => {
                let Visitor { id, name, sealed_name, instance, picture } = visitor;
                let (name, sealed_name) = self.sealing.open_name(name, sealed_name, &instance);
                SignalingEvent::Knock(Visitor { id, name, sealed_name, instance, picture })
            }
            other => other,
        }
    }
}
