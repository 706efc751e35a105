//! Protected calls with an honest server.

use std::time::Duration;

use sightline_core::{
    notice::NoticeCode,
    room::{LinkState, RoomEvent},
    trust::{Refusal, RoomSecret},
};

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
fn with_and_without_the_secret_they_never_connect_even_if_the_server_puts_them_together() {
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

#[test]
fn a_signal_that_cannot_be_opened_is_charged_to_its_sender_and_a_stale_one_is_not() {
    let mut world = protected();
    let (a, b) = (world.open(None), world.open(None));
    let from = world.id(b);
    let tell = |world: &mut World, sealed: &str| {
        let frame = format!(
            r#"{{"type":"signal","from":"{from}","connection":"c","generation":0,"payload":{{"sealed":"{sealed}"}}}}"#
        );
        world.tell_raw(a, &frame);
    };
    // 32 bytes with the addressee 0.
    tell(&mut world, &"A".repeat(42));
    assert_eq!(refusals(&world, a), [Refusal::Stale]);
    assert!(!world.pages[a].events.contains(&RoomEvent::Raised(NoticeCode::SignalsRefused)));
    for _ in 0..2_000 {
        tell(&mut world, "AAAA");
    }
    assert_eq!(refusals(&world, a).last(), Some(&Refusal::Forged));
    let peer = world.pages[a].session.peer(&from).unwrap();
    assert_eq!(peer.standing, sightline_core::budget::Standing::CutOff);
    assert!(refusals(&world, a).len() < 2_000, "a member that is cut off costs nothing more");
}
