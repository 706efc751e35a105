//! One room, with its places.

use sightline_protocol::{Arrival, Member, MemberId};

use super::{place::Place, socket_id::SocketId};

/// The places of one room. Rooms are small (`RoomSettings::room_limit`), so a list is searched from end to end.
#[derive(Debug, Default)]
pub(super) struct Room {
    places: Vec<Place>,
}

impl Room {
    /// Number of taken places, including those of away members.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no place is taken.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn place(&self, id: &MemberId) -> Option<&Place> {
        self.places.iter().find(|place| place.id == *id)
    }

    pub(super) fn place_mut(&mut self, id: &MemberId) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.id == *id)
    }

    pub(super) fn has_arrival(&self, arrival: Arrival) -> bool {
        self.places.iter().any(|place| place.arrival == arrival)
    }

    pub(super) fn add(&mut self, place: Place) {
        self.places.push(place);
    }

    pub(super) fn remove(&mut self, id: &MemberId) {
        self.places.retain(|place| place.id != *id);
    }

    /// All members except `id`, in the order of arrival.
    pub(super) fn others(&self, id: &MemberId) -> Vec<Member> {
        let mut members: Vec<_> =
            self.places.iter().filter(|place| place.id != *id).map(Place::member).collect();
        members.sort_by_key(|member| member.arrival);
        members
    }

    /// The open sockets of all members except `id`.
    pub(super) fn other_sockets(&self, id: &MemberId) -> impl Iterator<Item = SocketId> {
        self.places.iter().filter(move |place| place.id != *id).filter_map(Place::socket)
    }
}
