//! Several sessions, a small server and peer connections that always succeed, in simulated time.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use sightline_core::{
    Timestamp,
    negotiation::{Completed, Operation, OperationId},
    room::{LinkId, LinkState, PeerConnectionState, RoomEvent, RoomOutput, RoomSession},
    signalling::{JoinRequest, SocketId},
};
use sightline_protocol::{
    Arrival, DisplayName, InstanceId, Member, MemberId, Presence, RoomName,
    control::PublishedState,
    signalling::{ClientMessage, ServerMessage},
};

/// One page.
pub(crate) struct Page {
    pub(crate) session: RoomSession,
    pub(crate) events: Vec<RoomEvent>,
    socket: Option<SocketId>,
    id: Option<MemberId>,
    instance: InstanceId,
    links: HashMap<LinkId, Descriptions>,
    /// Every link that was ever opened.
    pub(crate) opened: Vec<LinkId>,
}

#[derive(Default)]
struct Descriptions {
    local: String,
    remote: String,
    is_connected: bool,
}

/// Pages and the server between them.
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) pages: Vec<Page>,
    /// Whether sockets can be opened.
    pub(crate) is_server_up: bool,
    /// Whether new connections come up.
    pub(crate) is_network_up: bool,
    members: BTreeMap<MemberId, Member>,
    arrivals: u64,
    descriptions: u64,
    /// Frames on their way to the server.
    frames: VecDeque<(usize, SocketId, String)>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: Timestamp::ZERO,
            pages: Vec::new(),
            is_server_up: true,
            is_network_up: true,
            members: BTreeMap::new(),
            arrivals: 0,
            descriptions: 0,
            frames: VecDeque::new(),
        }
    }

    /// Opens a page in the room; `resume` as an earlier one kept it.
    pub(crate) fn open(&mut self, resume: Option<String>) -> usize {
        let number = self.pages.len();
        let instance = InstanceId::new(format!("i{number}")).unwrap();
        let request = JoinRequest {
            room: RoomName::new("team").unwrap(),
            name: DisplayName::cut("someone"),
            instance: instance.clone(),
            resume,
        };
        let session = RoomSession::new(request, PublishedState::default(), 77 + number as u128);
        self.pages.push(Page {
            session,
            events: Vec::new(),
            socket: None,
            id: None,
            instance,
            links: HashMap::new(),
            opened: Vec::new(),
        });
        self.pages[number].session.start(self.now);
        self.settle();
        number
    }

    /// The tab is gone without a word: its socket and its connections close.
    pub(crate) fn kill(&mut self, page: usize) {
        self.close_socket(page);
        let links: Vec<_> = self.pages[page].links.keys().copied().collect();
        for link in links {
            self.close_link(page, link);
        }
        self.pages[page].socket = None;
        self.settle();
    }

    /// The server loses the page's socket; the page hears it too.
    pub(crate) fn cut_socket(&mut self, page: usize) {
        let socket = self.close_socket(page);
        if let Some(socket) = socket {
            self.pages[page].session.handle_socket_closed(socket, self.now);
        }
        self.settle();
    }

    /// The server gives the place of an absent member away.
    pub(crate) fn expire(&mut self, id: &MemberId) {
        self.members.remove(id);
        self.tell_all(None, &ServerMessage::PeerLeft { id: id.clone() });
        self.settle();
    }

    /// Every link of the page fails, on both sides.
    pub(crate) fn fail_links(&mut self, page: usize) {
        let links: Vec<_> = self.pages[page].links.keys().copied().collect();
        for link in links {
            let other = self.other_end(page, link);
            for (page, link) in [Some((page, link)), other].into_iter().flatten() {
                if let Some(ends) = self.pages[page].links.get_mut(&link) {
                    ends.is_connected = false;
                }
                self.pages[page].session.handle_connection_state(link, PeerConnectionState::Failed, self.now);
            }
        }
        self.settle();
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..10_000 {
            let next = self.pages.iter().filter_map(|page| page.session.poll_timeout()).min();
            match next {
                Some(next) if next <= end => self.now = self.now.max(next),
                _ => {
                    self.now = end;
                    return;
                }
            }
            for page in &mut self.pages {
                page.session.handle_timeout(self.now);
            }
            self.settle();
        }
        panic!("a session asks to be woken again and again at the same time");
    }

    pub(crate) fn id(&self, page: usize) -> MemberId {
        self.pages[page].id.clone().expect("the page has joined")
    }

    /// How one page sees another.
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

    /// Performs everything that is wanted until nothing is.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut moved = false;
            for page in 0..self.pages.len() {
                while let Some(output) = self.pages[page].session.poll_output() {
                    moved = true;
                    self.perform(page, output);
                }
            }
            while let Some((page, socket, frame)) = self.frames.pop_front() {
                moved = true;
                if self.pages[page].socket == Some(socket) {
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
                if self.is_server_up {
                    self.pages[page].socket = Some(socket);
                    self.pages[page].session.handle_socket_opened(socket, self.now);
                } else {
                    self.pages[page].session.handle_socket_closed(socket, self.now);
                }
            }
            RoomOutput::SendFrame(socket, frame) => self.frames.push_back((page, socket, frame)),
            RoomOutput::IceServersChanged => {}
            RoomOutput::CloseSocket(..) => {
                self.close_socket(page);
            }
            RoomOutput::OpenLink { link, role, .. } => {
                self.pages[page].links.insert(link, Descriptions::default());
                self.pages[page].opened.push(link);
                let _ = role;
                self.pages[page].session.handle_negotiation_needed(link, self.now);
            }
            RoomOutput::CloseLink(link) => self.close_link(page, link),
            RoomOutput::Perform(link, id, operation) => self.operate(page, link, id, operation),
            RoomOutput::SendControl(link, text) => {
                if let Some((page, link)) = self.other_end(page, link) {
                    self.pages[page].session.handle_control(link, &text, self.now);
                }
            }
            RoomOutput::Event(event) => self.pages[page].events.push(event),
        }
    }

    fn operate(&mut self, page: usize, link: LinkId, id: OperationId, operation: Operation) {
        self.descriptions += 1;
        let fresh = format!("v=0\r\na=ice-ufrag:u{}\r\n", self.descriptions);
        let Some(ends) = self.pages[page].links.get_mut(&link) else { return };
        let completed = match operation {
            Operation::SetLocalOffer { .. } | Operation::SetLocalAnswer => {
                ends.local.clone_from(&fresh);
                Completed::LocalDescription { sdp: fresh }
            }
            Operation::SetRemoteDescription(description) => {
                ends.remote = description.sdp;
                Completed::Done
            }
            Operation::AddIceCandidate(_) => Completed::Done,
        };
        self.pages[page].session.handle_completed(link, id, Ok(completed), self.now);
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
                        if let Some(ends) = self.pages[page].links.get_mut(&link) {
                            ends.is_connected = true;
                        }
                        let session = &mut self.pages[page].session;
                        session.handle_connection_state(link, PeerConnectionState::Connected, self.now);
                        session.handle_channel_opened(link, self.now);
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
        let was_connected = self.pages[page].links.remove(&link).is_some_and(|ends| ends.is_connected);
        if let (Some((page, link)), true) = (other, was_connected) {
            self.pages[page].session.handle_channel_closed(link, self.now);
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

    /// The server's side, in its simplest form.
    fn serve(&mut self, page: usize, frame: &str) {
        match serde_json::from_str(frame).expect("a valid frame") {
            ClientMessage::Join { room, name, instance, resume, .. } => {
                let id = match resume {
                    Some(token) => MemberId::new(token).unwrap(),
                    None => MemberId::new(format!("m{page}")).unwrap(),
                };
                let is_same = self.members.get(&id).is_some_and(|member| member.instance == instance);
                if !is_same {
                    self.arrivals += 1;
                }
                let arrival = if is_same { self.members[&id].arrival } else { Arrival(self.arrivals) };
                let member = Member { id: id.clone(), name, instance, arrival, presence: Presence::Present };
                let members = self.members.values().filter(|member| member.id != id).cloned().collect();
                self.members.insert(id.clone(), member.clone());
                self.pages[page].id = Some(id.clone());
                let joined = ServerMessage::Joined {
                    you: id.clone(),
                    arrival,
                    room,
                    members,
                    resume: id.to_string(),
                    ice_servers: Vec::new(),
                    ice_servers_life_s: None,
                    room_limit: 8,
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
                self.tell_all(Some(page), &ServerMessage::PeerLeft { id });
            }
            ClientMessage::IceServers => {
                self.tell(
                    page,
                    &ServerMessage::IceServers { ice_servers: Vec::new(), ice_servers_life_s: None },
                );
            }
            ClientMessage::Ping { nonce } => self.tell(page, &ServerMessage::Pong { nonce }),
        }
    }

    fn tell(&mut self, page: usize, message: &ServerMessage) {
        if let Some(socket) = self.pages[page].socket {
            let frame = serde_json::to_string(message).unwrap();
            self.pages[page].session.handle_frame(socket, &frame, self.now);
        }
    }

    fn tell_all(&mut self, except: Option<usize>, message: &ServerMessage) {
        for page in (0..self.pages.len()).filter(|page| Some(*page) != except) {
            self.tell(page, message);
        }
    }

    /// The server forgets everything; every socket closes.
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
