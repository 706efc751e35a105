//! The state machine of all rooms: who joins, leaves, is away or returns, and who is told.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    net::IpAddr,
    time::Duration,
};

use rand::rngs::StdRng;
use sightline_protocol::{
    Arrival, ErrorCode, MemberId, PROTOCOL_VERSION, RefusalReason,
    limits::{AWAY_HOLD_MS, DEFAULT_ROOM_MEMBERS},
    signaling::{ClientMessage, IceServer, ServerMessage, Signal},
};

use super::{
    closing::Closing,
    create_token::CreateKey,
    host_action::HostAction,
    newcomer::Newcomer,
    place::{ClientKind, Occupancy},
    resume::ResumeKey,
    room::Room,
    room_key::RoomKey,
    socket_id::{SocketId, SocketMap, SocketSet},
};
use crate::time::UnixTime;

const FIRST_IS_JOIN: &str = "the first message is join";

/// Settings of every room.
#[derive(Debug, Clone)]
pub struct RoomSettings {
    /// Members in one room, away ones included.
    pub room_limit: usize,
    /// Rooms at the same time.
    pub max_rooms: usize,
    /// How long the place of a member whose socket closed is held.
    pub away_hold: Duration,
    /// How long a resume token is valid.
    pub token_life: Duration,
    /// STUN servers without credentials for every member.
    pub ice_servers: Vec<IceServer>,
    /// Where only holders of a token may open a room: the key that signs the tokens.
    pub create_key: Option<CreateKey>,
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            room_limit: DEFAULT_ROOM_MEMBERS,
            max_rooms: 10_000,
            away_hold: Duration::from_millis(AWAY_HOLD_MS),
            token_life: Duration::from_secs(24 * 60 * 60),
            ice_servers: Vec::new(),
            create_key: None,
        }
    }
}

/// What the caller has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send a message to a socket.
    Send(SocketId, ServerMessage),
    /// Send the last message of the [`Closing`], then close the socket. Whatever the socket still says is to be ignored.
    Close(SocketId, Closing),
    /// Refuse the relay to this member, which was removed.
    RevokeRelay(MemberId),
}

/// All rooms of the server.
#[derive(Debug)]
pub struct Registry {
    pub(super) settings: RoomSettings,
    pub(super) key: ResumeKey,
    pub(super) random: StdRng,
    pub(super) rooms: HashMap<RoomKey, Room>,
    /// The tags of replaced secrets, which admit to nothing while their room exists.
    pub(super) replaced: HashSet<RoomKey>,
    pub(super) seats: SocketMap<Seat>,
    /// The sockets that wait at a locked room, and for how long.
    pub(super) visitors: SocketMap<(RoomKey, UnixTime)>,
    /// The visitors that show a picture.
    pub(super) pictured: SocketSet,
    /// The held places, by the time at which each is given up.
    pub(super) holds: BTreeSet<(UnixTime, RoomKey, MemberId)>,
    /// The visitors, by the time at which each has waited for too long.
    pub(super) knocks: BTreeSet<(UnixTime, SocketId)>,
    /// The restored rooms without a host, by the time at which another member becomes host.
    pub(super) awaited: BTreeSet<(UnixTime, RoomKey)>,
    /// The time of the first message.
    pub(super) started_at: Option<UnixTime>,
    pub(super) last_arrival: Arrival,
    /// Emptied by the caller after each input, so bounded by what one input causes.
    pub(super) outputs: VecDeque<Output>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) room: RoomKey,
    pub(super) id: MemberId,
}

impl Registry {
    /// A registry without rooms. `random` makes the member ids.
    #[must_use]
    pub fn new(settings: RoomSettings, key: ResumeKey, random: StdRng) -> Self {
        Self {
            settings,
            key,
            random,
            rooms: HashMap::new(),
            replaced: HashSet::new(),
            seats: SocketMap::default(),
            visitors: SocketMap::default(),
            pictured: SocketSet::default(),
            holds: BTreeSet::new(),
            knocks: BTreeSet::new(),
            awaited: BTreeSet::new(),
            started_at: None,
            last_arrival: Arrival::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Handles a message of a socket. `address` is that of the client, as far as addresses are told apart.
    pub fn handle_message(
        &mut self,
        socket: SocketId,
        address: IpAddr,
        message: ClientMessage,
        now: UnixTime,
    ) {
        self.started_at.get_or_insert(now);
        // First, because nearly every message is a signal.
        let message = match message {
            ClientMessage::Signal { to, signal } if self.seats.contains_key(&socket) => {
                return self.relay(socket, &to, signal);
            }
            message => message,
        };
        let seat = self.seats.get(&socket).cloned();
        let is_visitor = self.visitors.contains_key(&socket);
        match (message, seat) {
            (ClientMessage::Join { protocol, .. }, None) if protocol != PROTOCOL_VERSION => self
                .handle_failure(
                    socket,
                    ErrorCode::ProtocolVersion,
                    &format!("this server speaks version {PROTOCOL_VERSION} of the protocol"),
                    now,
                ),
            (
                ClientMessage::Join {
                    room,
                    admission,
                    name,
                    sealed_name,
                    instance,
                    resume,
                    attended,
                    create_token,
                    rekeys,
                    ..
                },
                None,
            ) if !is_visitor => {
                let room = RoomKey::new(room, admission.as_ref());
                let client = ClientKind::of(attended);
                self.join(
                    socket,
                    room,
                    Newcomer { name, sealed_name, instance, resume, client, address, create_token, rekeys },
                    now,
                );
            }
            (ClientMessage::Join { .. }, _) => {
                self.handle_failure(socket, ErrorCode::ProtocolError, "a second join", now);
            }
            (ClientMessage::IceServers, _) => {
                let ice_servers = self.ice_servers();
                self.send(
                    socket,
                    ServerMessage::IceServers {
                        ice_servers,
                        ice_servers_life_s: None,
                        alternate_stun_urls: Vec::new(),
                    },
                );
            }
            (ClientMessage::Ping { nonce }, None) if is_visitor => {
                self.send(socket, ServerMessage::Pong { nonce });
            }
            (ClientMessage::KnockPicture { picture }, None) if is_visitor => {
                self.show_picture(socket, picture);
            }
            // Let in meanwhile.
            (ClientMessage::KnockPicture { .. }, Some(_)) => {}
            (ClientMessage::Leave, None) if is_visitor => {
                self.withdraw_knock(socket);
                self.outputs.push_back(Output::Close(socket, Closing::Left));
            }
            (_, None) => {
                self.handle_failure(socket, ErrorCode::ProtocolError, FIRST_IS_JOIN, now);
            }
            (ClientMessage::Signal { to, signal }, Some(_)) => self.relay(socket, &to, signal),
            (ClientMessage::Leave, Some(seat)) => {
                self.seats.remove(&socket);
                self.give_up(&seat, now);
                self.outputs.push_back(Output::Close(socket, Closing::Left));
            }
            (ClientMessage::Lock { locked }, Some(seat)) => {
                self.act_as_host(socket, &seat, HostAction::Lock(locked), now);
            }
            (ClientMessage::AnswerKnock { id, admit }, Some(seat)) => {
                self.act_as_host(socket, &seat, HostAction::Answer(id, admit), now);
            }
            (ClientMessage::Remove { id }, Some(seat)) => {
                self.act_as_host(socket, &seat, HostAction::Remove(id), now);
            }
            (ClientMessage::MakeHost { id }, Some(seat)) => {
                self.act_as_host(socket, &seat, HostAction::MakeHost(id), now);
            }
            (ClientMessage::End, Some(seat)) => self.act_as_host(socket, &seat, HostAction::End, now),
            (ClientMessage::Rekey { admission, sealed_name }, Some(seat)) => {
                self.rekey(socket, &seat, &admission, sealed_name, now);
            }
            (ClientMessage::Ping { nonce }, Some(_)) => self.send(socket, ServerMessage::Pong { nonce }),
        }
    }

    /// Closes a socket for an error of its client. Its member is away from then on.
    pub fn handle_failure(&mut self, socket: SocketId, code: ErrorCode, message: &str, now: UnixTime) {
        self.outputs.push_back(Output::Close(socket, Closing::failed(code, message)));
        self.handle_socket_closed(socket, now);
    }

    /// Handles the end of a socket. Unless it said `leave`, its member is away.
    pub fn handle_socket_closed(&mut self, socket: SocketId, now: UnixTime) {
        self.withdraw_knock(socket);
        let Some(seat) = self.seats.remove(&socket) else { return };
        let until = now + self.settings.away_hold;
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        let Some(place) = room.place_mut(&seat.id) else { return };
        place.occupancy = Occupancy::Away { until };
        self.holds.insert((until, seat.room.clone(), seat.id.clone()));
        self.tell_others(&seat, &ServerMessage::PeerAway { id: seat.id.clone() });
    }

    /// Gives up the places whose holding time is over, and the like.
    pub fn handle_timeout(&mut self, now: UnixTime) {
        while let Some((until, ..)) = self.holds.first()
            && *until <= now
            && let Some((_, room, id)) = self.holds.pop_first()
        {
            self.give_up(&Seat { room, id }, now);
        }
        while let Some((until, socket)) = self.knocks.first().copied()
            && until <= now
        {
            self.withdraw_knock(socket);
            self.outputs.push_back(Output::Close(socket, Closing::Refused(RefusalReason::NoAnswer)));
        }
        while let Some((until, _)) = self.awaited.first()
            && *until <= now
            && let Some((_, key)) = self.awaited.pop_first()
        {
            self.stop_awaiting_hosts(&key, now);
        }
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixTime> {
        let held = self.holds.first().map(|(until, ..)| *until);
        let knocked = self.knocks.first().map(|(until, _)| *until);
        let awaited = self.awaited.first().map(|(until, _)| *until);
        [held, knocked, awaited].into_iter().flatten().min()
    }

    /// The next output, to be polled after every input until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether a socket has joined: it has a place in a room, or waits at a locked one.
    #[must_use]
    pub fn has_joined(&self, socket: SocketId) -> bool {
        self.seats.contains_key(&socket) || self.visitors.contains_key(&socket)
    }

    /// How many rooms there are.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }

    /// The member of a socket.
    #[must_use]
    pub fn member_of(&self, socket: SocketId) -> Option<&MemberId> {
        self.seats.get(&socket).map(|seat| &seat.id)
    }

    /// How many members have an open socket.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn ice_servers(&self) -> Vec<IceServer> {
        self.settings.ice_servers.clone()
    }

    fn relay(&mut self, socket: SocketId, to: &MemberId, signal: Signal) {
        match self.addressee(socket, to) {
            Some((addressee, from)) => {
                let from = from.clone();
                self.send(addressee, ServerMessage::Signal { from, signal });
            }
            None => self.send_unreachable(socket, to),
        }
    }

    /// The socket of a member of the same room, and the id of the socket that sends.
    fn addressee(&self, socket: SocketId, to: &MemberId) -> Option<(SocketId, &MemberId)> {
        let from = self.seats.get(&socket)?;
        let place = self.rooms.get(&from.room)?.place(to).filter(|place| place.id != from.id)?;
        Some((place.socket()?, &from.id))
    }

    pub(super) fn send_unreachable(&mut self, socket: SocketId, to: &MemberId) {
        let message = format!("{to} is not in the room or is away");
        self.send(socket, ServerMessage::Error { code: ErrorCode::PeerUnreachable, message });
    }

    fn give_up(&mut self, seat: &Seat, now: UnixTime) {
        let Some(place) = self.rooms.get_mut(&seat.room).and_then(|room| room.remove(&seat.id)) else {
            return;
        };
        self.tell_others(seat, &ServerMessage::PeerLeft { id: seat.id.clone() });
        self.settle_departure(&seat.room, place.is_host, now);
    }

    /// Tells the other members something that clients of every version know.
    pub(super) fn tell_others(&mut self, seat: &Seat, message: &ServerMessage) {
        let Some(room) = self.rooms.get(&seat.room) else { return };
        let sockets = room.other_sockets(&seat.id);
        self.outputs.extend(sockets.map(|(socket, _)| Output::Send(socket, message.clone())));
    }

    pub(super) fn send(&mut self, socket: SocketId, message: ServerMessage) {
        self.outputs.push_back(Output::Send(socket, message));
    }
}
