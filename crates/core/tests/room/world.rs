//! Several sessions, a small server and peer connections over a network that can be cut, in simulated time.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sightline_core::{
    Timestamp,
    negotiation::{Completed, Operation, OperationId},
    room::{LinkEvent, LinkId, LinkState, PeerConnectionState, RoomEvent, RoomOutput, RoomSession},
    signaling::{JoinRequest, SocketId},
    transfer::TransferTask,
    trust::{Person, RecognitionTask, RoomSecret},
};
use sightline_protocol::{
    AdmissionDigest, AdmissionTag, Arrival, DeviceKey, DisplayName, InstanceId, Member, MemberId, Presence,
    RefusalReason, RoomName,
    control::PublishedState,
    signaling::{ClientMessage, ServerMessage},
    telemetry::TelemetryMessage,
};

/// Interval between two updates of the simulated network.
const TICK: Duration = Duration::from_millis(250);
/// Time after the network's return until old connections carry data again.
const HEALING: Duration = Duration::from_millis(1500);

/// The browser whose peer connections are simulated: `docs/recovery.md` has the measurements of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
}

impl Engine {
    fn disconnected_after(self) -> Duration {
        Duration::from_millis(if self == Self::Chromium { 5_800 } else { 8_000 })
    }

    /// Time without network until `failed`. Firefox also closes the data channel then.
    fn failed_after(self) -> Duration {
        Duration::from_millis(if self == Self::Chromium { 15_800 } else { 29_000 })
    }
}

/// One page.
pub(crate) struct Page {
    pub(crate) session: RoomSession,
    pub(crate) events: Vec<RoomEvent>,
    /// The telemetry messages that the session returned instead of handling them.
    pub(crate) to_measure: Vec<TelemetryMessage>,
    socket: Option<SocketId>,
    /// Whether the server knows the member at this socket.
    has_joined: bool,
    /// Whether the tab was closed: nothing happens on the page any more.
    is_closed: bool,
    id: Option<MemberId>,
    instance: InstanceId,
    links: HashMap<LinkId, End>,
    pub(crate) engine: Engine,
    /// All links that were ever opened.
    pub(crate) opened: Vec<LinkId>,
    /// Number of peer connections for files that were ever opened.
    pub(crate) opened_for_bulk: usize,
    /// The requested tasks about files, in order.
    pub(crate) files: VecDeque<TransferTask>,
    /// The requested tasks with the key of the device.
    pub(crate) recognition: Vec<RecognitionTask>,
}

impl Page {
    /// Number of peer connections that are open now.
    pub(crate) fn link_count(&self) -> usize {
        self.links.len()
    }
}

/// One end of a peer connection.
#[derive(Default)]
struct End {
    /// The page that this page takes for the other end.
    other: Option<InstanceId>,
    local: String,
    remote: String,
    is_connected: bool,
    state: Option<PeerConnectionState>,
    /// Messages that the reliable channel has not delivered to the other end yet.
    waiting: VecDeque<String>,
}

/// The pages and the server between them.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) pages: Vec<Page>,
    /// Whether sockets can be opened.
    pub(crate) is_server_up: bool,
    /// Whether sockets are half-open: they deliver nothing and report no error.
    pub(crate) is_server_cut: bool,
    /// Whether packets pass between the pages.
    pub(crate) is_network_up: bool,
    /// The time at which `is_network_up` last changed.
    network_changed_at: Timestamp,
    members: BTreeMap<MemberId, Member>,
    arrivals: u64,
    descriptions: u64,
    /// Frames in flight to the server.
    frames: VecDeque<(usize, SocketId, String, usize)>,
    /// Every frame between pages and server: the page, the direction and the type.
    pub(crate) told: Vec<String>,
    /// For each page the number of frames that had to go from page to server or back, one after the other, before it learned the latest.
    pub(crate) hops: Vec<usize>,
    /// The same for the frame that the server handles.
    hops_now: usize,
    /// The secret in the invitation of the pages that are opened next.
    pub(crate) secret: Option<RoomSecret>,
    /// Whether the pages that are opened next have codes to compare and recognize people, as earlier versions do not.
    pub(crate) has_codes: bool,
    /// The key of the device on which the next page is opened, and the people that the device remembers. Without it the page waits
    /// for the key.
    pub(crate) device: Option<(DeviceKey, Vec<Person>)>,
    /// Takes the place of an honest server's messages: the page they are for, and the message.
    pub(crate) interference: Option<Interference>,
    /// Whether the server does not hear a message of a page.
    pub(crate) deaf: Option<Deaf>,
    /// The origin of each description: the page that made it, and the page of the member at the other end of its link.
    pub(crate) made: HashMap<String, (InstanceId, InstanceId)>,
    /// The descriptions that pages applied: the page, the instance that it takes the other end for, and the description.
    pub(crate) applied: Vec<(InstanceId, InstanceId, String)>,
    /// The hosts that the server names to whoever joins.
    pub(crate) hosts: Vec<MemberId>,
    /// Whether the server says that the room is locked.
    pub(crate) is_locked: bool,
    /// What pages asked for as hosts, and pictures of visitors.
    pub(crate) host_actions: Vec<(usize, ClientMessage)>,
    /// Whether the server does what hosts ask for, appoints them, and knows which tag admits to the room.
    pub(crate) has_hosts: bool,
    /// Whether the pages that are opened next replace the secret after a removal, as earlier versions do not.
    pub(crate) rekeys: bool,
    /// The tag that admits to the room, if `has_hosts`.
    pub(crate) admission: Option<AdmissionTag>,
    /// The tags that did before.
    former: Vec<AdmissionTag>,
}

/// What a server sends instead of a message to a page.
pub(crate) type Interference = Box<dyn FnMut(usize, ServerMessage) -> Vec<(usize, ServerMessage)>>;

/// Which messages of which page the server does not hear.
pub(crate) type Deaf = Box<dyn FnMut(usize, &ClientMessage) -> bool>;

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: Timestamp::ZERO,
            pages: Vec::new(),
            is_server_up: true,
            is_server_cut: false,
            is_network_up: true,
            network_changed_at: Timestamp::ZERO,
            members: BTreeMap::new(),
            arrivals: 0,
            descriptions: 0,
            frames: VecDeque::new(),
            told: Vec::new(),
            hops: Vec::new(),
            hops_now: 0,
            secret: None,
            has_codes: true,
            device: None,
            interference: None,
            deaf: None,
            made: HashMap::new(),
            applied: Vec::new(),
            hosts: Vec::new(),
            is_locked: false,
            host_actions: Vec::new(),
            has_hosts: false,
            rekeys: true,
            admission: None,
            former: Vec::new(),
        }
    }

    /// Opens a page in the room; `resume` is the token of an earlier page.
    pub(crate) fn open(&mut self, resume: Option<String>) -> usize {
        let number = self.pages.len();
        let instance = InstanceId::new(format!("i{number}")).unwrap();
        let request = JoinRequest {
            room: RoomName::new("team").unwrap(),
            secret: self.secret,
            name: DisplayName::cut(&format!("someone {number}")),
            instance: instance.clone(),
            resume,
            is_attended: true,
            create_token: None,
        };
        let mut session = RoomSession::new(request, PublishedState::default(), 77 + number as u128);
        if self.has_codes {
            session.with_peer_trust(|trust| trust.enable_codes(1_000 + number as u128));
            session.with_peer_trust(|trust| trust.enable_recognition(2_000 + number as u128));
        }
        if self.rekeys {
            session.enable_rekeying(3_000 + number as u128);
        }
        if let Some((key, people)) = self.device.take() {
            session.with_peer_trust(|trust| trust.handle_device(key, people, 5_000, self.now));
        }
        self.hops.push(0);
        self.pages.push(Page {
            session,
            events: Vec::new(),
            to_measure: Vec::new(),
            socket: None,
            has_joined: false,
            is_closed: false,
            id: None,
            instance,
            links: HashMap::new(),
            engine: Engine::Chromium,
            opened: Vec::new(),
            opened_for_bulk: 0,
            files: VecDeque::new(),
            recognition: Vec::new(),
        });
        self.pages[number].session.start(self.now);
        self.settle();
        number
    }

    /// Closes the tab without a goodbye: its socket and its connections close.
    pub(crate) fn kill(&mut self, page: usize) {
        self.close_socket(page);
        let links: Vec<_> = self.pages[page].links.keys().copied().collect();
        for link in links {
            self.close_link(page, link);
        }
        self.pages[page].socket = None;
        self.pages[page].is_closed = true;
        self.settle();
    }

    /// Closes the page's socket at the server; the page notices.
    pub(crate) fn cut_socket(&mut self, page: usize) {
        let socket = self.close_socket(page);
        if let Some(socket) = socket {
            self.pages[page].session.handle_socket_closed(socket, self.now);
        }
        self.settle();
    }

    /// Frees the seat of an absent member at the server.
    pub(crate) fn expire(&mut self, id: &MemberId) {
        self.members.remove(id);
        self.tell_all(None, &ServerMessage::PeerLeft { id: id.clone() });
        self.settle();
    }

    /// Makes every link of the page fail, on both sides.
    pub(crate) fn fail_links(&mut self, page: usize) {
        let links: Vec<_> = self.pages[page].links.keys().copied().collect();
        for link in links {
            let other = self.other_end(page, link);
            for (page, link) in [Some((page, link)), other].into_iter().flatten() {
                if let Some(end) = self.pages[page].links.get_mut(&link) {
                    end.state = Some(PeerConnectionState::Failed);
                }
                self.pages[page].session.handle_link(
                    link,
                    LinkEvent::State(PeerConnectionState::Failed),
                    self.now,
                );
            }
        }
        self.settle();
    }

    /// Cuts or restores the network between the pages.
    pub(crate) fn set_network(&mut self, is_up: bool) {
        if self.is_network_up != is_up {
            self.is_network_up = is_up;
            self.network_changed_at = self.now;
        }
        self.settle();
    }

    /// Updates the state of all connections as time passes.
    fn tick(&mut self) {
        let lasted = self.now.since(self.network_changed_at);
        let ends: Vec<_> = (0..self.pages.len())
            .flat_map(|page| self.pages[page].links.keys().map(move |link| (page, *link)).collect::<Vec<_>>())
            .collect();
        for (page, link) in ends {
            let engine = self.pages[page].engine;
            let has_other_end = self.other_end(page, link).is_some();
            let Some(end) = self.pages[page].links.get_mut(&link).filter(|end| end.is_connected) else {
                continue;
            };
            let state = end.state.unwrap_or(PeerConnectionState::New);
            let is_alive = state != PeerConnectionState::Failed;
            let new = if self.is_network_up {
                let heals = has_other_end && is_alive && lasted >= HEALING;
                heals.then_some(PeerConnectionState::Connected)
            } else if lasted >= engine.failed_after() {
                Some(PeerConnectionState::Failed)
            } else if lasted >= engine.disconnected_after() {
                Some(PeerConnectionState::Disconnected)
            } else {
                None
            };
            if let Some(new) = new.filter(|new| is_alive && *new != state) {
                end.state = Some(new);
                self.pages[page].session.handle_link(link, LinkEvent::State(new), self.now);
                if new == PeerConnectionState::Failed && engine == Engine::Firefox {
                    self.pages[page].session.handle_link(link, LinkEvent::ChannelClosed, self.now);
                }
            }
            self.flush(page, link);
        }
        self.settle();
    }

    /// The other end, if it receives messages at this moment.
    fn reached(&self, page: usize, link: LinkId) -> Option<(usize, LinkId)> {
        let has_healed = self.now.since(self.network_changed_at) >= HEALING;
        let is_alive = |page: usize, link: LinkId| {
            self.pages[page].links.get(&link).is_some_and(|end| match end.state {
                Some(PeerConnectionState::Connected) => end.is_connected,
                Some(PeerConnectionState::Disconnected) => end.is_connected && has_healed,
                _ => false,
            })
        };
        let other = self.other_end(page, link)?;
        (self.is_network_up && is_alive(page, link) && is_alive(other.0, other.1)).then_some(other)
    }

    fn flush(&mut self, page: usize, link: LinkId) {
        while let Some((other, other_link)) = self.reached(page, link)
            && let Some(text) = self.pages[page].links.get_mut(&link).and_then(|end| end.waiting.pop_front())
        {
            self.pages[other].session.handle_control(other_link, &text, self.now);
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        let mut next_tick = self.now + TICK;
        let mut at_once = 0;
        loop {
            let open = self.pages.iter().filter(|page| !page.is_closed);
            let next = open.filter_map(|page| page.session.poll_timeout()).min();
            let next = next.map_or(next_tick, |next| next.min(next_tick));
            if next > end {
                self.now = end;
                return;
            }
            at_once = if next > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 1_000, "a session asks to be woken again and again at the same time");
            self.now = self.now.max(next);
            if self.now >= next_tick {
                next_tick = self.now + TICK;
                self.tick();
            }
            for page in self.pages.iter_mut().filter(|page| !page.is_closed) {
                page.session.handle_timeout(self.now);
            }
            self.settle();
        }
    }

    /// The instance id of a page.
    #[allow(dead_code, reason = "not every test of this world compares pages")]
    pub(crate) fn instance(&self, page: usize) -> &InstanceId {
        &self.pages[page].instance
    }

    pub(crate) fn id(&self, page: usize) -> MemberId {
        self.pages[page].id.clone().expect("the page has joined")
    }

    /// The state of another page's link, as one page sees it.
    pub(crate) fn state(&self, page: usize, other: usize) -> Option<LinkState> {
        self.pages[page].session.peer(&self.id(other)).map(|peer| peer.state)
    }

    pub(crate) fn resume_token(&self, page: usize) -> String {
        self.pages[page]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                RoomEvent::Entered { resume, .. } => Some(resume.clone()),
                _ => None,
            })
            .expect("the page has joined")
    }

    /// Performs all requested actions until there are no more.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut moved = false;
            for page in 0..self.pages.len() {
                while let Some(output) = self.pages[page].session.poll_output() {
                    moved = true;
                    self.perform(page, output);
                }
            }
            while let Some((page, socket, frame, hops)) = self.frames.pop_front() {
                moved = true;
                self.hops_now = hops;
                if self.pages[page].socket == Some(socket) && !self.is_server_cut {
                    self.serve(page, &frame);
                }
            }
            moved |= self.connect_matching();
            if !moved {
                return;
            }
        }
        panic!("the sessions never come to rest");
    }

    fn perform(&mut self, page: usize, output: RoomOutput) {
        match output {
            RoomOutput::OpenSocket(socket) => {
                if self.is_server_cut {
                    // A half-open socket neither answers nor fails.
                } else if self.is_server_up {
                    self.pages[page].socket = Some(socket);
                    self.pages[page].has_joined = false;
                    self.pages[page].session.handle_socket_opened(socket, self.now);
                } else {
                    self.pages[page].session.handle_socket_closed(socket, self.now);
                }
            }
            RoomOutput::SendFrame(socket, frame) => {
                self.told.push(format!("{page}>{}", type_of(&frame)));
                self.frames.push_back((page, socket, frame, self.hops[page] + 1));
            }
            RoomOutput::IceServersChanged => {}
            RoomOutput::CloseSocket(..) => {
                self.close_socket(page);
            }
            RoomOutput::OpenLink { link, role, member } => {
                let other = self.pages[page].session.peer(&member).map(|peer| peer.member.instance.clone());
                self.pages[page].links.insert(link, End { other, ..End::default() });
                self.pages[page].opened.push(link);
                let _ = role;
                self.pages[page].session.handle_link(link, LinkEvent::NegotiationNeeded, self.now);
            }
            RoomOutput::CloseLink(link) => self.close_link(page, link),
            RoomOutput::Perform(link, id, operation) => self.operate(page, link, id, operation),
            RoomOutput::SendControl(link, text) => {
                if let Some(end) = self.pages[page].links.get_mut(&link) {
                    end.waiting.push_back(text);
                }
                self.flush(page, link);
            }
            RoomOutput::SendTelemetry(link, text) => {
                if let Some((page, link)) = self.reached(page, link) {
                    let rest = self.pages[page].session.handle_telemetry(link, &text, self.now);
                    self.pages[page].to_measure.extend(rest);
                }
            }
            RoomOutput::Transfer(output) => self.pages[page].files.push_back(output),
            // `tests/bulk` simulates these links.
            RoomOutput::OpenBulkLink { .. } => self.pages[page].opened_for_bulk += 1,
            RoomOutput::UseLink(_) => {}
            RoomOutput::Recognition(task) => self.pages[page].recognition.push(task),
            RoomOutput::Event(event) => self.pages[page].events.push(event),
        }
    }

    fn operate(&mut self, page: usize, link: LinkId, id: OperationId, operation: Operation) {
        self.descriptions += 1;
        let instance = self.pages[page].instance.clone();
        // A page has one certificate.
        let fingerprint = format!("a=fingerprint:sha-256 {instance}");
        let fresh = format!("v=0\r\na=ice-ufrag:u{}\r\n{fingerprint}\r\n", self.descriptions);
        let Some(ends) = self.pages[page].links.get_mut(&link) else { return };
        let completed = match operation {
            Operation::SetLocalOffer { .. } | Operation::SetLocalAnswer => {
                let ends_of_link = ends.other.clone().map(|other| (instance, other));
                self.made.extend(ends_of_link.map(|ends_of_link| (fresh.clone(), ends_of_link)));
                ends.local.clone_from(&fresh);
                Completed::LocalDescription { sdp: fresh }
            }
            Operation::SetRemoteDescription(description) => {
                let other = ends.other.clone();
                self.applied.extend(other.map(|other| (instance, other, description.sdp.clone())));
                ends.remote = description.sdp;
                Completed::Done
            }
            Operation::AddIceCandidate(_) => Completed::Done,
        };
        self.pages[page].session.handle_link(link, LinkEvent::Completed(id, Ok(completed)), self.now);
    }

    fn connect_matching(&mut self) -> bool {
        if !self.is_network_up {
            return false;
        }
        for page in 0..self.pages.len() {
            let waiting: Vec<_> = self.pages[page]
                .links
                .iter()
                .filter(|(_, ends)| !ends.is_connected)
                .map(|(link, _)| *link)
                .collect();
            for link in waiting {
                if let Some((other, other_link)) = self.other_end(page, link) {
                    for (page, link) in [(page, link), (other, other_link)] {
                        if let Some(end) = self.pages[page].links.get_mut(&link) {
                            end.is_connected = true;
                            end.state = Some(PeerConnectionState::Connected);
                        }
                    }
                    for (page, link) in [(page, link), (other, other_link)] {
                        let session = &mut self.pages[page].session;
                        session.handle_link(link, LinkEvent::State(PeerConnectionState::Connected), self.now);
                        session.handle_link(link, LinkEvent::ChannelOpened, self.now);
                    }
                    return true;
                }
            }
        }
        false
    }

    fn other_end(&self, page: usize, link: LinkId) -> Option<(usize, LinkId)> {
        let ends = self.pages[page].links.get(&link)?;
        if ends.local.is_empty() || ends.remote.is_empty() {
            return None;
        }
        self.pages.iter().enumerate().filter(|(at, _)| *at != page).find_map(|(at, other)| {
            other
                .links
                .iter()
                .find(|(_, theirs)| theirs.local == ends.remote && theirs.remote == ends.local)
                .map(|(link, _)| (at, *link))
        })
    }

    fn close_link(&mut self, page: usize, link: LinkId) {
        let other = self.other_end(page, link);
        // The reliable channel delivers its queue, as far as possible, before the end is noticed.
        self.flush(page, link);
        let was_reached = self.reached(page, link).is_some();
        self.pages[page].links.remove(&link);
        if let (Some((page, link)), true) = (other, was_reached) {
            self.pages[page].session.handle_link(link, LinkEvent::ChannelClosed, self.now);
        }
    }

    fn close_socket(&mut self, page: usize) -> Option<SocketId> {
        let socket = self.pages[page].socket.take()?;
        if let Some(id) = self.pages[page].id.clone()
            && let Some(member) = self.members.get_mut(&id)
        {
            member.presence = Presence::Away;
            self.tell_all(Some(page), &ServerMessage::PeerAway { id });
        }
        Some(socket)
    }

    /// The server's behavior in its simplest form.
    fn serve(&mut self, page: usize, frame: &str) {
        let message = serde_json::from_str(frame).expect("a valid frame");
        if !self.deaf.as_mut().is_some_and(|is_deaf_to| is_deaf_to(page, &message)) {
            self.answer(page, message);
        }
    }

    /// Lets the server hear a message of a page, which it did not hear before.
    #[allow(dead_code, reason = "what the tests of attacks need of this world")]
    pub(crate) fn hear(&mut self, page: usize, message: &ClientMessage) {
        self.answer(page, message.clone());
        self.settle();
    }

    fn answer(&mut self, page: usize, message: ClientMessage) {
        match message {
            ClientMessage::Join { admission, .. }
                if self.has_hosts && admission.as_ref().is_some_and(|tag| self.former.contains(tag)) =>
            {
                self.tell(page, &ServerMessage::Refused { reason: RefusalReason::LinkChanged });
            }
            ClientMessage::Join { room, name, sealed_name, instance, resume, admission, .. } => {
                if self.has_hosts && self.admission.is_none() {
                    self.admission = admission;
                }
                let id = match resume {
                    Some(token) => MemberId::new(token).unwrap(),
                    None => MemberId::new(format!("m{page}")).unwrap(),
                };
                let is_same = self.members.get(&id).is_some_and(|member| member.instance == instance);
                if !is_same {
                    self.arrivals += 1;
                }
                let arrival = if is_same { self.members[&id].arrival } else { Arrival(self.arrivals) };
                let presence = Presence::Present;
                let member = Member { id: id.clone(), name, sealed_name, instance, arrival, presence };
                let members = self.members.values().filter(|member| member.id != id).cloned().collect();
                self.members.insert(id.clone(), member.clone());
                self.pages[page].id = Some(id.clone());
                self.pages[page].has_joined = true;
                if self.has_hosts && self.hosts.is_empty() {
                    self.hosts.push(id.clone());
                }
                let joined = ServerMessage::Joined {
                    you: id.clone(),
                    arrival,
                    room,
                    members,
                    resume: id.to_string(),
                    ice_servers: Vec::new(),
                    ice_servers_life_s: None,
                    room_limit: 8,
                    hosts: self.hosts.clone(),
                    locked: self.is_locked,
                    admission_sha256: self.digest(),
                };
                self.tell(page, &joined);
                self.tell_all(Some(page), &ServerMessage::PeerJoined { member });
            }
            ClientMessage::Signal { to, signal } => {
                let from = self.id(page);
                let addressee = self.pages.iter().position(|other| {
                    other.id.as_ref() == Some(&to)
                        && other.socket.is_some()
                        && self.members.get(&to).is_some_and(|member| member.instance == other.instance)
                });
                if let Some(addressee) = addressee {
                    self.tell(addressee, &ServerMessage::Signal { from, signal });
                }
            }
            ClientMessage::Leave => {
                let id = self.id(page);
                self.members.remove(&id);
                self.pages[page].socket = None;
                self.tell_all(Some(page), &ServerMessage::PeerLeft { id: id.clone() });
                if self.has_hosts {
                    self.dismiss_host(&id);
                }
            }
            ClientMessage::Remove { id } if self.has_hosts => {
                self.members.remove(&id);
                let removed = self.pages.iter().position(|page| page.id.as_ref() == Some(&id));
                if let Some(removed) = removed {
                    self.tell(removed, &ServerMessage::Removed);
                    (self.pages[removed].socket, self.pages[removed].has_joined) = (None, false);
                }
                self.tell_all(None, &ServerMessage::PeerRemoved { id: id.clone() });
                self.dismiss_host(&id);
            }
            ClientMessage::MakeHost { id } if self.has_hosts => {
                self.hosts.push(id);
                self.tell_state();
            }
            ClientMessage::Rekey { admission, sealed_name } => {
                let id = self.id(page);
                let is_host = self.hosts.contains(&id);
                if is_host && self.admission.as_ref() != Some(&admission) {
                    self.former.extend(self.admission.replace(admission));
                    self.tell_state();
                } else if self.admission.as_ref() != Some(&admission) {
                    return;
                }
                let Some(member) = self.members.get_mut(&id) else { return };
                member.sealed_name = Some(sealed_name);
                let member = member.clone();
                self.tell_all(Some(page), &ServerMessage::PeerJoined { member });
            }
            ClientMessage::IceServers => {
                self.tell(
                    page,
                    &ServerMessage::IceServers {
                        ice_servers: Vec::new(),
                        ice_servers_life_s: None,
                        alternate_stun_urls: Vec::new(),
                    },
                );
            }
            ClientMessage::Ping { nonce } => self.tell(page, &ServerMessage::Pong { nonce }),
            action @ (ClientMessage::Lock { .. }
            | ClientMessage::KnockPicture { .. }
            | ClientMessage::AnswerKnock { .. }
            | ClientMessage::Remove { .. }
            | ClientMessage::MakeHost { .. }
            | ClientMessage::End) => self.host_actions.push((page, action)),
        }
    }

    fn digest(&self) -> Option<AdmissionDigest> {
        let hash = Sha256::digest(self.admission.as_ref()?.as_str());
        AdmissionDigest::new(URL_SAFE_NO_PAD.encode(hash)).ok()
    }

    /// Makes another member host if nobody is.
    pub(crate) fn dismiss_host(&mut self, id: &MemberId) {
        self.hosts.retain(|host| host != id);
        if self.hosts.is_empty() {
            let present = self.members.values().filter(|member| member.presence == Presence::Present);
            self.hosts.extend(present.min_by_key(|member| member.arrival).map(|member| member.id.clone()));
        }
        self.tell_state();
    }

    fn tell_state(&mut self) {
        for page in 0..self.pages.len() {
            if let Some(id) = self.pages[page].id.clone().filter(|_| self.pages[page].has_joined) {
                let state = ServerMessage::RoomState {
                    hosts: self.hosts.clone(),
                    locked: self.is_locked,
                    resume: id.to_string(),
                    admission_sha256: self.digest(),
                };
                self.tell(page, &state);
            }
        }
    }

    fn tell(&mut self, page: usize, message: &ServerMessage) {
        let told = match &mut self.interference {
            Some(interfere) => interfere(page, message.clone()),
            None => vec![(page, message.clone())],
        };
        for (page, message) in told {
            self.deliver(page, &message);
        }
    }

    fn deliver(&mut self, page: usize, message: &ServerMessage) {
        if let Some(socket) = self.pages[page].socket.filter(|_| !self.is_server_cut) {
            let frame = serde_json::to_string(message).unwrap();
            self.told.push(format!("{page}<{}", type_of(&frame)));
            self.hops[page] = self.hops[page].max(self.hops_now + 1);
            self.pages[page].session.handle_frame(socket, &frame, self.now);
        }
    }

    /// Delivers a frame of the server with arbitrary content.
    #[allow(dead_code, reason = "what the tests of budgets need of this world")]
    pub(crate) fn tell_raw(&mut self, page: usize, frame: &str) {
        if let Some(socket) = self.pages[page].socket {
            self.pages[page].session.handle_frame(socket, frame, self.now);
        }
        self.settle();
    }

    fn tell_all(&mut self, except: Option<usize>, message: &ServerMessage) {
        for page in (0..self.pages.len()).filter(|page| Some(*page) != except) {
            if self.pages[page].has_joined {
                self.tell(page, message);
            }
        }
    }

    /// Makes the server lose its state, which closes every socket.
    pub(crate) fn restart_server(&mut self) {
        self.members.clear();
        for page in 0..self.pages.len() {
            if let Some(socket) = self.pages[page].socket.take() {
                self.pages[page].session.handle_socket_closed(socket, self.now);
            }
        }
        self.settle();
    }
}

/// The type of a signaling frame.
fn type_of(frame: &str) -> String {
    let frame: serde_json::Value = serde_json::from_str(frame).expect("a valid frame");
    frame["type"].as_str().unwrap_or_default().to_owned()
}
