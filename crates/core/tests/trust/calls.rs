//! Protected calls with an honest server.

use std::time::Duration;

use sightline_core::{
    budget::Standing,
    notice::NoticeCode,
    room::{LinkState, RoomEvent},
    trust::{Refusal, RoomSecret},
};
use sightline_protocol::MemberId;

use crate::world::World;

fn protected() -> World {
    let mut world = World::new();
    world.secret = Some(RoomSecret::from_random(7));
    world
}

fn refusals(world: &World, page: usize) -> Vec<Refusal> {
    let events = world.pages[page].events.iter();
    events
        .filter_map(|event| match event {
            RoomEvent::SignalRefused(_, refusal) => Some(*refusal),
            _ => None,
        })
        .collect()
}

#[test]
fn everyone_with_the_link_is_connected_and_named_and_nothing_is_refused() {
    let mut world = protected();
    let pages: Vec<_> = (0..4).map(|_| world.open(None)).collect();
    for page in &pages {
        for other in pages.iter().filter(|other| *other != page) {
            assert_eq!(world.state(*page, *other), Some(LinkState::Connected));
            let peer = world.pages[*page].session.peer(&world.id(*other)).unwrap();
            assert_eq!(peer.member.name.as_str(), format!("someone {other}"));
            assert!(peer.has_readable_name());
        }
        assert_eq!(refusals(&world, *page), []);
        assert!(world.pages[*page].session.is_protected());
    }
}

#[test]
fn a_protected_call_takes_the_same_messages_and_round_trips_as_an_unprotected_one() {
    for members in 2..=4 {
        let call = |mut world: World| {
            let pages: Vec<_> = (0..members).map(|_| world.open(None)).collect();
            for page in &pages {
                for other in pages.iter().filter(|other| *other != page) {
                    assert_eq!(world.state(*page, *other), Some(LinkState::Connected));
                }
            }
            (world.told, world.hops)
        };
        let (protected, open) = (call(protected()), call(World::new()));
        assert_eq!(protected, open, "{members} members");
        if members == 2 {
            // `join` and `joined`, the offer there, the answer back: three round trips of the newcomer to the server.
            assert_eq!(protected.1, [4, 6]);
        }
    }
}

#[test]
fn a_protected_call_survives_a_failed_link_and_a_restart_of_the_server() {
    let mut world = protected();
    let (a, b) = (world.open(None), world.open(None));
    world.fail_links(a);
    world.pass(Duration::from_secs(5));
    world.restart_server();
    world.pass(Duration::from_secs(10));
    for (page, other) in [(a, b), (b, a)] {
        assert_eq!(world.state(page, other), Some(LinkState::Connected));
        assert_eq!(refusals(&world, page), []);
    }
}

#[test]
fn a_reloaded_page_of_a_protected_room_takes_its_place_back() {
    let mut world = protected();
    let (a, b) = (world.open(None), world.open(None));
    let token = world.resume_token(b);
    world.kill(b);
    let again = world.open(Some(token));
    for (page, other) in [(a, again), (again, a)] {
        assert_eq!(world.state(page, other), Some(LinkState::Connected));
        assert!(!world.pages[page].events.contains(&RoomEvent::Raised(NoticeCode::SignalsRefused)));
    }
}

#[test]
fn members_with_and_without_the_secret_never_connect_even_in_one_server_room() {
    let mut world = protected();
    let inside = world.open(None);
    world.secret = None;
    let outside = world.open(None);
    world.secret = Some(RoomSecret::from_random(8));
    let elsewhere = world.open(None);
    world.pass(Duration::from_secs(60));
    for (page, other) in [(inside, outside), (outside, inside), (inside, elsewhere), (outside, elsewhere)] {
        assert_ne!(world.state(page, other), Some(LinkState::Connected), "{page} sees {other}");
        let peer = world.pages[page].session.peer(&world.id(other)).unwrap();
        assert!(!peer.has_readable_name() && peer.member.name.is_empty());
    }
    assert!(refusals(&world, inside).contains(&Refusal::Unsealed));
    assert!(refusals(&world, outside).contains(&Refusal::NoKey));
    for page in [inside, outside] {
        assert!(world.pages[page].events.contains(&RoomEvent::Raised(NoticeCode::SignalsRefused)));
    }
}

/// Delivers a sealed signal of `from` to a page as the server would.
fn tell_sealed(world: &mut World, page: usize, from: &MemberId, sealed: &str) {
    let frame = format!(
        r#"{{"type":"signal","from":"{from}","connection":"c","generation":0,"payload":{{"sealed":"{sealed}"}}}}"#
    );
    world.tell_raw(page, &frame);
}

/// Sealed for a page that is not open: the hash of its instance id begins with zeros.
fn stale() -> String {
    "A".repeat(42)
}

#[test]
fn forged_signals_are_told_and_few_of_them_cut_their_sender_off() {
    let mut world = protected();
    let (a, b) = (world.open(None), world.open(None));
    let from = world.id(b);
    for _ in 0..2_000 {
        tell_sealed(&mut world, a, &from, "AAAA");
    }
    assert!(world.pages[a].events.contains(&RoomEvent::Raised(NoticeCode::SignalsRefused)));
    assert_eq!(world.pages[a].session.peer(&from).unwrap().standing, Standing::CutOff);
    let forged = refusals(&world, a);
    assert!(forged.iter().all(|refusal| *refusal == Refusal::Forged));
    assert!(forged.len() < 200, "a member that is cut off costs nothing more: {}", forged.len());
}

#[test]
fn stale_signals_are_not_told_and_a_flood_of_them_cuts_their_sender_off() {
    let mut world = protected();
    let (a, b) = (world.open(None), world.open(None));
    let from = world.id(b);
    for _ in 0..500 {
        tell_sealed(&mut world, a, &from, &stale());
    }
    assert_eq!(refusals(&world, a), [Refusal::Stale; 500]);
    assert_eq!(world.pages[a].session.peer(&from).unwrap().standing, Standing::Heard);
    for _ in 0..4_500 {
        tell_sealed(&mut world, a, &from, &stale());
    }
    assert_eq!(world.pages[a].session.peer(&from).unwrap().standing, Standing::CutOff);
    assert!(refusals(&world, a).len() <= 2_000, "beyond its budget a signal is dropped unopened");
    assert!(!world.pages[a].events.contains(&RoomEvent::Raised(NoticeCode::SignalsRefused)));
}
