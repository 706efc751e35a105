//! What hosts do: lock, let in, remove, make host, end; and who becomes host when the hosts are gone.
//!
//! Every action is checked here, against the place of the socket that asks for it. Nothing of it relies on the members' pages.

use sightline_protocol::{
    ErrorCode, MemberId, RefusalReason, Visitor, VisitorPicture, signaling::ServerMessage,
};

use super::{
    closing::Closing,
    host_action::HostAction,
    knocks::{KNOCK_WAIT, Knock},
    newcomer::Newcomer,
    place::{ClientKind, Occupancy, Place},
    registry::{Output, Registry, Seat},
    room_key::RoomKey,
    socket_id::SocketId,
};
use crate::time::UnixTime;

/// Most pictures of visitors that the server keeps, of all rooms together: 8 MiB.
pub(super) const MAX_PICTURES: usize = 512;

impl Registry {
    pub(super) fn act_as_host(&mut self, socket: SocketId, seat: &Seat, action: HostAction, now: UnixTime) {
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        if !room.place(&seat.id).is_some_and(|place| place.is_host) {
            let message = "only a host may do this".to_owned();
            return self.send(socket, ServerMessage::Error { code: ErrorCode::NotHost, message });
        }
        if !room.admit_action(now) {
            let message = "too many actions of the hosts of this room";
            return self.handle_failure(socket, ErrorCode::RateLimited, message, now);
        }
        match action {
            HostAction::Lock(locked) if room.rules.locked == locked => {}
            HostAction::Lock(locked) => {
                room.rules.locked = locked;
                self.begin_version(&seat.room, now);
                if !locked {
                    self.admit_all(&seat.room, now);
                }
            }
            HostAction::Answer(id, admit) => self.answer_knock(&seat.room, &id, admit, now),
            HostAction::Remove(id) if id != seat.id && room.place(&id).is_some() => {
                self.remove_member(&seat.room, &id, now);
            }
            HostAction::MakeHost(id)
                if room.place(&id).is_some_and(|place| place.client != ClientKind::Earlier) =>
            {
                self.make_host(&seat.room, &id, now);
            }
            HostAction::Remove(id) | HostAction::MakeHost(id) => self.send_unreachable(socket, &id),
            HostAction::End => self.end_room(&seat.room),
        }
    }

    fn make_host(&mut self, key: &RoomKey, id: &MemberId, now: UnixTime) {
        let place = self.rooms.get_mut(key).and_then(|room| room.place_mut(id));
        if let Some(place) = place.filter(|place| !place.is_host) {
            place.is_host = true;
            self.begin_version(key, now);
            self.show_knocks(key, Some(id));
        }
    }

    /// Removes a member and locks the room: without the lock it could come back as somebody whom nobody knows.
    fn remove_member(&mut self, key: &RoomKey, id: &MemberId, now: UnixTime) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        let Some(place) = room.remove(id) else { return };
        room.note_removed(id.clone());
        room.rules.locked = true;
        for (socket, client) in room.other_sockets(id) {
            let message = match client {
                ClientKind::Earlier => ServerMessage::PeerLeft { id: id.clone() },
                ClientKind::Unattended | ClientKind::Attended => {
                    ServerMessage::PeerRemoved { id: id.clone() }
                }
            };
            self.outputs.push_back(Output::Send(socket, message));
        }
        self.dismiss(key, place, &Closing::Removed);
        self.outputs.push_back(Output::RevokeRelay(id.clone()));
        self.begin_version(key, now);
    }

    fn end_room(&mut self, key: &RoomKey) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        for place in room.take_places() {
            self.dismiss(key, place, &Closing::Ended);
        }
        self.forget_room(key);
    }

    /// Ends the socket or the hold of a place that is no longer in its room. A client of an earlier version is told that the room
    /// is full, which it understands and does not try again.
    pub(super) fn dismiss(&mut self, key: &RoomKey, place: Place, closing: &Closing) {
        match place.occupancy {
            Occupancy::Present(socket) => {
                self.seats.remove(&socket);
                let closing = match place.client {
                    ClientKind::Earlier => Closing::Full { room_limit: self.settings.room_limit },
                    ClientKind::Unattended | ClientKind::Attended => closing.clone(),
                };
                self.outputs.push_back(Output::Close(socket, closing));
            }
            Occupancy::Away { until } => {
                self.holds.remove(&(until, key.clone(), place.id));
            }
        }
    }

    /// Handles the departure of a member for good: a room without members is forgotten, one without hosts gets another host.
    pub(super) fn settle_departure(&mut self, key: &RoomKey, was_host: bool, now: UnixTime) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        if room.is_empty() {
            return self.forget_room(key);
        }
        let appointed = room.appoint_host();
        if was_host || room.rules.locked || appointed.is_some() {
            self.begin_version(key, now);
            self.show_knocks(key, appointed.as_ref());
        }
    }

    /// The time is over in which the hosts of a restored room could come back.
    pub(super) fn stop_awaiting_hosts(&mut self, key: &RoomKey, now: UnixTime) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        room.hosts_awaited_until = None;
        if let Some(appointed) = room.appoint_host() {
            self.begin_version(key, now);
            self.show_knocks(key, Some(&appointed));
        }
    }

    fn forget_room(&mut self, key: &RoomKey) {
        self.end_knocks(key, RefusalReason::NoAnswer);
        let Some(room) = self.rooms.remove(key) else { return };
        for replaced in room.replaced() {
            self.replaced.remove(replaced);
        }
        if let Some(until) = room.hosts_awaited_until {
            self.awaited.remove(&(until, key.clone()));
        }
    }

    // Knocks.

    /// Lets a visitor wait at a locked room, if its client waits and there are not too many.
    pub(super) fn knock(&mut self, socket: SocketId, key: RoomKey, newcomer: Newcomer, now: UnixTime) {
        let room_limit = self.settings.room_limit;
        let id = self.free_id(&key);
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let refusal = match newcomer.client {
            _ if room.len() >= room_limit => Some(Closing::Full { room_limit }),
            ClientKind::Earlier => Some(Closing::Full { room_limit }),
            ClientKind::Unattended => Some(Closing::Refused(RefusalReason::Locked)),
            ClientKind::Attended if !room.knocks.admit(newcomer.address, now) => {
                Some(Closing::Refused(RefusalReason::TooMany))
            }
            ClientKind::Attended => None,
        };
        if let Some(closing) = refusal {
            self.outputs.push_back(Output::Close(socket, closing));
            return;
        }
        let Newcomer { name, sealed_name, instance, address, rekeys, .. } = newcomer;
        let visitor = Visitor { id, name, sealed_name, instance, picture: None };
        let until = now + KNOCK_WAIT;
        room.knocks.push(Knock { socket, visitor: visitor.clone(), address, rekeys });
        self.visitors.insert(socket, (key.clone(), until));
        self.knocks.insert((until, socket));
        self.send(socket, ServerMessage::Waiting { pictures: true });
        self.tell_hosts(&key, &ServerMessage::Knock { visitor });
    }

    /// Shows the hosts the picture of a visitor. A second picture has no effect, nor has one more than the server keeps: the hosts
    /// then see the name only.
    pub(super) fn show_picture(&mut self, socket: SocketId, picture: VisitorPicture) {
        let Some((key, _)) = self.visitors.get(&socket).cloned() else { return };
        if self.pictured.len() >= MAX_PICTURES {
            return;
        }
        let Some(room) = self.rooms.get_mut(&key) else { return };
        let Some(visitor) = room.knocks.add_picture(socket, picture).cloned() else { return };
        self.pictured.insert(socket);
        self.tell_hosts(&key, &ServerMessage::Knock { visitor });
    }

    fn answer_knock(&mut self, key: &RoomKey, id: &MemberId, admit: bool, now: UnixTime) {
        // Another host may have been faster, or the visitor gone.
        let Some(knock) = self.rooms.get_mut(key).and_then(|room| room.knocks.take(id)) else { return };
        self.forget_visitor(knock.socket);
        self.tell_hosts(key, &ServerMessage::KnockEnded { id: id.clone() });
        if admit {
            self.let_in(key, knock, now);
        } else {
            self.outputs.push_back(Output::Close(knock.socket, Closing::Refused(RefusalReason::Refused)));
        }
    }

    fn let_in(&mut self, key: &RoomKey, knock: Knock, now: UnixTime) {
        let (room_limit, arrival) = (self.settings.room_limit, self.next_arrival(now));
        let Some(room) = self.rooms.get_mut(key) else { return };
        if room.len() >= room_limit {
            self.outputs.push_back(Output::Close(knock.socket, Closing::Full { room_limit }));
            return;
        }
        let Visitor { id, name, sealed_name, instance, picture: _ } = knock.visitor;
        room.add(Place {
            id: id.clone(),
            name,
            sealed_name,
            instance,
            arrival,
            occupancy: Occupancy::Present(knock.socket),
            client: ClientKind::Attended,
            is_host: false,
            knows_rekey: knock.rekeys,
            rekeys: Place::new_rekeys(now),
        });
        self.settle_entry(knock.socket, Seat { room: key.clone(), id }, false, now);
    }

    /// The room is open again, so nobody has to wait.
    fn admit_all(&mut self, key: &RoomKey, now: UnixTime) {
        for knock in self.take_knocks(key) {
            self.let_in(key, knock, now);
        }
    }

    pub(super) fn end_knocks(&mut self, key: &RoomKey, reason: RefusalReason) {
        for knock in self.take_knocks(key) {
            self.outputs.push_back(Output::Close(knock.socket, Closing::Refused(reason)));
        }
    }

    fn take_knocks(&mut self, key: &RoomKey) -> Vec<Knock> {
        let knocks = self.rooms.get_mut(key).map(|room| room.knocks.take_all()).unwrap_or_default();
        for knock in &knocks {
            self.forget_visitor(knock.socket);
            self.tell_hosts(key, &ServerMessage::KnockEnded { id: knock.visitor.id.clone() });
        }
        knocks
    }

    /// Notes that a socket does not wait any longer.
    pub(super) fn withdraw_knock(&mut self, socket: SocketId) {
        let Some(key) = self.forget_visitor(socket) else { return };
        let knock = self.rooms.get_mut(&key).and_then(|room| room.knocks.take_of_socket(socket));
        if let Some(knock) = knock {
            self.tell_hosts(&key, &ServerMessage::KnockEnded { id: knock.visitor.id });
        }
    }

    fn forget_visitor(&mut self, socket: SocketId) -> Option<RoomKey> {
        let (key, until) = self.visitors.remove(&socket)?;
        self.knocks.remove(&(until, socket));
        self.pictured.remove(&socket);
        Some(key)
    }

    /// Tells a member that has just become host, or returned, who waits.
    pub(super) fn show_knocks(&mut self, key: &RoomKey, host: Option<&MemberId>) {
        let Some(room) = self.rooms.get(key) else { return };
        let place =
            host.and_then(|host| room.place(host)).filter(|place| place.client != ClientKind::Earlier);
        let Some(socket) = place.and_then(Place::socket) else { return };
        let visitors = room.knocks.visitors().cloned();
        let knocks = visitors.map(|visitor| Output::Send(socket, ServerMessage::Knock { visitor }));
        self.outputs.extend(knocks);
    }

    fn tell_hosts(&mut self, key: &RoomKey, message: &ServerMessage) {
        let Some(room) = self.rooms.get(key) else { return };
        let hosts = room.places().iter().filter(|place| place.is_host && place.client != ClientKind::Earlier);
        let sockets = hosts.filter_map(Place::socket);
        self.outputs.extend(sockets.map(|socket| Output::Send(socket, message.clone())));
    }

    // State.

    /// Begins a new version of the rules, and gives everybody who is present the state and a token of it.
    pub(super) fn begin_version(&mut self, key: &RoomKey, now: UnixTime) {
        if let Some(room) = self.rooms.get_mut(key) {
            room.begin_version();
        }
        self.publish_state(key, None, now);
    }

    /// Tells the hosts and the lock to everybody who is present, except to a member that has just heard them.
    pub(super) fn publish_state(&mut self, key: &RoomKey, except: Option<&MemberId>, now: UnixTime) {
        let Some(room) = self.rooms.get(key) else { return };
        let told = room.places().iter().filter(|place| place.client != ClientKind::Earlier);
        let told = told.filter(|place| Some(&place.id) != except);
        let states = told.filter_map(|place| {
            let (hosts, locked) = (room.hosts(), room.rules.locked);
            let (resume, admission_sha256) = (self.token(key, room, place, now), key.digest());
            let state = ServerMessage::RoomState { hosts, locked, resume, admission_sha256 };
            Some(Output::Send(place.socket()?, state))
        });
        let states: Vec<_> = states.collect();
        self.outputs.extend(states);
    }
}
