//! Joining a room: who is admitted, to which place, with which rights.
//!
//! A token that was signed before a restart restores the rules of its room: the lock, and that its holder is host. Of two tokens
//! the one of the later version counts. In a locked room a token without a place admits only if it is of the present version, which
//! nobody has who left or was removed.

use std::time::Duration;

use rand::RngExt;
use sightline_protocol::{Arrival, ErrorCode, MemberId, RefusalReason, id::base32, signaling::ServerMessage};

use super::{
    closing::Closing,
    newcomer::Newcomer,
    place::{ClientKind, Occupancy, Place},
    registry::{Output, Registry, Seat},
    resume::ResumeClaims,
    room::Room,
    room_key::RoomKey,
    socket_id::SocketId,
    version::{RoomRules, RoomVersion},
};
use crate::time::UnixTime;

/// How long after the first message since a restart a token restores the rules of its room. Clients return within seconds.
const RESTORE_WINDOW: Duration = Duration::from_secs(120);

impl Registry {
    pub(super) fn join(&mut self, socket: SocketId, key: RoomKey, newcomer: Newcomer, now: UnixTime) {
        let claims = newcomer.resume.as_deref().and_then(|token| self.key.verify(token, now));
        let (key, claims) = self.find_room(key, claims, newcomer.rekeys);
        if self.replaced.contains(&key) {
            return self.refuse_old_link(socket, &newcomer);
        }
        let restored = claims.as_ref().and_then(|claims| self.forgotten_rules(claims, now));
        let is_restored = restored.is_some_and(|rules| self.restore(&key, rules, now));
        let room = self.rooms.get(&key);
        // A removed member is a newcomer, with another id.
        let claims = claims.filter(|claims| !room.is_some_and(|room| room.was_removed(&claims.id)));
        let held = claims.as_ref().zip(room).is_some_and(|(claims, room)| room.place(&claims.id).is_some());
        let is_of_now = claims
            .as_ref()
            .zip(room)
            .is_some_and(|(claims, room)| claims.rules.version == room.rules.version);
        let is_locked = room.is_some_and(|room| room.rules.locked);
        let seat = match claims {
            Some(claims) if held => Some(self.take_back(socket, key.clone(), claims.id, newcomer, now)),
            _ if is_locked && !is_of_now => return self.knock(socket, key, newcomer, now),
            claims => self.take_new(socket, key.clone(), claims, restored, newcomer, now),
        };
        match seat {
            Some(seat) => self.settle_entry(socket, seat, is_restored, now),
            None if is_restored => self.publish_state(&key, None, now),
            None => {}
        }
    }

    /// Seats a socket whose place was just made or taken back, and tells everybody.
    pub(super) fn settle_entry(&mut self, socket: SocketId, seat: Seat, is_changed: bool, now: UnixTime) {
        self.seats.insert(socket, seat.clone());
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        let appointed = room.appoint_host();
        if appointed.is_some() {
            room.begin_version();
        }
        let is_host = room.place(&seat.id).is_some_and(|place| place.is_host);
        self.announce(socket, &seat, now);
        if is_changed || appointed.is_some() || is_host {
            self.publish_state(&seat.room, Some(&seat.id), now);
        }
        self.show_knocks(&seat.room, appointed.as_ref().filter(|id| **id != seat.id));
        self.show_knocks(&seat.room, Some(&seat.id).filter(|_| is_host));
    }

    /// The rules in a token that was signed before this server started, for a while after the start.
    fn forgotten_rules(&self, claims: &ResumeClaims, now: UnixTime) -> Option<RoomRules> {
        let started_at = self.started_at?;
        let life = claims.rules.version.life;
        let is_from_before = life != Arrival::default() && life < Arrival(started_at.as_ms());
        (is_from_before && now < started_at + RESTORE_WINDOW).then_some(claims.rules)
    }

    /// Gives a room that exists already the rules of a token, if they are later, or if the room was made since the restart by
    /// somebody who knew nothing of them. Returns whether it did.
    fn restore(&mut self, key: &RoomKey, rules: RoomRules, now: UnixTime) -> bool {
        let started = Arrival(self.started_at.unwrap_or_default().as_ms());
        let Some(room) = self.rooms.get_mut(key) else { return false };
        let is_made_since = room.rules.version.life >= started;
        if !is_made_since && room.rules.version >= rules.version {
            return false;
        }
        // While those who heard of them are still hosts.
        self.end_knocks(key, RefusalReason::Locked);
        let Some(room) = self.rooms.get_mut(key) else { return false };
        room.rules = rules;
        room.forget_removed();
        room.places_mut().iter_mut().for_each(|place| place.is_host = false);
        if rules.locked {
            // They knock like everybody who is not known to have been in the room.
            for place in room.take_places() {
                self.dismiss(key, place, &Closing::Refused(RefusalReason::Locked));
            }
        }
        self.await_hosts(key, now);
        true
    }

    /// Returns the place of a token to the socket that presented it.
    fn take_back(
        &mut self,
        socket: SocketId,
        room: RoomKey,
        id: MemberId,
        newcomer: Newcomer,
        now: UnixTime,
    ) -> Seat {
        let fresh_arrival = self.next_arrival(now);
        let seat = Seat { room, id };
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
            place.client = newcomer.client;
            place.knows_rekey = newcomer.rekeys;
            place.occupancy = Occupancy::Present(socket);
        }
        seat
    }

    /// Gives a free place, with the id of the token if there is one. `restored` are the rules for a room that has to be made.
    fn take_new(
        &mut self,
        socket: SocketId,
        key: RoomKey,
        claims: Option<ResumeClaims>,
        restored: Option<RoomRules>,
        newcomer: Newcomer,
        now: UnixTime,
    ) -> Option<Seat> {
        let room_limit = self.settings.room_limit;
        match self.rooms.get(&key) {
            None if !self.may_open(claims.as_ref(), restored, &newcomer, now) => {
                self.refuse_to_open(socket, newcomer.client, now);
                return None;
            }
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
        let claimed = claims.as_ref().map(|claims| (claims.rules.version, claims.is_host));
        let (id, arrival) = match claims {
            Some(claims) => {
                // The token may be from before a restart, and the clock may have been set back since.
                self.last_arrival = self.last_arrival.max(claims.arrival);
                let is_taken = self.rooms.get(&key).is_some_and(|room| room.has_arrival(claims.arrival));
                let is_reconnect = claims.instance == newcomer.instance && !is_taken;
                (claims.id, if is_reconnect { claims.arrival } else { self.next_arrival(now) })
            }
            None => (self.free_id(&key), self.next_arrival(now)),
        };
        if !self.rooms.contains_key(&key) {
            let life = RoomVersion { life: self.next_arrival(now), epoch: 0 };
            let rules = restored.unwrap_or(RoomRules { version: life, locked: false });
            self.rooms.insert(key.clone(), Room::new(rules, now));
            if restored.is_some() {
                self.await_hosts(&key, now);
            }
        }
        let room = self.rooms.get_mut(&key)?;
        let is_host = claimed == Some((room.rules.version, true));
        room.add(Place {
            id: id.clone(),
            name: newcomer.name,
            sealed_name: newcomer.sealed_name,
            instance: newcomer.instance,
            arrival,
            occupancy: Occupancy::Present(socket),
            client: newcomer.client,
            is_host,
            knows_rekey: newcomer.rekeys,
            rekeys: Place::new_rekeys(now),
        });
        if is_host && let Some(until) = room.hosts_awaited_until.take() {
            self.awaited.remove(&(until, key.clone()));
        }
        Some(Seat { room: key, id })
    }

    /// Whether a newcomer may open a room. A host may open the room again, and after a restart of the server everybody who was in it.
    fn may_open(
        &self,
        claims: Option<&ResumeClaims>,
        restored: Option<RoomRules>,
        newcomer: &Newcomer,
        now: UnixTime,
    ) -> bool {
        let Some(key) = &self.settings.create_key else { return true };
        let was_inside = restored.is_some() || claims.is_some_and(|claims| claims.is_host);
        was_inside || newcomer.create_token.as_deref().is_some_and(|token| key.admits(token, now))
    }

    fn refuse_to_open(&mut self, socket: SocketId, client: ClientKind, now: UnixTime) {
        if client == ClientKind::Earlier {
            // It does not know `refused`.
            return self.handle_failure(socket, ErrorCode::ServerFull, "the room is not open", now);
        }
        self.outputs.push_back(Output::Close(socket, Closing::Refused(RefusalReason::NotOpen)));
    }

    /// Lets the hosts of a restored room come back before another member becomes host.
    fn await_hosts(&mut self, key: &RoomKey, now: UnixTime) {
        let until = now + self.settings.away_hold;
        if let Some(room) = self.rooms.get_mut(key).filter(|room| room.hosts_awaited_until.is_none()) {
            room.hosts_awaited_until = Some(until);
            self.awaited.insert((until, key.clone()));
        }
    }

    /// Tells the socket about its room, and the other members about the socket's member.
    fn announce(&mut self, socket: SocketId, seat: &Seat, now: UnixTime) {
        let Some(room) = self.rooms.get(&seat.room) else { return };
        let Some(place) = room.place(&seat.id) else { return };
        let member = place.member();
        let is_earlier = place.client == ClientKind::Earlier;
        let joined = ServerMessage::Joined {
            you: seat.id.clone(),
            arrival: member.arrival,
            room: seat.room.name.clone(),
            members: room.others(&seat.id),
            resume: self.token(&seat.room, room, place, now),
            ice_servers: self.ice_servers(),
            ice_servers_life_s: None,
            room_limit: self.settings.room_limit,
            hosts: if is_earlier { Vec::new() } else { room.hosts() },
            locked: !is_earlier && room.rules.locked,
            admission_sha256: seat.room.digest(),
        };
        self.send(socket, joined);
        self.tell_others(seat, &ServerMessage::PeerJoined { member });
    }

    pub(super) fn token(&self, key: &RoomKey, room: &Room, place: &Place, now: UnixTime) -> String {
        self.key.sign(&ResumeClaims {
            room: key.clone(),
            id: place.id.clone(),
            instance: place.instance.clone(),
            arrival: place.arrival,
            expires_s: (now + self.settings.token_life).as_s(),
            rules: room.rules,
            is_host: place.is_host,
        })
    }

    pub(super) fn free_id(&mut self, key: &RoomKey) -> MemberId {
        loop {
            let bits = self.random.random::<u128>();
            // 10 of the 26 digits: 50 bits are enough within a room and can be read in a log.
            let id = MemberId::new(&base32(bits)[16..]).unwrap_or_else(|_| MemberId::from_random(bits));
            let is_taken = |room: &Room| room.place(&id).is_some() || room.knocks.has(&id);
            if !self.rooms.get(key).is_some_and(is_taken) {
                return id;
            }
        }
    }

    /// Greater than every other arrival, also than those before a restart, since the clock advanced meanwhile.
    pub(super) fn next_arrival(&mut self, now: UnixTime) -> Arrival {
        self.last_arrival = Arrival(now.as_ms().max(self.last_arrival.0.saturating_add(1)));
        self.last_arrival
    }
}
