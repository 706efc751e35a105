//! The pace at which a page shows what changed.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    budget::MessageKind,
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

/// A flood of messages for 0.9 seconds, and what the page shows in each round until everything is shown.
fn rounds_of_a_flood() -> Vec<Vec<RoomEvent>> {
    let mut changes = flooded(at(0));
    let mut rounds = Vec::new();
    for now_ms in 0..10_000 {
        if now_ms < 900 {
            changes.handle(message(now_ms), at(u64::from(now_ms)));
            changes.handle(member("eve"), at(u64::from(now_ms)));
        }
        changes.handle_timeout(at(u64::from(now_ms)));
        let round = passed(&mut changes);
        if !round.is_empty() {
            rounds.push(round);
        }
    }
    assert_eq!(changes.poll_timeout(), None);
    rounds
}

fn is_message(event: &&RoomEvent) -> bool {
    matches!(event, RoomEvent::ChatChanged(_))
}

#[test]
fn a_flood_of_messages_is_shown_a_few_at_a_time_without_loss() {
    let rounds = rounds_of_a_flood();
    for round in &rounds {
        let messages = round.iter().filter(is_message).count();
        assert!(messages <= 50, "{messages} messages at once");
    }
    let messages: Vec<_> = rounds.iter().flatten().filter(is_message).cloned().collect();
    assert_eq!(messages, (0..900).map(message).collect::<Vec<_>>());
}

#[test]
fn the_next_messages_of_a_flood_are_shown_when_their_time_has_come_and_not_before() {
    let mut changes = Changes::default();
    for number in 0..500 {
        changes.handle(message(number), at(0));
    }
    passed(&mut changes);
    let due = changes.poll_timeout().unwrap();
    changes.handle_timeout(at(0));
    assert_eq!((passed(&mut changes), changes.poll_timeout()), (vec![], Some(due)));
    changes.handle_timeout(due);
    assert!(!passed(&mut changes).is_empty());
    assert!(changes.poll_timeout().is_some_and(|next| next > due));
}

#[test]
fn a_member_that_changes_all_the_time_is_shown_four_times_a_second() {
    let rounds = rounds_of_a_flood();
    let changes = rounds.iter().flatten().filter(|event| **event == member("eve")).count();
    assert!(changes <= 5, "{changes} changes in 0.9 seconds");
}

#[test]
fn a_message_behind_a_members_whole_budget_is_shown_within_a_second() {
    let mut changes = Changes::default();
    let budget = MessageKind::Chat.limit().burst;
    for number in 0..=budget {
        changes.handle(message(number), at(0));
    }
    let mut shown_at_ms = None;
    for now_ms in 0..10_000 {
        changes.handle_timeout(at(now_ms));
        if passed(&mut changes).contains(&message(budget)) {
            shown_at_ms.get_or_insert(now_ms);
        }
    }
    assert!(shown_at_ms.is_some_and(|shown_at_ms| shown_at_ms <= 1_000), "{shown_at_ms:?}");
}

#[test]
fn other_events_do_not_wait_and_come_after_what_waits_about_members() {
    let mut changes = flooded(at(0));
    changes.handle(RoomEvent::Raised(NoticeCode::MemberMuted), at(10));
    assert_eq!(passed(&mut changes), [member("eve"), RoomEvent::Raised(NoticeCode::MemberMuted)]);
}

#[test]
fn a_flood_of_other_events_does_not_hurry_the_messages() {
    let mut changes = Changes::default();
    for number in 0..100 {
        changes.handle(message(number), at(0));
        changes.handle(RoomEvent::Raised(NoticeCode::MemberMuted), at(0));
    }
    assert_eq!(passed(&mut changes).iter().filter(is_message).count(), 40);
}

#[test]
fn everything_is_shown_before_the_page_goes_away() {
    let mut changes = Changes::default();
    for number in 0..500 {
        changes.handle(message(number), at(0));
    }
    changes.release();
    assert_eq!(passed(&mut changes), (0..500).map(message).collect::<Vec<_>>());
    assert_eq!(changes.poll_timeout(), None);
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

#[test]
fn members_wait_while_the_page_is_busy_with_the_connection_to_one_of_them() {
    let mut changes = Changes::default();
    changes.hold_members(at(150), at(0));
    changes.handle(member("ada"), at(10));
    changes.handle(RoomEvent::HostingChanged, at(20));
    changes.handle(member("ada"), at(30));
    assert_eq!(passed(&mut changes), [RoomEvent::HostingChanged]);
    changes.release_members();
    assert_eq!(passed(&mut changes), [member("ada")]);
    // The hold is over.
    changes.handle(member("bob"), at(40));
    assert_eq!((passed(&mut changes), changes.poll_timeout()), (vec![member("bob")], None));
}

#[test]
fn members_are_shown_in_time_whatever_becomes_of_the_connection() {
    let mut changes = Changes::default();
    for now_ms in 0..100 {
        changes.hold_members(at(now_ms + 100), at(now_ms));
        changes.handle(member("eve"), at(now_ms));
    }
    assert_eq!(changes.poll_timeout(), Some(at(100)), "a later hold does not prolong the first one");
    changes.handle_timeout(at(100));
    assert_eq!(passed(&mut changes), [member("eve")]);
}

#[test]
fn a_member_that_leaves_while_it_waits_is_shown_before() {
    let mut changes = Changes::default();
    changes.hold_members(at(150), at(0));
    changes.handle(member("ada"), at(10));
    let gone = RoomEvent::PeerGone(MemberId::new("ada").unwrap());
    changes.handle(gone.clone(), at(20));
    assert_eq!(passed(&mut changes), [member("ada"), gone]);
}
