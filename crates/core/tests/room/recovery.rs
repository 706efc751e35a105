//! Interruptions of the network and of signaling, in simulated time.

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    chat::{DeliveryState, MessageNumber},
    room::{LinkEvent, LinkState, RoomEvent},
};

use crate::world::{Engine, World};

const SECOND: Duration = Duration::from_secs(1);
const PAIRS: [[Engine; 2]; 4] = [
    [Engine::Chromium, Engine::Chromium],
    [Engine::Firefox, Engine::Firefox],
    [Engine::Chromium, Engine::Firefox],
    [Engine::Firefox, Engine::Chromium],
];

/// Two connected pages. The second came later, and leads.
fn call(pair: [Engine; 2]) -> (World, [usize; 2]) {
    let mut world = World::new();
    let pages = pair.map(|engine| {
        let page = world.open(None);
        world.pages[page].engine = engine;
        page
    });
    // Long enough for both to get answers.
    world.pass(3 * SECOND);
    assert!(is_whole(&world, pages));
    (world, pages)
}

fn is_whole(world: &World, [a, b]: [usize; 2]) -> bool {
    world.state(a, b) == Some(LinkState::Connected) && world.state(b, a) == Some(LinkState::Connected)
}

/// Lets time pass until both pages are connected. Returns the time that this took.
fn time_to_whole(world: &mut World, pages: [usize; 2]) -> Duration {
    let began = world.now;
    while !is_whole(world, pages) && world.now.since(began) < 120 * SECOND {
        world.pass(SECOND / 10);
    }
    world.now.since(began)
}

fn say(world: &mut World, page: usize, text: &str) {
    world.pages[page].session.send_chat(text, 5, world.now).expect("a text that can be sent");
    world.settle();
}

/// The texts of other members that a page shows, in the order in which they appeared.
fn heard(world: &World, page: usize) -> Vec<String> {
    let page = &world.pages[page];
    let mut seen: Vec<MessageNumber> = Vec::new();
    for event in &page.events {
        if let RoomEvent::ChatChanged(id) = event
            && !seen.contains(id)
        {
            seen.push(*id);
        }
    }
    let messages = seen.iter().filter_map(|number| page.session.conversation().message(*number));
    messages.filter(|message| message.author.is_some()).map(|message| message.text.clone()).collect()
}

#[test]
fn after_a_cut_of_any_length_everyone_is_connected_within_five_seconds() {
    for pair in PAIRS {
        for seconds in [1, 3, 5, 10, 15, 20, 30, 60, 120] {
            let (mut world, pages) = call(pair);
            world.set_network(false);
            world.pass(seconds * SECOND);
            world.set_network(true);
            let took = time_to_whole(&mut world, pages);
            assert!(took <= 5 * SECOND, "{pair:?} after {seconds} s: {took:?}");
        }
    }
}

#[test]
fn after_a_cut_of_signaling_too_everyone_is_connected_within_ten_seconds() {
    for pair in PAIRS {
        for seconds in [3, 5, 10, 15, 20, 30, 60, 120] {
            let (mut world, pages) = call(pair);
            world.set_network(false);
            world.is_server_cut = true;
            world.pass(seconds * SECOND);
            world.set_network(true);
            world.is_server_cut = false;
            let took = time_to_whole(&mut world, pages);
            assert!(took <= 10 * SECOND, "{pair:?} after {seconds} s: {took:?}");
        }
    }
}

#[test]
fn a_short_cut_heals_on_the_same_connection() {
    let (mut world, [a, b]) = call(PAIRS[0]);
    world.set_network(false);
    world.pass(3 * SECOND);
    world.set_network(true);
    world.pass(20 * SECOND);
    assert!(is_whole(&world, [a, b]));
    assert_eq!((world.pages[a].opened.len(), world.pages[b].opened.len()), (1, 1));
}

#[test]
fn during_a_cut_the_tile_says_that_the_connection_is_being_recovered() {
    let (mut world, [a, b]) = call(PAIRS[2]);
    world.set_network(false);
    world.pass(6 * SECOND);
    assert_eq!(world.state(a, b), Some(LinkState::Recovering));
    assert_eq!(world.state(b, a), Some(LinkState::Recovering));
    world.pass(60 * SECOND);
    assert_eq!(world.state(a, b), Some(LinkState::Recovering));
    assert_eq!(world.state(b, a), Some(LinkState::Recovering));
}

#[test]
fn a_long_cut_causes_no_storm_of_connections() {
    for pair in PAIRS {
        let (mut world, [a, b]) = call(pair);
        world.set_network(false);
        world.pass(600 * SECOND);
        for page in [a, b] {
            let opened = world.pages[page].opened.len();
            assert!(opened <= 60, "{pair:?}: {opened} connections in ten minutes");
            assert!(world.pages[page].link_count() <= 2, "{pair:?}: never more than two at once");
        }
    }
}

#[test]
fn after_a_recovery_one_connection_is_left() {
    for pair in PAIRS {
        let (mut world, [a, b]) = call(pair);
        world.set_network(false);
        world.pass(40 * SECOND);
        world.set_network(true);
        world.pass(30 * SECOND);
        assert_eq!((world.pages[a].link_count(), world.pages[b].link_count()), (1, 1), "{pair:?}");
    }
}

#[test]
fn messages_written_during_a_cut_arrive_once_and_in_order() {
    for pair in PAIRS {
        let (mut world, [a, b]) = call(pair);
        say(&mut world, a, "0");
        world.set_network(false);
        for number in 1..=8 {
            say(&mut world, a, &number.to_string());
            world.pass(5 * SECOND);
        }
        world.set_network(true);
        world.pass(2 * SECOND);
        say(&mut world, a, "9");
        world.pass(20 * SECOND);
        let expected: Vec<_> = (0..=9).map(|number| number.to_string()).collect();
        assert_eq!(heard(&world, b), expected, "{pair:?}");
    }
}

#[test]
fn a_silent_member_that_the_server_dropped_is_gone_in_the_end() {
    let (mut world, [a, b]) = call(PAIRS[0]);
    let id = world.id(a);
    world.expire(&id);
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    world.is_server_cut = true;
    world.set_network(false);
    world.pass(60 * SECOND);
    assert_eq!(world.state(b, a), None);
}

#[test]
fn a_new_connection_that_breaks_before_its_first_answer_is_repaired() {
    let (mut world, [a, b]) = call(PAIRS[2]);
    world.set_network(false);
    world.pass(8 * SECOND);
    world.set_network(true);
    world.set_network(false);
    world.pass(10 * SECOND);
    world.is_server_cut = true;
    world.pass(6 * SECOND);
    world.set_network(true);
    world.pass(Duration::from_millis(50));
    world.is_server_cut = false;
    world.pass(60 * SECOND);
    assert!(is_whole(&world, [a, b]));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Network(bool),
    ServerCut(bool),
    RestartServer,
    Say(bool),
    Renegotiate,
    Pass(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => any::<bool>().prop_map(Step::Network),
        2 => any::<bool>().prop_map(Step::ServerCut),
        1 => Just(Step::RestartServer),
        3 => any::<bool>().prop_map(Step::Say),
        2 => Just(Step::Renegotiate),
        5 => (50_u64..25_000).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn after_any_cuts_both_members_have_one_connection_and_every_message_in_order(
        pair in 0_usize..4,
        steps in steps(),
    ) {
        let (mut world, pages) = call(PAIRS[pair]);
        let mut said = [Vec::new(), Vec::new()];
        // A member that is cut off from server and network for too long leaves: its messages of that time are not delivered.
        let mut unheard = Vec::new();
        for step in steps {
            match step {
                Step::Network(is_up) => world.set_network(is_up),
                Step::ServerCut(is_cut) => world.is_server_cut = is_cut,
                Step::RestartServer => world.restart_server(),
                Step::Say(first) => {
                    let from = usize::from(!first);
                    let text = format!("{from} {} {}", said[from].len(), unheard.len());
                    let is_somebody_there = world.state(pages[from], pages[1 - from]).is_some();
                    say(&mut world, pages[from], &text);
                    let kept = if is_somebody_there { &mut said[from] } else { &mut unheard };
                    kept.push(text);
                }
                Step::Renegotiate => {
                    for page in pages {
                        if let Some(link) = world.pages[page].opened.last().copied() {
                            world.pages[page].session.handle_link(link, LinkEvent::NegotiationNeeded, world.now);
                        }
                    }
                    world.settle();
                }
                Step::Pass(milliseconds) => world.pass(Duration::from_millis(milliseconds)),
            }
            for page in pages {
                prop_assert!(world.pages[page].link_count() <= 2);
            }
        }
        world.set_network(true);
        world.is_server_cut = false;
        world.pass(60 * SECOND);
        prop_assert!(is_whole(&world, pages));
        for (at, page) in pages.into_iter().enumerate() {
            prop_assert_eq!(world.pages[page].link_count(), 1);
            prop_assert_eq!(&heard(&world, page), &said[1 - at]);
            let own = world.pages[page].events.iter().filter_map(|event| match event {
                RoomEvent::ChatChanged(number) => world.pages[page].session.conversation().message(*number),
                _ => None,
            });
            for message in own.filter(|message| message.author.is_none()) {
                let is_unheard = unheard.contains(&message.text);
                let expected = if is_unheard { DeliveryState::Unheard } else { DeliveryState::Delivered };
                prop_assert_eq!(message.state, expected);
            }
        }
    }
}
