//! Another secret for a protected room, after a host removed a member: the room moves to the tag of the new secret, with everybody in it.
//!
//! The server learns neither secret. It only refuses clients with the tag of the old one, so that the old link opens neither this room
//! nor an empty one of the same name.

use sightline_protocol::{AdmissionTag, ErrorCode, RefusalReason, SealedName, signaling::ServerMessage};

use super::{
    closing::Closing,
    newcomer::Newcomer,
    place::{ClientKind, Occupancy, Place},
    registry::{Output, Registry, Seat},
    resume::ResumeClaims,
    room_key::RoomKey,
    socket_id::SocketId,
};
use crate::time::UnixTime;

impl Registry {
    /// A member uses another secret from now on. From a host the tag of that secret becomes the one that admits to the room.
    pub(super) fn rekey(
        &mut self,
        socket: SocketId,
        seat: &Seat,
        admission: &AdmissionTag,
        sealed_name: SealedName,
        now: UnixTime,
    ) {
        let new = RoomKey::new(seat.room.name.clone(), Some(admission));
        let Some(room) = self.rooms.get_mut(&seat.room).filter(|_| seat.room.is_protected()) else { return };
        let Some(place) = room.place_mut(&seat.id) else { return };
        if !place.rekeys.take(1.0, now) {
            let message = "too many secrets of one member";
            return self.handle_failure(socket, ErrorCode::RateLimited, message, now);
        }
        let is_host = place.is_host;
        if new != seat.room {
            if !is_host || self.rooms.contains_key(&new) || self.replaced.contains(&new) {
                return;
            }
            self.move_room(&seat.room, &new);
            self.begin_version(&new, now);
        }
        self.rename(&Seat { room: new, id: seat.id.clone() }, sealed_name);
    }

    /// Gives everybody the name of a member in the encryption that newcomers can read, too.
    fn rename(&mut self, seat: &Seat, sealed_name: SealedName) {
        let Some(room) = self.rooms.get_mut(&seat.room) else { return };
        let Some(place) = room.place_mut(&seat.id) else { return };
        place.sealed_name = Some(sealed_name);
        let member = place.member();
        let knowing = room.places().iter().filter(|place| place.id != seat.id && place.knows_rekey);
        let sockets: Vec<_> = knowing.filter_map(Place::socket).collect();
        for socket in sockets {
            self.send(socket, ServerMessage::PeerJoined { member: member.clone() });
        }
    }

    fn move_room(&mut self, from: &RoomKey, to: &RoomKey) {
        // They have the old link.
        self.end_knocks(from, RefusalReason::LinkChanged);
        let Some(mut room) = self.rooms.remove(from) else { return };
        for place in room.places() {
            match place.occupancy {
                Occupancy::Present(socket) => {
                    self.seats.insert(socket, Seat { room: to.clone(), id: place.id.clone() });
                }
                Occupancy::Away { until } => {
                    self.holds.remove(&(until, from.clone(), place.id.clone()));
                    self.holds.insert((until, to.clone(), place.id.clone()));
                }
            }
        }
        if let Some(until) = room.hosts_awaited_until {
            self.awaited.remove(&(until, from.clone()));
            self.awaited.insert((until, to.clone()));
        }
        self.replaced.insert(from.clone());
        if let Some(forgotten) = room.note_replaced(from.clone()) {
            self.replaced.remove(&forgotten);
        }
        self.rooms.insert(to.clone(), room);
    }

    /// The room that a newcomer means, and the claims of its token for that room. The token may name another tag than the newcomer: the
    /// member was away when the room moved, or it has a secret that its host has not told to the server yet.
    pub(super) fn find_room(
        &self,
        asked: RoomKey,
        claims: Option<ResumeClaims>,
        rekeys: bool,
    ) -> (RoomKey, Option<ResumeClaims>) {
        let Some(claims) = claims.filter(|claims| claims.room.name == asked.name) else {
            return (asked, None);
        };
        if claims.room == asked {
            return (asked, Some(claims));
        }
        match self.rooms.get(&asked) {
            Some(room) => {
                let is_earlier = room.was_replaced(&claims.room);
                (asked, Some(claims).filter(|_| is_earlier))
            }
            // The member has a secret that its host has not told to the server yet.
            None if rekeys
                && asked.is_protected()
                && claims.room.is_protected()
                && self.rooms.get(&claims.room).is_some_and(|room| room.place(&claims.id).is_some()) =>
            {
                (claims.room.clone(), Some(claims))
            }
            None => (asked, None),
        }
    }

    /// Refuses a newcomer with the tag of a secret that was replaced.
    pub(super) fn refuse_old_link(&mut self, socket: SocketId, newcomer: &Newcomer) {
        let closing = match newcomer.client {
            ClientKind::Earlier => Closing::Full { room_limit: self.settings.room_limit },
            _ if newcomer.rekeys => Closing::Refused(RefusalReason::LinkChanged),
            _ => Closing::Refused(RefusalReason::Locked),
        };
        self.outputs.push_back(Output::Close(socket, closing));
    }
}
