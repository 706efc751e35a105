//! A member of a room: drives the core's session with sockets, peer connections, files and timers of this computer.

mod files;
mod links;
mod measuring;

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use rustls::ClientConfig;
use sightline_core::{
    Timestamp,
    chat::TextRefused,
    link::{LinkEvent, LinkId},
    measure::{Measurements, MemberFigures, Observation, RunProgress},
    peer::LinkState,
    room::{RoomEvent, RoomOutput, RoomSession},
    signaling::{JoinRequest, SocketId},
    transfer::{Records, TransferHandle},
    trust::ShortCode,
};
use sightline_protocol::{
    DisplayName, InstanceId, MemberId, RoomName, control::PublishedState, signaling::IceServer,
};
use tokio::{sync::mpsc, task::JoinSet};

use self::links::Links;
pub use crate::files::Storage;
use crate::{
    address::RoomAddress,
    arrival::FrameSender,
    clock::{self, Clock, until},
    failure::{Exit, Failure},
    files::{FileTasks, FromWorker},
    input::{Channel, ChannelEvent, ChannelInput, Input},
    link::{LinkInputs, LinkKind},
    media::Source,
    socket::{Endpoint, Socket, SocketEvent},
};

/// More than a minute of all events of eight links; the tasks wait where there is no room.
const MAX_INPUTS: usize = 4096;
/// Messages of members that wait; beyond that, the channels slow the members down.
const MAX_MESSAGES: usize = 64;
/// A timer that is this late means that the computer slept.
const ASLEEP: Duration = Duration::from_secs(5);
/// How long the members may take to acknowledge the last messages. SCTP sends a lost message again after a second, and then after two.
const LAST_MESSAGES: Duration = Duration::from_millis(3500);
/// After this time it is asked again whether everything was acknowledged.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long everything may take to close.
const CLOSING: Duration = Duration::from_secs(3);

/// What a member is made from.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The room.
    pub address: RoomAddress,
    /// Says which server certificates are trusted.
    pub tls: Arc<ClientConfig>,
    /// The name shown to the others.
    pub name: DisplayName,
    /// Whether only relayed paths are used.
    pub relay_only: bool,
    /// The person's own ICE servers; if there are any, they replace the server's.
    pub ice_servers: Vec<IceServer>,
    /// Where received files go.
    pub storage: Storage,
    /// The seat of an earlier process, if it is to be taken again.
    pub resume: Option<String>,
    /// The token of the server's operator that allows to open a room, where only its holders may.
    pub create_token: Option<String>,
    /// What is shown to the others.
    pub source: Option<Source>,
    /// How the pictures and the sound of others are received and measured. A member with a source receives nothing.
    pub watch: Option<Watch>,
}

/// How a member receives and measures the pictures and the sound of others.
#[derive(Debug, Clone)]
pub struct Watch {
    /// How long the run lasts, which begins with the first frame.
    pub run: Option<Duration>,
    /// Takes the frames that arrive. Those that it has no room for are lost.
    pub frames: Option<FrameSender>,
}

/// What happened in the room.
#[derive(Debug)]
pub enum PeerEvent {
    /// An event of the session.
    Room(RoomEvent),
    /// A transfer changed: see [`RoomSession::transfers`].
    Transfer(TransferHandle),
    /// The disk is full. What arrived of this file stays for another process; in this one it gets no further.
    DiskFull(TransferHandle),
    /// The standard output, which takes a received file, cannot be written any more.
    OutputFailed(io::Error),
    /// The records of the transfers changed.
    RecordsChanged,
    /// A member gets the pictures of this member's source from now on.
    Watching(MemberId),
    /// A member cannot decode the pictures of this member's source.
    CodecMissing(MemberId),
    /// The new figures of a member that is watched.
    Figures(MemberId, Box<MemberFigures>),
    /// The progress of the run.
    Run(RunProgress),
    /// A peer connection to a member could not be made, for this reason.
    NoConnection(MemberId, String),
    /// A socket could not be opened, for this reason. The session tries again.
    NotConnected(Failure),
}

/// A member of a room, while its session runs.
pub struct Peer {
    session: RoomSession,
    clock: Clock,
    endpoint: Endpoint,
    address: RoomAddress,
    source: Option<Source>,
    watch: Option<Watch>,
    measurements: Option<Measurements>,
    has_begun_run: bool,
    /// Takes the events of sockets, as of links.
    to_first: mpsc::Sender<Input>,
    first: mpsc::Receiver<Input>,
    messages: mpsc::Receiver<ChannelInput>,
    socket: Option<(SocketId, Socket)>,
    /// Earlier sockets, whose last frames may not be sent yet.
    closing: JoinSet<()>,
    links: Links,
    files: FileTasks,
    from_worker: mpsc::Receiver<FromWorker>,
    events: VecDeque<PeerEvent>,
}

impl Peer {
    /// Enters the room.
    ///
    /// # Errors
    /// A [`Failure`] where this computer gives no randomness or no thread.
    pub fn enter(setup: Setup, records: Option<Records>) -> Result<Self, Failure> {
        let clock = Clock::start();
        let (to_first, first) = mpsc::channel(MAX_INPUTS);
        let (to_messages, messages) = mpsc::channel(MAX_MESSAGES);
        let inputs = LinkInputs { first: to_first.clone(), messages: to_messages };
        let links = Links::new(&setup, clock, inputs);
        let request = JoinRequest {
            room: setup.address.room().clone(),
            name: setup.name,
            instance: InstanceId::from_random(random()?),
            resume: setup.resume,
            secret: setup.address.secret(),
            is_attended: false,
            create_token: setup.create_token,
        };
        let published = setup.source.as_ref().map_or_else(PublishedState::default, Source::published);
        let (files, from_worker) =
            FileTasks::start(setup.storage).map_err(|error| Failure::of_thread(&error))?;
        let measurements = setup.watch.is_some().then(|| measuring::measurements(&request, setup.relay_only));
        let mut session = RoomSession::new(request, published, random()?);
        session.enable_rekeying(random()?);
        let codes = random()?;
        session.with_peer_trust(|trust| trust.enable_codes(codes));
        let mut peer = Self {
            session,
            clock,
            endpoint: Endpoint { server: setup.address.server().clone(), tls: setup.tls },
            address: setup.address,
            source: setup.source,
            watch: setup.watch,
            measurements,
            has_begun_run: false,
            to_first,
            first,
            messages,
            socket: None,
            closing: JoinSet::new(),
            links,
            files,
            from_worker,
            events: VecDeque::new(),
        };
        let now = peer.now();
        if let Some(records) = records {
            peer.session.with_transfers(now, |transfers| transfers.restore(records, now));
        }
        peer.session.start(now);
        peer.perform_outputs();
        Ok(peer)
    }

    /// The session, to read.
    #[must_use]
    pub fn session(&self) -> &RoomSession {
        &self.session
    }

    /// The server, for a sentence.
    #[must_use]
    pub fn server(&self) -> String {
        self.endpoint.server.shown()
    }

    /// The name of the room.
    #[must_use]
    pub fn room(&self) -> &RoomName {
        self.address.room()
    }

    /// The address of the room with its present secret.
    #[must_use]
    pub fn address(&self) -> &RoomAddress {
        &self.address
    }

    /// The present time of the session.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs until the next event. May be dropped and called again at any time.
    pub async fn next_event(&mut self) -> PeerEvent {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            self.wait().await;
            self.perform_outputs();
            self.pump_files();
            self.perform_outputs();
        }
    }

    /// Whether events wait: the session may already be further than they say.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Sends a text to everyone in the room.
    ///
    /// # Errors
    /// [`TextRefused`]
    pub fn send_chat(&mut self, text: &str) -> Result<(), TextRefused> {
        let now = self.now();
        let sent = self.session.send_chat(text, clock::unix_ms(), now);
        self.perform_outputs();
        sent
    }

    /// Notes that the person compared this code with a member, and that it matches.
    pub fn set_code_matching(&mut self, member: &MemberId, code: ShortCode) {
        let now = self.now();
        self.session.set_code_matching(member, code, true, now);
        self.perform_outputs();
    }

    /// Declares to the others how the source plays now.
    pub fn publish_source(&mut self) {
        let now = self.now();
        if let Some(source) = &self.source {
            self.session.set_published(source.published(), now);
            self.perform_outputs();
        }
    }

    /// Runs until the next event, or until every member has acknowledged the messages to it: then `None`. May be dropped and called
    /// again at any time.
    pub async fn next_event_until_acknowledged(&mut self) -> Option<PeerEvent> {
        loop {
            let acknowledged = self.links.acknowledged();
            tokio::select! {
                biased;
                event = self.next_event() => return Some(event),
                is_all = acknowledged => {
                    if is_all && !self.is_recovering() {
                        return None;
                    }
                }
            }
            // What was lost with a link is said again on the link that replaces it.
            tokio::select! {
                event = self.next_event() => return Some(event),
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }

    /// Whether a connection that worked is being repaired or replaced.
    fn is_recovering(&self) -> bool {
        self.session.peers().any(|peer| peer.state == LinkState::Recovering)
    }

    /// Leaves the room for good, and closes everything. Transfers that run are canceled.
    pub async fn leave(mut self) {
        // The others close their connections when they hear of it, so that what is lost until then stays lost.
        let _ = tokio::time::timeout(LAST_MESSAGES, self.links.acknowledged()).await;
        let now = self.now();
        self.session.leave(now);
        self.perform_outputs();
        self.close().await;
    }

    /// Ends without leaving: the server keeps the seat for half a minute, and transfers can go on from another process.
    pub async fn close(mut self) {
        self.messages.close();
        if let Some((_, socket)) = self.socket.take() {
            self.closing.spawn(socket.close());
        }
        let (mut sockets, mut links, files) = (self.closing, self.links.close_all(), self.files);
        let closed = async {
            // The links wait for room in a queue that is no longer read.
            drop((self.first, self.messages, self.from_worker));
            while sockets.join_next().await.is_some() {}
            while links.join_next().await.is_some() {}
            files.close().await;
        };
        let _ = tokio::time::timeout(CLOSING, closed).await;
    }

    // Inputs.

    /// Waits for one input, and hands it to the session.
    async fn wait(&mut self) {
        self.flush_files();
        let takes_frames = self.files.has_room();
        let measurements = self.measurements.as_ref().and_then(Measurements::poll_timeout);
        let deadline = [self.session.poll_timeout(), measurements].into_iter().flatten().min();
        let due = deadline.map(|deadline| self.clock.instant(deadline));
        let room = self.files.room();
        tokio::select! {
            biased;
            Some(input) = self.first.recv() => self.handle(input),
            () = until(due) => self.handle_timeout(),
            Some(message) = self.from_worker.recv() => self.handle_worker(message),
            Some(input) = self.messages.recv(), if takes_frames => self.handle_channel(input),
            () = room, if !takes_frames => {}
        }
    }

    fn handle_timeout(&mut self) {
        let now = self.now();
        if self.session.poll_timeout().is_some_and(|due| now.since(due) >= ASLEEP) {
            self.session.handle_wake(now);
        } else {
            self.session.handle_timeout(now);
        }
        if let Some(measurements) = &mut self.measurements {
            measurements.handle_timeout(now);
        }
    }

    fn handle(&mut self, input: Input) {
        let now = self.now();
        match input {
            Input::Socket(socket, event) => self.handle_socket(socket, event, now),
            Input::NotOpened(link, reason) => {
                if let Some(member) = self.links.member(link) {
                    self.events.push_back(PeerEvent::NoConnection(member.clone(), reason));
                }
            }
            Input::NegotiationNeeded(link) => {
                self.session.handle_link(link, LinkEvent::NegotiationNeeded, now);
            }
            Input::LocalCandidate(link, candidate) => {
                self.session.handle_link(link, LinkEvent::LocalCandidate(candidate), now);
            }
            Input::State(link, state) => {
                self.observe_state(link, state, now);
                self.session.handle_link(link, LinkEvent::State(state), now);
            }
            Input::Arrived(link, arrived) => self.handle_arrived(link, *arrived, now),
            Input::Completed(link, operation, result) => {
                self.session.handle_link(link, LinkEvent::Completed(operation, result), now);
            }
            Input::Watching(link) => {
                if let Some(member) = self.links.member(link) {
                    self.events.push_back(PeerEvent::Watching(member.clone()));
                }
            }
            Input::CodecMissing(link) => {
                if let Some(member) = self.links.member(link) {
                    self.events.push_back(PeerEvent::CodecMissing(member.clone()));
                }
            }
            Input::Drained => {}
        }
    }

    fn handle_socket(&mut self, socket: SocketId, event: SocketEvent, now: Timestamp) {
        match event {
            SocketEvent::Open => self.session.handle_socket_opened(socket, now),
            SocketEvent::Frame(frame) => self.session.handle_frame(socket, &frame, now),
            // An empty frame is not a message of the protocol, so the core refuses it.
            SocketEvent::Unreadable => self.session.handle_frame(socket, "", now),
            SocketEvent::Closed(failure) => {
                self.events.extend(failure.map(PeerEvent::NotConnected));
                self.session.handle_socket_closed(socket, now);
            }
        }
    }

    fn handle_channel(&mut self, input: ChannelInput) {
        let (now, link) = (self.now(), input.link);
        match (input.channel, input.event) {
            (Channel::Control, ChannelEvent::Open) => {
                self.session.handle_link(link, LinkEvent::ChannelOpened, now);
            }
            (Channel::Control, ChannelEvent::Text(text)) => self.session.handle_control(link, &text, now),
            (Channel::Control, ChannelEvent::Closed) => {
                self.session.handle_link(link, LinkEvent::ChannelClosed, now);
            }
            (Channel::Telemetry, ChannelEvent::Text(text)) => {
                // What is not a ping is about measurements.
                if let Some(message) = self.session.handle_telemetry(link, &text, now) {
                    self.observe_on(link, Observation::Telemetry(link, message), now);
                }
            }
            (Channel::Telemetry, ChannelEvent::Open | ChannelEvent::Closed) => {}
            (Channel::Bulk, ChannelEvent::Open) => {
                if let Some(open) = self.links.get_mut(link) {
                    open.is_bulk_open = true;
                }
                self.session.handle_link(link, LinkEvent::BulkOpened, now);
            }
            (Channel::Bulk, ChannelEvent::Binary(frame)) => {
                if let Some(member) = self.links.member(link)
                    && self.session.handle_bulk_frame(member, now)
                {
                    self.files.store(member.clone(), frame);
                }
            }
            (Channel::Bulk, ChannelEvent::Closed) => {
                if let Some(closed) = self.links.get_mut(link) {
                    closed.is_bulk_open = false;
                }
                self.session.handle_link(link, LinkEvent::BulkClosed, now);
            }
            (_, ChannelEvent::Unreadable | ChannelEvent::Text(_) | ChannelEvent::Binary(_)) => {
                self.session.handle_unreadable(link, now);
            }
        }
    }

    // Outputs.

    fn perform_outputs(&mut self) {
        loop {
            self.perform_session();
            if !self.perform_measurements() {
                break;
            }
        }
        self.flush_files();
    }

    fn perform_session(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                RoomOutput::OpenSocket(id) => {
                    let socket = Socket::open(id, self.endpoint.clone(), self.to_first.clone());
                    self.socket = Some((id, socket));
                }
                RoomOutput::SendFrame(id, frame) => {
                    if let Some((_, socket)) = self.socket.as_ref().filter(|(open, _)| *open == id) {
                        socket.send(frame);
                    }
                }
                RoomOutput::CloseSocket(id, refusal) => {
                    if let Some((_, socket)) = self.socket.take_if(|(open, _)| *open == id) {
                        if let Some(code) = refusal {
                            socket.refuse(code.as_str());
                        }
                        while self.closing.try_join_next().is_some() {}
                        self.closing.spawn(socket.close());
                    }
                }
                RoomOutput::OpenLink { link, member, role } => {
                    self.links.open(link, member, LinkKind::Member(role), self.session.ice_servers());
                }
                RoomOutput::OpenBulkLink { link, member } => {
                    self.links.open(link, member, LinkKind::Bulk, self.session.ice_servers());
                }
                // Each link sends and receives by itself.
                RoomOutput::UseLink(_) => {}
                RoomOutput::CloseLink(link) => {
                    if let Some(member) = self.links.close(link) {
                        self.observe(&member, Observation::ConnectionClosed(link), self.now());
                    }
                }
                RoomOutput::Perform(link, id, operation) => {
                    let is_taken = self.links.get(link).is_none_or(|link| link.perform(id, operation));
                    if !is_taken {
                        self.lose_link(link);
                    }
                }
                RoomOutput::IceServersChanged => self.links.set_ice_servers(self.session.ice_servers()),
                RoomOutput::SendControl(link, text) => {
                    let is_taken = self.links.get(link).is_none_or(|link| link.send_control(text));
                    if !is_taken {
                        self.lose_link(link);
                    }
                }
                RoomOutput::SendTelemetry(link, text) => {
                    if let Some(link) = self.links.get(link) {
                        link.send_telemetry(text);
                    }
                }
                RoomOutput::Transfer(task) => self.perform_task(task),
                // This client has no device key.
                RoomOutput::Recognition(_) => {}
                RoomOutput::Event(event) => {
                    if let RoomEvent::LinkChanged(secret) = event {
                        self.address = self.address.with_secret(secret);
                    }
                    self.measure_event(&event, self.now());
                    self.events.push_back(PeerEvent::Room(event));
                }
            }
        }
    }

    /// Reports a link that does not keep up as closed, so that another one replaces it.
    fn lose_link(&mut self, link: LinkId) {
        self.session.handle_link(link, LinkEvent::ChannelClosed, self.clock.now());
    }
}

fn random() -> Result<u128, Failure> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(u128::from_ne_bytes(bytes)),
        Err(error) => {
            let sentence = format!("This computer gives no random numbers: {error}.");
            Err(Failure::new(Exit::Local, "no-randomness", sentence))
        }
    }
}
