//! The state machine of all rooms: who joins, leaves, is away or returns, and who is told.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use sightline_protocol::{
    Arrival, DisplayName, ErrorCode, InstanceId, MemberId, PROTOCOL_VERSION, SealedName,
    id::base32,
    limits::{AWAY_HOLD_MS, DEFAULT_ROOM_MEMBERS},
    signaling::{ClientMessage, IceServer, ServerMessage, Signal},
};

use super::{
    closing::Closing,
    place::{Occupancy, Place},
    resume::{ResumeClaims, ResumeKey},
    room::Room,
    room_key::RoomKey,
    socket_id::SocketId,
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
}

impl Default for RoomSettings {
    fn default() -> Self {
        Self {
            room_limit: DEFAULT_ROOM_MEMBERS,
            max_rooms: 10_000,
            away_hold: Duration::from_millis(AWAY_HOLD_MS),
            token_life: Duration::from_secs(24 * 60 * 60),
            ice_servers: Vec::new(),
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
}

/// All rooms of the server.
#[derive(Debug)]
pub struct Registry {
    settings: RoomSettings,
    key: ResumeKey,
    random: StdRng,
    pub(super) rooms: HashMap<RoomKey, Room>,
    seats: HashMap<SocketId, Seat>,
    /// The held places, by the time at which each is given up.
    holds: BTreeSet<(UnixTime, RoomKey, MemberId)>,
    last_arrival: Arrival,
    /// Emptied by the caller after each input, so bounded by what one input causes.
    outputs: VecDeque<Output>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seat {
    room: RoomKey,
    id: MemberId,
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
            seats: HashMap::new(),
            holds: BTreeSet::new(),
            last_arrival: Arrival::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Handles a message of a socket.
    pub fn handle_message(&mut self, socket: SocketId, message: ClientMessage, now: UnixTime) {
        let seat = self.seats.get(&socket).cloned();
        match (message, seat) {
            (ClientMessage::Join { protocol, .. }, None) if protocol != PROTOCOL_VERSION => self
                .handle_failure(
                    socket,
                    ErrorCode::ProtocolVersion,
                    &format!("this server speaks version {PROTOCOL_VERSION} of the protocol"),
                    now,
                ),
            (ClientMessage::Join { room, admission, name, sealed_name, instance, resume, .. }, None) => {
                let room = RoomKey::new(room, admission.as_ref());
                self.join(socket, room, Newcomer { name, sealed_name, instance, resume }, now);
            }
            (ClientMessage::Join { .. }, Some(_)) => {
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
            (_, None) => {
                self.handle_failure(socket, ErrorCode::ProtocolError, FIRST_IS_JOIN, now);
            }
            (ClientMessage::Signal { to, signal }, Some(seat)) => self.relay(socket, &seat, &to, signal),
            (ClientMessage::Leave, Some(seat)) => {
                self.seats.remove(&socket);
                self.give_up(&seat);
                self.outputs.push_back(Output::Close(socket, Closing::Left));
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
        let Some(seat) = self.seats.remove(&socket) else { return };
        let until = now + self.settings.away_hold;
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        let Some(place) = room.place_mut(&seat.id) else { return };
        place.occupancy = Occupancy::Away { until };
        self.holds.insert((until, seat.room.clone(), seat.id.clone()));
        self.tell_others(&seat, &ServerMessage::PeerAway { id: seat.id.clone() });
    }

    /// Gives up the places whose holding time is over.
    pub fn handle_timeout(&mut self, now: UnixTime) {
        while let Some((until, ..)) = self.holds.first()
            && *until <= now
            && let Some((_, room, id)) = self.holds.pop_first()
        {
            self.give_up(&Seat { room, id });
        }
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<UnixTime> {
        self.holds.first().map(|(until, ..)| *until)
    }

    /// The next output, to be polled after every input until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether a socket has a place in a room.
    #[must_use]
    pub fn is_member(&self, socket: SocketId) -> bool {
        self.seats.contains_key(&socket)
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

    fn join(&mut self, socket: SocketId, room: RoomKey, newcomer: Newcomer, now: UnixTime) {
        let claims = newcomer
            .resume
            .as_deref()
            .and_then(|token| self.key.verify(token, now))
            .filter(|claims| claims.room == room);
        let held = claims.as_ref().is_some_and(|claims| {
            self.rooms.get(&room).is_some_and(|held_in| held_in.place(&claims.id).is_some())
        });
        let seated = match claims {
            Some(claims) if held => Some(self.take_back(socket, claims, newcomer, now)),
            claims => self.take_new(socket, room, claims, newcomer, now),
        };
        if let Some(seat) = seated {
            self.seats.insert(socket, seat.clone());
            self.announce(socket, &seat, now);
        }
    }

    /// Returns the place of a token to the socket that presented it.
    fn take_back(
        &mut self,
        socket: SocketId,
        claims: ResumeClaims,
        newcomer: Newcomer,
        now: UnixTime,
    ) -> Seat {
        let fresh_arrival = self.next_arrival(now);
        let seat = Seat { room: claims.room, id: claims.id };
        if let Some(place) = self.rooms.get_mut(&seat.room).and_then(|room| room.place_mut(&seat.id)) {
            match place.occupancy {
                Occupancy::Present(older) => {
                    self.seats.remove(&older);
                    self.outputs.push_back(Output::Close(older, Closing::Replaced));
                }
                Occupancy::Away { until } => {
                    self.holds.remove(&(until, seat.room.clone(), seat.id.clone()));
                }
            }
            // The same page instance has only reconnected. Another instance has lost its peer connections and is a newcomer.
            if place.instance != newcomer.instance {
                place.arrival = fresh_arrival;
            }
            place.instance = newcomer.instance;
            place.name = newcomer.name;
            place.sealed_name = newcomer.sealed_name;
            place.occupancy = Occupancy::Present(socket);
        }
        seat
    }

    /// Gives a free place, with the id of the token if there is one.
    fn take_new(
        &mut self,
        socket: SocketId,
        room: RoomKey,
        claims: Option<ResumeClaims>,
        newcomer: Newcomer,
        now: UnixTime,
    ) -> Option<Seat> {
        let room_limit = self.settings.room_limit;
        match self.rooms.get(&room) {
            None if self.rooms.len() >= self.settings.max_rooms => {
                self.handle_failure(socket, ErrorCode::ServerFull, "the server has no room left", now);
                return None;
            }
            Some(taken) if taken.len() >= room_limit => {
                self.outputs.push_back(Output::Close(socket, Closing::Full { room_limit }));
                return None;
            }
            _ => {}
        }
        let (id, arrival) = match claims {
            Some(claims) => {
                // The token may be from before a restart, and the clock may have been set back since.
                self.last_arrival = self.last_arrival.max(claims.arrival);
                let is_taken = self.rooms.get(&room).is_some_and(|room| room.has_arrival(claims.arrival));
                let is_reconnect = claims.instance == newcomer.instance && !is_taken;
                (claims.id, if is_reconnect { claims.arrival } else { self.next_arrival(now) })
            }
            None => (self.free_id(&room), self.next_arrival(now)),
        };
        self.rooms.entry(room.clone()).or_default().add(Place {
            id: id.clone(),
            name: newcomer.name,
            sealed_name: newcomer.sealed_name,
            instance: newcomer.instance,
            arrival,
            occupancy: Occupancy::Present(socket),
        });
        Some(Seat { room, id })
    }

    /// Tells the socket about its room, and the other members about the socket's member.
    fn announce(&mut self, socket: SocketId, seat: &Seat, now: UnixTime) {
        let Some(room) = self.rooms.get(&seat.room) else { return };
        let Some(place) = room.place(&seat.id) else { return };
        let member = place.member();
        let resume = self.key.sign(&ResumeClaims {
            room: seat.room.clone(),
            id: seat.id.clone(),
            instance: member.instance.clone(),
            arrival: member.arrival,
            expires_s: (now + self.settings.token_life).as_s(),
        });
        let joined = ServerMessage::Joined {
            you: seat.id.clone(),
            arrival: member.arrival,
            room: seat.room.name.clone(),
            members: room.others(&seat.id),
            resume,
            ice_servers: self.ice_servers(),
            ice_servers_life_s: None,
            room_limit: self.settings.room_limit,
        };
        self.send(socket, joined);
        self.tell_others(seat, &ServerMessage::PeerJoined { member });
    }

    fn ice_servers(&self) -> Vec<IceServer> {
        self.settings.ice_servers.clone()
    }

    fn relay(&mut self, socket: SocketId, from: &Seat, to: &MemberId, signal: Signal) {
        match self.addressee(from, to) {
            Some(addressee) => {
                self.send(addressee, ServerMessage::Signal { from: from.id.clone(), signal });
            }
            None => self.send_unreachable(socket, to),
        }
    }

    fn addressee(&self, from: &Seat, to: &MemberId) -> Option<SocketId> {
        let place = self.rooms.get(&from.room)?.place(to).filter(|place| place.id != from.id)?;
        place.socket()
    }

    fn send_unreachable(&mut self, socket: SocketId, to: &MemberId) {
        let message = format!("{to} is not in the room or is away");
        self.send(socket, ServerMessage::Error { code: ErrorCode::PeerUnreachable, message });
    }

    fn give_up(&mut self, seat: &Seat) {
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        room.remove(&seat.id);
        if room.is_empty() {
            self.rooms.remove(&seat.room);
        }
        self.tell_others(seat, &ServerMessage::PeerLeft { id: seat.id.clone() });
    }

    fn tell_others(&mut self, seat: &Seat, message: &ServerMessage) {
        let Some(room) = self.rooms.get(&seat.room) else { return };
        self.outputs.extend(room.other_sockets(&seat.id).map(|socket| Output::Send(socket, message.clone())));
    }

    fn send(&mut self, socket: SocketId, message: ServerMessage) {
        self.outputs.push_back(Output::Send(socket, message));
    }

    fn free_id(&mut self, room: &RoomKey) -> MemberId {
        loop {
            let bits = self.random.random::<u128>();
            // 10 of the 26 digits: 50 bits are enough within a room and can be read in a log.
            let id = MemberId::new(&base32(bits)[16..]).unwrap_or_else(|_| MemberId::from_random(bits));
            if self.rooms.get(room).is_none_or(|room| room.place(&id).is_none()) {
                return id;
            }
        }
    }

    /// Greater than every other arrival, also than those before a restart, since the clock advanced meanwhile.
    fn next_arrival(&mut self, now: UnixTime) -> Arrival {
        self.last_arrival = Arrival(now.as_ms().max(self.last_arrival.0.saturating_add(1)));
        self.last_arrival
    }
}

struct Newcomer {
    name: DisplayName,
    sealed_name: Option<SealedName>,
    instance: InstanceId,
    resume: Option<String>,
}
