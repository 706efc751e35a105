//! A protected room in which the first page is host, and what its pages saw.

use sightline_core::{
    notice::NoticeCode,
    peer::PeerView,
    random::SeededRandom,
    room::{HostAction, LinkState, RoomEvent},
    trust::{Refusal, RoomKeys, RoomSecret, SignalSeals},
};
use sightline_protocol::{
    Arrival, ConnectionId, DisplayName, Generation, Member, Presence, RoomName,
    signaling::{ServerMessage, Signal, SignalCandidate, SignalPayload},
};

use crate::world::World;

/// The secret of the room before any removal.
pub(crate) fn first_secret() -> RoomSecret {
    RoomSecret::from_random(7)
}

pub(crate) fn keys(secret: RoomSecret) -> RoomKeys {
    RoomKeys::derive(secret, &RoomName::new("team").unwrap())
}

/// A protected room of pages, the first of which is host.
pub(crate) fn hosted(pages: usize) -> World {
    let mut world = World::new();
    world.has_hosts = true;
    world.secret = Some(first_secret());
    for _ in 0..pages {
        world.open(None);
    }
    world
}

pub(crate) fn remove(world: &mut World, host: usize, page: usize) {
    let (member, now) = (world.id(page), world.now);
    world.pages[host].session.act_as_host(HostAction::Remove(member), now);
    world.settle();
}

/// The secret in the link that a page shows.
pub(crate) fn secret(world: &World, page: usize) -> RoomSecret {
    let changed = world.pages[page].events.iter().rev().find_map(|event| match event {
        RoomEvent::LinkChanged(secret) => Some(*secret),
        _ => None,
    });
    changed.unwrap_or_else(first_secret)
}

pub(crate) fn connected(world: &World, page: usize, other: usize) -> bool {
    world.state(page, other) == Some(LinkState::Connected)
}

pub(crate) fn are_connected(world: &World, pages: &[usize]) -> bool {
    pages.iter().all(|page| pages.iter().all(|other| page == other || connected(world, *page, *other)))
}

pub(crate) fn has_raised(world: &World, page: usize, code: NoticeCode) -> bool {
    world.pages[page].events.contains(&RoomEvent::Raised(code))
}

pub(crate) fn refusals(world: &World, page: usize) -> Vec<Refusal> {
    let events = world.pages[page].events.iter();
    events
        .filter_map(
            |event| if let RoomEvent::SignalRefused(_, refusal) = event { Some(*refusal) } else { None },
        )
        .collect()
}

pub(crate) fn tell(world: &mut World, page: usize, message: &ServerMessage) {
    world.tell_raw(page, &serde_json::to_string(message).unwrap());
}

/// Tells a page a signal of another page that somebody without the secret made.
pub(crate) fn forge(world: &mut World, page: usize, from: usize) {
    let (from, to) = (member(world, from), member(world, page));
    let candidate =
        SignalCandidate { candidate: String::new(), sdp_mid: None, sdp_m_line_index: None, ufrag: None };
    let signal = Signal {
        connection: ConnectionId::new("c1").unwrap(),
        generation: Generation(0),
        payload: SignalPayload::Candidate(candidate),
    };
    let keyless = keys(RoomSecret::from_random(5));
    let mut seals = SignalSeals::new(keyless, from.instance.clone(), SeededRandom::new(1));
    let signal = seals.seal(&from.id, &to, &signal).unwrap();
    tell(world, page, &ServerMessage::Signal { from: from.id, signal });
}

/// Every description that a page applied was made by the page that it is taken for, for this page, and every name is that of its page.
pub(crate) fn assert_nobody_in_between(world: &World) {
    for (page, other, sdp) in &world.applied {
        assert_eq!(world.made.get(sdp), Some(&(other.clone(), page.clone())), "{page} applied {sdp:?}");
    }
    for page in &world.pages {
        for peer in page.session.peers().filter(PeerView::has_readable_name) {
            let real = (0..world.pages.len()).find(|other| *world.instance(*other) == peer.member.instance);
            assert_eq!(Some(peer.member.name.to_string()), real.map(|real| format!("someone {real}")));
        }
    }
}

/// A page as its member is listed, without a name.
pub(crate) fn member(world: &World, page: usize) -> Member {
    Member {
        id: world.id(page),
        name: DisplayName::default(),
        sealed_name: None,
        instance: world.instance(page).clone(),
        arrival: Arrival(1),
        presence: Presence::Present,
    }
}
