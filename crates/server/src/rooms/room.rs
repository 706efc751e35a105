//! One room, with its places.

use std::collections::VecDeque;

use sightline_protocol::{Arrival, Member, MemberId};

use super::{
    knocks::Knocks,
    place::{ClientKind, Place},
    room_key::RoomKey,
    socket_id::SocketId,
    version::RoomRules,
};
use crate::{time::UnixTime, token_bucket::Bucket};

/// Actions of the hosts of a room: at once, and a second. Each is told to every member.
const HOST_ACTIONS: (f64, f64) = (20.0, 1.0);

/// Most ids of removed members that are remembered. What keeps a removed member out is the lock; the ids only end its old name.
const MAX_REMOVED: usize = 64;

/// Most tags of replaced secrets that a room keeps. An older link opens an empty room.
const MAX_REPLACED: usize = 16;

/// The places of one room. Rooms are small (`RoomSettings::room_limit`), so a list is searched from end to end.
#[derive(Debug)]
pub(super) struct Room {
    /// In the order in which the members came, which a reload does not change.
    places: Vec<Place>,
    pub(super) rules: RoomRules,
    pub(super) knocks: Knocks,
    /// Until when the hosts of a room that was restored from tokens may come back before another member becomes host.
    pub(super) hosts_awaited_until: Option<UnixTime>,
    host_actions: Bucket<UnixTime>,
    removed: VecDeque<MemberId>,
    /// The tags that admitted to the room before its secret was replaced.
    replaced: VecDeque<RoomKey>,
}

impl Room {
    pub(super) fn new(rules: RoomRules, now: UnixTime) -> Self {
        Self {
            places: Vec::new(),
            rules,
            knocks: Knocks::new(now),
            hosts_awaited_until: None,
            host_actions: Bucket::full(HOST_ACTIONS.0, HOST_ACTIONS.1, now),
            removed: VecDeque::new(),
            replaced: VecDeque::new(),
        }
    }

    /// Number of taken places, including those of away members.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no place is taken.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    pub(super) fn places_mut(&mut self) -> &mut [Place] {
        &mut self.places
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

    pub(super) fn remove(&mut self, id: &MemberId) -> Option<Place> {
        let at = self.places.iter().position(|place| place.id == *id)?;
        Some(self.places.remove(at))
    }

    /// Empties the room.
    pub(super) fn take_places(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.places)
    }

    /// All members except `id`, in the order of arrival.
    pub(super) fn others(&self, id: &MemberId) -> Vec<Member> {
        let mut members: Vec<_> =
            self.places.iter().filter(|place| place.id != *id).map(Place::member).collect();
        members.sort_by_key(|member| member.arrival);
        members
    }

    /// The open sockets of all members except `id`, and what their clients know.
    pub(super) fn other_sockets(&self, id: &MemberId) -> impl Iterator<Item = (SocketId, ClientKind)> {
        self.places
            .iter()
            .filter(move |place| place.id != *id)
            .filter_map(|place| Some((place.socket()?, place.client)))
    }

    pub(super) fn hosts(&self) -> Vec<MemberId> {
        self.places.iter().filter(|place| place.is_host).map(|place| place.id.clone()).collect()
    }

    /// Makes the member that is longest in the room host, if there is no host and none may come back. Present members first.
    pub(super) fn appoint_host(&mut self) -> Option<MemberId> {
        if self.hosts_awaited_until.is_some() || self.places.iter().any(|place| place.is_host) {
            return None;
        }
        let is_candidate = |place: &&mut Place| place.client == ClientKind::Attended;
        let mut candidates: Vec<_> = self.places.iter_mut().filter(is_candidate).collect();
        // Stable, so the order of entering stays.
        candidates.sort_by_key(|place| place.socket().is_none());
        let longest = candidates.into_iter().next()?;
        longest.is_host = true;
        Some(longest.id.clone())
    }

    /// Counts an action of a host; `false` if it is one too many.
    pub(super) fn admit_action(&mut self, now: UnixTime) -> bool {
        self.host_actions.take(1.0, now)
    }

    pub(super) fn note_removed(&mut self, id: MemberId) {
        if self.removed.len() >= MAX_REMOVED {
            self.removed.pop_front();
        }
        self.removed.push_back(id);
    }

    pub(super) fn forget_removed(&mut self) {
        self.removed.clear();
    }

    /// Begins a new version of the rules: the tokens of the present members are to be replaced.
    pub(super) fn begin_version(&mut self) {
        self.rules.version.epoch = self.rules.version.epoch.saturating_add(1);
    }

    /// Notes that another tag admits to the room from now on. Returns a tag that is forgotten.
    pub(super) fn note_replaced(&mut self, key: RoomKey) -> Option<RoomKey> {
        self.replaced.push_back(key);
        if self.replaced.len() > MAX_REPLACED { self.replaced.pop_front() } else { None }
    }

    pub(super) fn replaced(&self) -> impl Iterator<Item = &RoomKey> {
        self.replaced.iter()
    }

    pub(super) fn was_replaced(&self, key: &RoomKey) -> bool {
        self.replaced.contains(key)
    }

    pub(super) fn was_removed(&self, id: &MemberId) -> bool {
        self.removed.contains(id)
    }
}
