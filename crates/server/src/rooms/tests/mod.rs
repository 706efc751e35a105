//! The rooms in simulated time, seen as their members see them: through the messages alone.

mod hosts;
mod opening;
mod pictures;
mod random_sequences;
mod rekeying;
mod scenarios;

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use rand::{SeedableRng, rngs::StdRng};
use sightline_protocol::{
    AdmissionDigest, AdmissionTag, Arrival, ConnectionId, DisplayName, ErrorCode, Generation, InstanceId,
    Member, MemberId, PROTOCOL_VERSION, Presence, RefusalReason, RoomName, SealedName, Visitor,
    signaling::{ClientMessage, ServerMessage, Signal, SignalCandidate, SignalPayload},
};

use super::{Closing, Output, Registry, ResumeKey, RoomKey, RoomSettings, SocketId};
use crate::time::UnixTime;

const HOLD: Duration = Duration::from_secs(30);

/// A server and every client that ever connected to it.
struct World {
    settings: RoomSettings,
    registry: Registry,
    now: UnixTime,
    clients: BTreeMap<SocketId, Client>,
    /// What the next clients say in `attended`.
    attended: Option<bool>,
    /// What the next clients say in `create_token`.
    create_token: Option<String>,
    /// The secret of the next clients, by a number.
    secret: Option<u8>,
    /// Whether the next clients know what a rekey is.
    rekeys: bool,
    /// The address of the next clients.
    address: IpAddr,
    /// The members that were refused the relay.
    revoked: Vec<MemberId>,
}

/// A socket and the messages that it received.
#[derive(Debug, Default)]
struct Client {
    /// The seat that `joined` named.
    seat: Option<View>,
    /// Messages about neither members nor seat.
    heard: Vec<ServerMessage>,
    /// Why the server closed the socket.
    closing: Option<Closing>,
    /// Whether the client closed the socket.
    dropped: bool,
}

/// The room as a member knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct View {
    room: RoomName,
    me: MemberId,
    instance: InstanceId,
    arrival: Arrival,
    resume: String,
    others: BTreeMap<MemberId, Member>,
    hosts: Vec<MemberId>,
    is_locked: bool,
    /// The visitors that wait, as a host knows them.
    knocks: Vec<Visitor>,
    /// Which tag admits to the room.
    digest: Option<AdmissionDigest>,
}

impl World {
    fn new(room_limit: usize, max_rooms: usize) -> Self {
        let settings = RoomSettings { room_limit, max_rooms, away_hold: HOLD, ..RoomSettings::default() };
        let now = UnixTime::from_ms(1_700_000_000_000);
        Self {
            registry: registry(&settings, 0),
            settings,
            now,
            clients: BTreeMap::new(),
            attended: None,
            create_token: None,
            secret: None,
            rekeys: true,
            address: [192, 0, 2, 1].into(),
            revoked: Vec::new(),
        }
    }

    /// The server ends and starts again; all sockets are gone, the key is the same.
    fn restart(&mut self) {
        self.registry = registry(&self.settings, self.clients.len() as u64);
        for client in self.clients.values_mut() {
            client.dropped = true;
        }
    }

    /// A socket that has said nothing.
    fn connect(&mut self) -> SocketId {
        let socket = SocketId(self.clients.len() as u64);
        self.clients.insert(socket, Client::default());
        socket
    }

    fn join(&mut self, room: &str, instance: &str, resume: Option<&str>) -> SocketId {
        let socket = self.connect();
        self.say(
            socket,
            ClientMessage::Join {
                protocol: PROTOCOL_VERSION,
                room: RoomName::new(room).unwrap(),
                admission: self.secret.map(tag),
                sealed_name: self.secret.map(|secret| sealed(secret, instance)),
                name: DisplayName::cut(instance),
                instance: InstanceId::new(instance).unwrap(),
                resume: resume.map(str::to_owned),
                attended: self.attended,
                create_token: self.create_token.clone(),
                rekeys: self.rekeys,
            },
        );
        if let Some(view) = &mut self.clients.get_mut(&socket).unwrap().seat {
            view.instance = InstanceId::new(instance).unwrap();
        }
        socket
    }

    fn say(&mut self, socket: SocketId, message: ClientMessage) {
        let address = self.address;
        self.registry.handle_message(socket, address, message, self.now);
        self.deliver();
    }

    fn signal(&mut self, socket: SocketId, to: &MemberId) {
        self.say(socket, ClientMessage::Signal { to: to.clone(), signal: any_signal() });
    }

    fn drop_socket(&mut self, socket: SocketId) {
        self.clients.get_mut(&socket).unwrap().dropped = true;
        self.registry.handle_socket_closed(socket, self.now);
        self.deliver();
    }

    fn fail(&mut self, socket: SocketId, code: ErrorCode) {
        self.registry.handle_failure(socket, code, "", self.now);
        self.deliver();
    }

    /// Lets time pass, waking the registry when it asked for that.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(wake) = self.registry.poll_timeout()
            && wake <= end
        {
            assert!(wake >= self.now, "a timeout in the past");
            self.now = wake;
            self.registry.handle_timeout(wake);
            self.deliver();
            assert!(
                self.registry.poll_timeout().is_none_or(|next| next > wake),
                "a timeout that does nothing"
            );
        }
        self.now = end;
    }

    fn client(&self, socket: SocketId) -> &Client {
        &self.clients[&socket]
    }

    fn view(&self, socket: SocketId) -> &View {
        self.client(socket).seat.as_ref().expect("a seat")
    }

    fn presence(&self, seen_by: SocketId, id: &MemberId) -> Option<Presence> {
        self.view(seen_by).others.get(id).map(|member| member.presence)
    }

    /// The connected sockets with a seat.
    fn seated(&self) -> impl Iterator<Item = (SocketId, &View)> {
        self.clients
            .iter()
            .filter(|(_, client)| client.is_open())
            .filter_map(|(socket, client)| Some((*socket, client.seat.as_ref()?)))
    }

    fn deliver(&mut self) {
        while let Some(output) = self.registry.poll_output() {
            match output {
                Output::Send(socket, message) => {
                    let client = self.clients.get_mut(&socket).unwrap();
                    assert!(client.is_open(), "{message:?} to a socket that is closed");
                    client.hear(message);
                }
                Output::Close(socket, closing) => {
                    let client = self.clients.get_mut(&socket).unwrap();
                    assert_eq!(client.closing, None, "closed twice");
                    client.closing = Some(closing);
                }
                Output::RevokeRelay(member) => self.revoked.push(member),
            }
        }
    }
}

impl Client {
    fn is_open(&self) -> bool {
        self.closing.is_none() && !self.dropped
    }

    fn hear(&mut self, message: ServerMessage) {
        match (message, &mut self.seat) {
            (
                ServerMessage::Joined {
                    you,
                    arrival,
                    room,
                    members,
                    resume,
                    hosts,
                    locked,
                    admission_sha256: digest,
                    ..
                },
                seat @ None,
            ) => {
                let others = members.into_iter().map(|member| (member.id.clone(), member)).collect();
                let instance = InstanceId::new("set-by-join").unwrap();
                let (is_locked, knocks) = (locked, Vec::new());
                *seat = Some(View {
                    room,
                    me: you,
                    instance,
                    arrival,
                    resume,
                    others,
                    hosts,
                    is_locked,
                    knocks,
                    digest,
                });
            }
            (ServerMessage::PeerJoined { member }, Some(view)) => {
                assert_ne!(member.id, view.me, "told about itself");
                view.others.insert(member.id.clone(), member);
            }
            (ServerMessage::PeerAway { id }, Some(view)) => {
                let member = view.others.get_mut(&id).expect("only a known member goes away");
                assert_eq!(member.presence, Presence::Present, "away twice");
                member.presence = Presence::Away;
            }
            (ServerMessage::RoomState { hosts, locked, resume, admission_sha256 }, Some(view)) => {
                view.digest = admission_sha256;
                view.hosts = hosts;
                view.is_locked = locked;
                view.resume = resume;
            }
            (ServerMessage::Knock { visitor }, Some(view)) => {
                assert!(view.hosts.contains(&view.me), "only hosts hear knocks");
                match view.knocks.iter_mut().find(|known| known.id == visitor.id) {
                    // Once more, with its picture.
                    Some(known) => {
                        assert!(known.picture.is_none() && visitor.picture.is_some(), "a knock twice");
                        *known = visitor;
                    }
                    None => view.knocks.push(visitor),
                }
            }
            (ServerMessage::KnockEnded { id }, Some(view)) => {
                let before = view.knocks.len();
                view.knocks.retain(|visitor| visitor.id != id);
                assert_eq!(view.knocks.len() + 1, before, "only a known knock ends");
            }
            (ServerMessage::PeerLeft { id } | ServerMessage::PeerRemoved { id }, Some(view)) => {
                assert!(view.others.remove(&id).is_some(), "only a known member leaves");
            }
            (message, _) => self.heard.push(message),
        }
    }
}

fn registry(settings: &RoomSettings, seed: u64) -> Registry {
    let key = ResumeKey::new(&[7; ResumeKey::BYTES]);
    Registry::new(settings.clone(), key, StdRng::seed_from_u64(seed))
}

/// The tag of a secret.
fn tag(secret: u8) -> AdmissionTag {
    AdmissionTag::new(format!("{secret:043}")).unwrap()
}

/// A name that is encrypted with a secret.
fn sealed(secret: u8, name: &str) -> SealedName {
    SealedName::new(format!("{secret}-{name}")).unwrap()
}

fn any_signal() -> Signal {
    let candidate =
        SignalCandidate { candidate: String::new(), sdp_mid: None, sdp_m_line_index: None, ufrag: None };
    Signal {
        connection: ConnectionId::new("c").unwrap(),
        generation: Generation(0),
        payload: SignalPayload::Candidate(candidate),
    }
}
