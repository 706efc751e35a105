//! Rooms of several sessions in simulated time: the links between them, and the events that they survive.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod changes;
mod files;
mod hosting;
mod people;
mod recovery;
mod world;

use std::time::Duration;

use sightline_core::{
    chat::DeliveryState,
    negotiation::OperationFailure,
    notice::NoticeCode,
    room::{LinkEvent, LinkState, RoomEvent, RoomOutput},
    signaling::SignalingStatus,
};
use sightline_protocol::{
    control::{PublishedSource, PublishedState},
    telemetry::TelemetryMessage,
};
use world::World;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn every_pair_of_members_builds_exactly_one_link() {
    let mut world = World::new();
    for _ in 0..4 {
        world.open(None);
    }
    for page in 0..4 {
        for other in (0..4).filter(|other| *other != page) {
            assert_eq!(world.state(page, other), Some(LinkState::Connected), "{page} sees {other}");
        }
        assert_eq!(world.pages[page].opened.len(), 3, "{page}");
    }
}

#[test]
fn a_lost_socket_closes_no_link_and_is_reopened() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.cut_socket(a);
    world.pass(SECOND);
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    assert_eq!(world.state(a, b), Some(LinkState::Connected));
    assert!(world.pages[a].events.contains(&RoomEvent::Cleared(NoticeCode::SignalingLost)));
    assert_eq!((world.pages[a].opened.len(), world.pages[b].opened.len()), (1, 1));
}

#[test]
fn a_page_with_a_fatal_server_error_closes_its_links() {
    for code in ["protocol-error", "protocol-version", "frame-too-large"] {
        let mut world = World::new();
        let (a, b) = (world.open(None), world.open(None));
        assert_eq!(world.state(a, b), Some(LinkState::Connected));
        world.tell_raw(a, &format!(r#"{{"type":"error","code":"{code}","message":""}}"#));
        world.pass(SECOND);
        assert_eq!(world.pages[a].link_count(), 0, "{code}");
        assert_ne!(world.state(b, a), Some(LinkState::Connected), "{code}");
    }
}

#[test]
fn a_member_that_the_server_dropped_stays_while_its_link_is_healthy() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.is_server_up = false;
    world.cut_socket(a);
    let id = world.id(a);
    world.expire(&id);
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    world.is_server_up = true;
    world.pass(5 * SECOND);
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    assert_eq!(world.pages[b].opened.len(), 1);
}

#[test]
fn a_member_that_the_server_dropped_is_gone_when_its_link_ends() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let id = world.id(a);
    world.expire(&id);
    world.kill(a);
    assert_eq!(world.state(b, a), None);
    assert!(world.pages[b].events.contains(&RoomEvent::PeerGone(id)));
}

#[test]
fn a_server_restart_keeps_every_link() {
    let mut world = World::new();
    let pages = [world.open(None), world.open(None), world.open(None)];
    world.restart_server();
    world.pass(10 * SECOND);
    for page in pages {
        for other in pages.into_iter().filter(|other| *other != page) {
            assert_eq!(world.state(page, other), Some(LinkState::Connected), "{page} sees {other}");
        }
        assert_eq!(world.pages[page].opened.len(), 2, "no link of {page} was built again");
    }
}

#[test]
fn a_member_who_leaves_is_gone_at_once() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.pages[a].session.leave(world.now);
    world.settle();
    assert_eq!(world.state(b, a), None);
    assert_eq!(
        world.pages[a].events.last(),
        Some(&RoomEvent::Status(SignalingStatus::Lost)),
        "{:?}",
        world.pages[a].events
    );
}

#[test]
fn a_reloaded_page_gets_its_place_back_with_a_new_link_and_no_duplicate_member() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let token = world.resume_token(b);
    world.kill(b);
    assert_eq!(world.state(a, b), Some(LinkState::Away));
    let again = world.open(Some(token));
    assert_eq!(world.id(again), world.id(b));
    assert_eq!(world.state(a, again), Some(LinkState::Connected));
    assert_eq!(world.pages[a].session.peers().count(), 1);
}

#[test]
fn the_older_page_may_reload_too_and_then_offers() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let token = world.resume_token(a);
    world.kill(a);
    let again = world.open(Some(token));
    assert_eq!(world.state(b, again), Some(LinkState::Connected));
    assert_eq!(world.state(again, b), Some(LinkState::Connected));
}

#[test]
fn a_newcomer_links_to_an_away_member_when_it_returns() {
    let mut world = World::new();
    let a = world.open(None);
    world.is_server_up = false;
    world.cut_socket(a);
    // Only the newcomer reaches the server.
    world.is_server_up = true;
    let b = world.open(None);
    assert_eq!(world.state(b, a), Some(LinkState::Away));
    world.pass(5 * SECOND);
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    assert_eq!(world.state(a, b), Some(LinkState::Connected));
}

#[test]
fn a_failed_link_is_built_again_with_the_next_generation() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.fail_links(a);
    world.pass(5 * SECOND);
    assert_eq!(world.state(a, b), Some(LinkState::Connected));
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    assert_eq!((world.pages[a].opened.len(), world.pages[b].opened.len()), (2, 2));
}

#[test]
fn a_link_that_fails_while_the_server_is_away_is_built_again_on_its_return() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.is_server_up = false;
    world.cut_socket(a);
    world.cut_socket(b);
    world.fail_links(a);
    world.pass(20 * SECOND);
    assert_eq!(world.state(a, b), Some(LinkState::Recovering));
    world.is_server_up = true;
    world.pass(5 * SECOND);
    assert_eq!(world.state(a, b), Some(LinkState::Connected));
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
}

#[test]
fn a_connection_that_cannot_be_made_is_reported_and_retried() {
    let mut world = World::new();
    world.set_network(false);
    let (a, b) = (world.open(None), world.open(None));
    assert_eq!(world.state(a, b), Some(LinkState::Connecting));
    world.pass(120 * SECOND);
    assert_eq!(world.state(b, a), Some(LinkState::Failed));
    assert!(world.pages[b].events.contains(&RoomEvent::Raised(NoticeCode::ConnectionFailed)));
    let tries = world.pages[b].opened.len();
    assert!((3..=8).contains(&tries), "{tries}");
    world.set_network(true);
    world.pass(60 * SECOND);
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    assert!(world.pages[b].events.contains(&RoomEvent::Cleared(NoticeCode::ConnectionFailed)));
}

#[test]
fn the_published_state_reaches_present_and_later_members() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let published =
        PublishedState { microphone: true, source: PublishedSource::Camera, ..PublishedState::default() };
    world.pages[a].session.set_published(published, world.now);
    world.settle();
    let c = world.open(None);
    for page in [b, c] {
        let seen = world.pages[page].session.peer(&world.id(a)).and_then(|peer| peer.published);
        assert_eq!(seen, Some(PublishedState { private_chat: true, ..published }), "{page}");
    }
}

#[test]
fn a_message_reaches_everybody_present_and_survives_a_new_link() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.set_network(false);
    world.fail_links(a);
    world.pages[a].session.send_chat("are you there?", 5, world.now).unwrap();
    world.settle();
    let message = world.pages[a]
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            RoomEvent::ChatChanged(number) => Some(*number),
            _ => None,
        })
        .expect("the message is in the log");
    let state = |world: &World, page: usize| {
        world.pages[page].session.conversation().message(message).map(|message| message.state)
    };
    assert_eq!(state(&world, a), Some(DeliveryState::Sending));
    world.set_network(true);
    world.pass(60 * SECOND);
    assert_eq!(state(&world, a), Some(DeliveryState::Delivered));
    assert_eq!(state(&world, b), Some(DeliveryState::Received));
}

#[test]
fn invalid_messages_on_the_control_channel_are_ignored() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let link = world.pages[a].opened[0];
    for text in ["", "{", "[]", r#"{"type":"chat"}"#, r#"{"type":"hologram"}"#, &"x".repeat(70_000)] {
        world.pages[a].session.handle_control(link, text, world.now);
    }
    world.settle();
    assert_eq!(world.state(a, b), Some(LinkState::Connected));
}

#[test]
fn the_session_handles_pings_and_sends_clock_pings_without_a_stats_report() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.pass(5 * SECOND);
    for page in [a, b] {
        let heard = &world.pages[page].to_measure;
        let is_clock = |message: &TelemetryMessage| matches!(message, TelemetryMessage::ClockPong { .. });
        assert!(heard.iter().all(is_clock), "{heard:?}");
        // Clock pings are frequent in the first seconds; after that one comes with every ping.
        assert!((11..=13).contains(&heard.len()), "{}", heard.len());
    }
}

#[test]
fn the_session_passes_on_measurement_messages_and_consumes_pings() {
    let mut world = World::new();
    let (a, _) = (world.open(None), world.open(None));
    let (link, now) = (world.pages[a].opened[0], world.now);
    let mut hear = |text: &str| world.pages[a].session.handle_telemetry(link, text, now);
    let reception = hear(r#"{"type":"reception","sequence":1,"bars":3}"#);
    assert!(matches!(reception, Some(TelemetryMessage::Reception(told)) if told.sequence == 1));
    assert!(matches!(hear(r#"{"type":"sending","at_us":7}"#), Some(TelemetryMessage::Sending(_))));
    for other in [
        r#"{"type":"ping","nonce":1}"#,
        r#"{"type":"pong","nonce":4000000}"#,
        r#"{"type":"clock_ping","sent_us":1}"#,
        r#"{"type":"clock_pong","sent_us":1,"received_us":2,"answered_us":2}"#,
        "not a message",
    ] {
        assert_eq!(hear(other), None, "{other}");
    }
}

#[test]
fn the_cause_of_a_broken_negotiation_is_reported_and_the_link_is_replaced() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let (link, now) = (world.pages[b].opened[0], world.now);
    let session = &mut world.pages[b].session;
    session.handle_link(link, LinkEvent::NegotiationNeeded, now);
    let operation = std::iter::from_fn(|| session.poll_output()).find_map(|output| match output {
        RoomOutput::Perform(on, id, _) if on == link => Some(id),
        _ => None,
    });
    // A browser quotes the rejected line of a description, which may contain any text from the member.
    let quoted = format!("Failed to parse: a=\u{202e}evil\u{200b}{}", "x".repeat(60_000));
    let cause = OperationFailure { name: "OperationError".to_owned(), message: quoted };
    session.handle_link(
        link,
        LinkEvent::Completed(operation.expect("an offer is begun"), Err(cause.clone())),
        now,
    );
    world.settle();
    let message = format!("Failed to parse: a=evil{}", "x".repeat(300 - 25));
    let told = RoomEvent::NegotiationBroken(world.id(a), link, OperationFailure { message, ..cause });
    assert!(world.pages[b].events.contains(&told));
    world.pass(5 * SECOND);
    assert_eq!(world.state(b, a), Some(LinkState::Connected));
    assert_eq!(world.pages[b].opened.len(), 2);
}
