//! The pace at which a page shows what changed.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    chat::MessageNumber,
    notice::NoticeCode,
    room::{Changes, RoomEvent},
};
use sightline_protocol::MemberId;

fn at(milliseconds: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(milliseconds))
}

fn message(number: u32) -> RoomEvent {
    RoomEvent::ChatChanged(MessageNumber(number))
}

fn member(name: &str) -> RoomEvent {
    RoomEvent::PeerChanged(MemberId::new(name).unwrap())
}

fn passed(changes: &mut Changes) -> Vec<RoomEvent> {
    std::iter::from_fn(|| changes.poll_output()).collect()
}

/// More changes than pass at once.
fn flooded(now: Timestamp) -> Changes {
    let mut changes = Changes::default();
    while changes.poll_timeout().is_none() {
        changes.handle(member("eve"), now);
    }
    passed(&mut changes);
    changes
}

#[test]
fn a_few_changes_are_shown_at_once() {
    let mut changes = Changes::default();
    for number in 0..20 {
        changes.handle(message(number), at(1_000));
    }
    assert_eq!(passed(&mut changes), (0..20).map(message).collect::<Vec<_>>());
    assert_eq!(changes.poll_timeout(), None);
}

#[test]
fn a_flood_of_changes_is_shown_four_times_a_second_without_loss() {
    let mut changes = flooded(at(0));
    let mut shown = Vec::new();
    let mut rounds = 0;
    for number in 0..900 {
        let now = at(u64::from(number));
        changes.handle(message(number), now);
        changes.handle(member("eve"), now);
        changes.handle_timeout(now);
        let round = passed(&mut changes);
        rounds += usize::from(!round.is_empty());
        shown.extend(round);
    }
    changes.handle_timeout(at(10_000));
    shown.extend(passed(&mut changes));
    assert!(rounds <= 4, "{rounds} rounds in 0.9 seconds");
    let messages = shown.iter().filter(|event| matches!(event, RoomEvent::ChatChanged(_)));
    assert_eq!(messages.cloned().collect::<Vec<_>>(), (0..900).map(message).collect::<Vec<_>>());
    assert!(
        shown.iter().filter(|event| **event == member("eve")).count() <= 5,
        "each member once in a round"
    );
}

#[test]
fn other_events_do_not_wait_and_keep_their_place() {
    let mut changes = flooded(at(0));
    changes.handle(message(1), at(10));
    changes.handle(RoomEvent::Raised(NoticeCode::MemberMuted), at(10));
    changes.handle(message(2), at(10));
    let expected = vec![member("eve"), message(1), RoomEvent::Raised(NoticeCode::MemberMuted)];
    assert_eq!(passed(&mut changes), expected);
    changes.release();
    assert_eq!(passed(&mut changes), [message(2)]);
}

#[test]
fn the_number_of_waiting_changes_is_bounded() {
    let mut changes = flooded(at(0));
    for number in 0..100_000 {
        changes.handle(RoomEvent::ChatForgotten(MessageNumber(number)), at(0));
    }
    let ready = passed(&mut changes).len();
    assert!((99_000..=100_001).contains(&ready), "{ready} passed without any timeout");
}
