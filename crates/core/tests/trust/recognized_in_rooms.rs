//! People recognize each other in later calls, in whole rooms in simulated time.

use std::time::Duration;

use sightline_core::trust::{Acquaintance, Person, RecognitionTask, RoomSecret};

use crate::{
    device_model::{compute, device_key},
    world::World,
};

const SECOND: Duration = Duration::from_secs(1);

/// Opens a page on somebody's device, which remembers these people.
fn open(world: &mut World, owner: &str, people: &[Person]) -> usize {
    world.device = Some((device_key(owner), people.to_vec()));
    world.open(None)
}

/// The browser gives the key of the device to a page that is in the room already.
fn read_device(world: &mut World, page: usize, owner: &str, people: &[Person]) {
    let (key, people, now) = (device_key(owner), people.to_vec(), world.now);
    world.pages[page].session.with_peer_trust(|trust| trust.handle_device(key, people, 5_000, now));
    world.settle();
}

/// Does what the pages ask of these devices.
fn perform(world: &mut World, devices: &[(usize, &str)]) {
    loop {
        let mut is_idle = true;
        for (page, owner) in devices {
            for task in std::mem::take(&mut world.pages[*page].recognition) {
                is_idle = false;
                if let RecognitionTask::Compute { id, keys, sent, expected } = task {
                    let tags = compute(&device_key(owner), keys, &sent, &expected);
                    let now = world.now;
                    world.pages[*page].session.with_peer_trust(|trust| trust.handle_computed(id, tags, now));
                }
            }
        }
        world.settle();
        if is_idle {
            return;
        }
    }
}

fn compare(world: &mut World, page: usize, other: usize) {
    let (id, now) = (world.id(other), world.now);
    let code = world.pages[page].session.peer_trust().verification(&id).code.expect("a code");
    world.pages[page].session.set_code_matching(&id, code, true, now);
    world.settle();
}

fn acquaintance(world: &World, page: usize, other: usize) -> Acquaintance {
    world.pages[page].session.peer_trust().acquaintance(&world.id(other))
}

#[test]
fn two_who_compared_their_code_know_each_other_in_the_next_room() {
    let [one, other] = [1, 2].map(RoomSecret::from_random);
    for (before, after) in [(None, None), (Some(one), None), (None, Some(one)), (Some(one), Some(other))] {
        know_each_other_in_the_next_room(before, after);
    }
}

/// `before` is the secret of the room in which they compare, `after` that of the next one.
fn know_each_other_in_the_next_room(before: Option<RoomSecret>, after: Option<RoomSecret>) {
    let mut world = World::new();
    world.secret = before;
    let (ada, bob) = (open(&mut world, "ada", &[]), open(&mut world, "bob", &[]));
    let devices = [(ada, "ada"), (bob, "bob")];
    perform(&mut world, &devices);
    world.pass(7 * SECOND);
    compare(&mut world, ada, bob);
    perform(&mut world, &devices);
    assert_eq!(world.pages[ada].session.peer_trust().people(), [], "Bob has compared nothing");
    compare(&mut world, bob, ada);
    perform(&mut world, &devices);
    let people = [ada, bob].map(|page| world.pages[page].session.peer_trust().people().to_vec());
    assert_eq!(people[0][0].verified_at_unix_ms, 12_000);

    let mut later = World::new();
    later.secret = after;
    let (ada, bob) = (open(&mut later, "ada", &people[0]), open(&mut later, "bob", &people[1]));
    let carol = open(&mut later, "carol", &[]);
    perform(&mut later, &[(ada, "ada"), (bob, "bob"), (carol, "carol")]);
    assert_eq!(acquaintance(&later, ada, bob), Acquaintance::Known(people[0][0].clone()));
    assert_eq!(acquaintance(&later, bob, ada), Acquaintance::Known(people[1][0].clone()));
    assert_eq!(acquaintance(&later, ada, carol), Acquaintance::Unknown);
    assert_eq!(acquaintance(&later, carol, ada), Acquaintance::Unknown);
}

/// A room in which Ada and Bob compared their code.
fn after_comparison() -> (World, [(usize, &'static str); 2]) {
    let mut world = World::new();
    let (ada, bob) = (open(&mut world, "ada", &[]), open(&mut world, "bob", &[]));
    let devices = [(ada, "ada"), (bob, "bob")];
    perform(&mut world, &devices);
    compare(&mut world, ada, bob);
    compare(&mut world, bob, ada);
    perform(&mut world, &devices);
    (world, devices)
}

/// What Ada's and Bob's devices remember after the two compared their code.
fn acquainted() -> [Vec<Person>; 2] {
    let (world, devices) = after_comparison();
    devices.map(|(page, _)| world.pages[page].session.peer_trust().people().to_vec())
}

#[test]
fn two_whose_browsers_give_the_key_late_know_each_other_in_any_order() {
    let people = acquainted();
    for first in [0, 1] {
        for seconds in [0, 5, 40] {
            let mut world = World::new();
            let pages = [world.open(None), world.open(None)];
            let devices = [(pages[0], "ada"), (pages[1], "bob")];
            for at in [first, 1 - first] {
                world.pass(seconds * SECOND);
                read_device(&mut world, pages[at], devices[at].1, &people[at]);
                perform(&mut world, &devices);
            }
            for (at, (page, other)) in [(0, (pages[0], pages[1])), (1, (pages[1], pages[0]))] {
                let known = Acquaintance::Known(people[at][0].clone());
                assert_eq!(acquaintance(&world, page, other), known, "{at}, {first} first, {seconds} s");
            }
        }
    }
}

#[test]
fn two_who_compared_their_code_before_the_browsers_gave_the_keys_remember_each_other() {
    for first in [0, 1] {
        let mut world = World::new();
        let pages = [world.open(None), world.open(None)];
        let devices = [(pages[0], "ada"), (pages[1], "bob")];
        compare(&mut world, pages[0], pages[1]);
        compare(&mut world, pages[1], pages[0]);
        for at in [first, 1 - first] {
            world.pass(SECOND);
            read_device(&mut world, pages[at], devices[at].1, &[]);
            perform(&mut world, &devices);
        }
        let keys = pages.map(|page| world.pages[page].session.peer_trust().people()[0].key.clone());
        assert_eq!(keys, [device_key("bob"), device_key("ada")], "{first} first");
        assert!(matches!(acquaintance(&world, pages[0], pages[1]), Acquaintance::Known(_)));
    }
}

#[test]
fn a_page_without_a_device_key_sends_and_learns_nothing() {
    let mut world = World::new();
    let (ada, old) = (open(&mut world, "ada", &[]), world.open(None));
    perform(&mut world, &[(ada, "ada"), (old, "nobody")]);
    compare(&mut world, ada, old);
    compare(&mut world, old, ada);
    perform(&mut world, &[(ada, "ada"), (old, "nobody")]);
    world.pass(20 * SECOND);
    for (page, other) in [(ada, old), (old, ada)] {
        assert_eq!(
            (acquaintance(&world, page, other), world.pages[page].session.peer_trust().people().len()),
            (Acquaintance::Unknown, 0)
        );
    }
}

#[test]
fn a_repaired_connection_leaves_a_known_person_known() {
    let (mut world, devices) = after_comparison();
    let [(ada, _), (bob, _)] = devices;
    for cut in [4, 40] {
        world.set_network(false);
        world.pass(cut * SECOND);
        world.set_network(true);
        world.pass(20 * SECOND);
        perform(&mut world, &devices);
        assert!(matches!(acquaintance(&world, ada, bob), Acquaintance::Known(_)), "after {cut} s");
        assert_eq!(world.pages[ada].session.peer_trust().people().len(), 1);
    }
}

#[test]
fn a_page_that_forgot_everybody_and_its_key_recognizes_nobody_and_introduces_itself_to_nobody() {
    let (mut world, devices) = after_comparison();
    let [(ada, _), (bob, _)] = devices;
    assert!(matches!(acquaintance(&world, ada, bob), Acquaintance::Known(_)));
    world.pages[ada].session.with_peer_trust(sightline_core::room::PeerTrust::forget_everybody);
    world.settle();
    assert_eq!(std::mem::take(&mut world.pages[ada].recognition), [RecognitionTask::ForgetEverybody]);
    assert_eq!(acquaintance(&world, ada, bob), Acquaintance::Unknown);
    assert!(!world.pages[ada].session.peer_trust().has_recognition());
    let carol = open(&mut world, "carol", &[]);
    let devices = [(ada, "ada"), (carol, "carol")];
    perform(&mut world, &devices);
    compare(&mut world, ada, carol);
    compare(&mut world, carol, ada);
    perform(&mut world, &devices);
    world.pass(20 * SECOND);
    for page in [ada, carol] {
        assert_eq!(world.pages[page].session.peer_trust().people(), []);
    }
}
