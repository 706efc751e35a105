//! The code that two members compare, in whole rooms in simulated time.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, time::Duration};

use sightline_core::{
    budget::Standing,
    room::{LinkState, RoomEvent},
    trust::{ShortCode, Verified},
};
use sightline_protocol::signaling::ServerMessage;

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn code(world: &World, page: usize, other: usize) -> Option<ShortCode> {
    world.pages[page].session.peer_trust().verification(&world.id(other)).code
}

fn verified(world: &World, page: usize, other: usize) -> Verified {
    world.pages[page].session.peer_trust().verification(&world.id(other)).verified
}

fn confirm(world: &mut World, page: usize, other: usize) {
    let (id, code) = (world.id(other), code(world, page, other).expect("a code"));
    let now = world.now;
    world.pages[page].session.set_code_matching(&id, code, true, now);
    world.settle();
}

/// Two pages that compared their code.
fn compared() -> (World, usize, usize) {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    confirm(&mut world, a, b);
    confirm(&mut world, b, a);
    (world, a, b)
}

#[test]
fn each_pair_of_a_room_has_one_code_which_both_pages_show() {
    let mut world = World::new();
    let pages: Vec<_> = (0..5).map(|_| world.open(None)).collect();
    let mut codes = BTreeSet::new();
    for (at, page) in pages.iter().enumerate() {
        for other in &pages[at + 1..] {
            let shown = code(&world, *page, *other).expect("a code");
            assert_eq!(code(&world, *other, *page), Some(shown));
            codes.insert(shown.symbols());
        }
    }
    assert_eq!(codes.len(), 10, "no two pairs share one");
}

#[test]
fn a_code_that_matched_stays_so_while_the_connection_is_restarted_and_rebuilt() {
    let (mut world, a, b) = compared();
    let known = code(&world, a, b);
    for cut in [4, 8, 40] {
        let before = world.pages[a].opened.len();
        world.set_network(false);
        world.pass(cut * SECOND);
        assert_eq!(verified(&world, a, b), Verified::Matched, "it is the same member meanwhile");
        world.set_network(true);
        world.pass(20 * SECOND);
        assert_eq!(world.state(a, b), Some(LinkState::Connected));
        assert!(cut < 40 || world.pages[a].opened.len() > before, "rebuilt after a long cut");
        for (page, other) in [(a, b), (b, a)] {
            assert_eq!(code(&world, page, other), known, "after {cut} s");
            assert_eq!(verified(&world, page, other), Verified::Matched);
        }
    }
    world.restart_server();
    world.pass(60 * SECOND);
    assert_eq!((code(&world, a, b), verified(&world, a, b)), (known, Verified::Matched));
}

#[test]
fn a_member_whose_page_was_loaded_again_is_no_longer_verified() {
    let (mut world, a, b) = compared();
    let known = code(&world, a, b);
    let token = world.resume_token(b);
    world.kill(b);
    let again = world.open(Some(token));
    world.pass(5 * SECOND);
    assert_eq!(world.id(again), world.id(b), "the same place");
    assert_eq!(verified(&world, a, again), Verified::Changed);
    assert_eq!(verified(&world, again, a), Verified::Never, "the new page compared nothing");
    let shown = code(&world, a, again);
    assert!(shown.is_some() && shown != known && shown == code(&world, again, a));
    confirm(&mut world, a, again);
    assert_eq!(verified(&world, a, again), Verified::Matched);
}

#[test]
fn a_connection_with_other_keys_is_shown_before_it_can_carry_anything() {
    let mut world = World::new();
    let connections = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&connections);
    world.interference = Some(Box::new(move |page, message| {
        if let ServerMessage::Signal { signal, .. } = &message {
            seen.borrow_mut().push(signal.connection.clone());
        }
        vec![(page, message)]
    }));
    let (a, b) = (world.open(None), world.open(None));
    confirm(&mut world, a, b);
    let (in_use, from, connection) = (world.pages[a].opened[0], world.id(b), connections.borrow()[0].clone());
    // The server offers the next peer connection with its own certificate, and never says that it is to be used.
    let sdp = r"v=0\r\na=ice-ufrag:m\r\na=fingerprint:sha-256 MALLORY\r\n";
    world.tell_raw(
        a,
        &format!(
            r#"{{"type":"signal","from":"{from}","connection":"{connection}","generation":1,
                "payload":{{"description":{{"kind":"offer","exchange":1,"sdp":"{sdp}"}}}}}}"#
        ),
    );
    let link = *world.pages[a].opened.last().unwrap();
    assert_ne!(link, in_use);
    assert!(world.pages[a].session.peer(&from).is_some_and(|peer| peer.state == LinkState::Connected));
    assert_eq!(verified(&world, a, b), Verified::Changed);

    // The connection in use still has its code, but the person who confirms it again does not hide the other one.
    let code = code(&world, a, b).expect("a code");
    let now = world.now;
    world.pages[a].session.set_code_matching(&from, code, true, now);
    world.settle();
    assert_eq!(verified(&world, a, b), Verified::Changed);
}

#[test]
fn a_click_on_a_code_that_is_another_one_by_now_verifies_nobody() {
    let mut world = World::new();
    let (a, b, c) = (world.open(None), world.open(None), world.open(None));
    let (id, other) = (world.id(b), code(&world, a, c).expect("a code"));
    let now = world.now;
    world.pages[a].session.set_code_matching(&id, other, true, now);
    world.settle();
    assert_eq!(verified(&world, a, b), Verified::Never);
    assert_eq!(verified(&world, a, c), Verified::Never);
}

#[test]
fn a_page_of_an_earlier_version_has_a_call_and_no_code() {
    for is_old_first in [true, false] {
        let mut world = World::new();
        world.has_codes = !is_old_first;
        let first = world.open(None);
        world.has_codes = is_old_first;
        let second = world.open(None);
        world.pass(5 * SECOND);
        assert_eq!(world.state(first, second), Some(LinkState::Connected));
        assert_eq!((code(&world, first, second), code(&world, second, first)), (None, None));
    }
}

#[test]
fn a_member_that_begins_again_and_again_gets_few_nonces_and_is_muted() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let (link, id) = (world.pages[a].opened[0], world.id(b));
    let mut codes = BTreeSet::new();
    for number in 0..2_000_u64 {
        let commit = format!(r#"{{"type":"verify","step":"commit","commitment":"{number:0>43}"}}"#);
        let now = world.now;
        world.pages[a].session.handle_control(link, &commit, now);
        while let Some(output) = world.pages[a].session.poll_output() {
            let told = format!("{output:?}");
            if let Some((_, nonce)) = told.split_once(r#"\"nonce\":\""#) {
                codes.insert(nonce[..22].to_owned());
            }
        }
    }
    assert!((1..=8).contains(&codes.len()), "{codes:?}");
    assert_ne!(world.pages[a].session.peer(&id).map(|peer| peer.standing), Some(Standing::Heard));
}

#[test]
fn the_page_gets_one_event_for_a_confirmed_code_and_none_later() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let id = world.id(b);
    world.pass(10 * SECOND);
    world.pages[a].events.clear();
    confirm(&mut world, a, b);
    world.pass(60 * SECOND);
    let told = world.pages[a].events.iter().filter(|event| **event == RoomEvent::PeerChanged(id.clone()));
    assert_eq!(told.count(), 1);
}
