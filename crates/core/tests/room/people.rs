//! Raised hands, reactions, and messages to one member.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    budget::Standing,
    chat::{DeliveryState, MessageNumber},
    room::{Reactions, RoomEvent, SHOWN_FOR, ShownReaction},
};
use sightline_protocol::{
    MemberId, Reaction,
    control::{PublishedSource, PublishedState},
};

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

fn raise(world: &mut World, page: usize, is_raised: bool) {
    world.pages[page].session.raise_hand(is_raised, world.now);
    world.settle();
}

/// The raised hands as one page shows them, as the numbers of the pages.
fn hands(world: &World, page: usize) -> Vec<usize> {
    let number = |id: &MemberId| (0..world.pages.len()).find(|other| world.id(*other) == *id).unwrap();
    let hands = world.pages[page].session.raised_hands();
    hands.iter().map(|member| member.as_ref().map_or(page, number)).collect()
}

#[test]
fn every_page_shows_the_hands_in_the_order_in_which_they_were_raised() {
    let mut world = World::new();
    let (a, b, c) = (world.open(None), world.open(None), world.open(None));
    for page in [c, a, b] {
        raise(&mut world, page, true);
    }
    // Raising a raised hand keeps its place.
    raise(&mut world, c, true);
    let later = world.open(None);
    for page in [a, b, c, later] {
        assert_eq!(hands(&world, page), [c, a, b], "{page}");
    }
    raise(&mut world, a, false);
    raise(&mut world, a, true);
    for page in [a, b, c, later] {
        assert_eq!(hands(&world, page), [c, b, a], "{page}");
    }
}

#[test]
fn a_hand_stays_raised_when_the_source_changes_and_goes_with_its_member() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    raise(&mut world, a, true);
    let published = PublishedState { source: PublishedSource::Screen, ..PublishedState::default() };
    world.pages[a].session.set_published(published, world.now);
    world.settle();
    assert_eq!(hands(&world, b), [a]);
    world.pages[a].session.leave(world.now);
    world.settle();
    assert_eq!(world.pages[b].session.raised_hands(), []);
}

#[test]
fn hands_that_were_raised_without_knowing_of_each_other_have_the_same_order_everywhere() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    world.set_network(false);
    raise(&mut world, b, true);
    raise(&mut world, a, true);
    world.set_network(true);
    world.pass(10 * SECOND);
    assert_eq!(hands(&world, a).len(), 2);
    assert_eq!(hands(&world, a), hands(&world, b));
}

#[test]
fn a_member_that_claims_the_greatest_number_cannot_make_pages_disagree() {
    let mut world = World::new();
    let (a, b, hostile) = (world.open(None), world.open(None), world.open(None));
    let greatest = format!(r#"{{"type":"state","microphone":false,"source":"none","hand":{}}}"#, u32::MAX);
    for page in [a, b] {
        let (link, now) = (world.pages[page].opened[1], world.now);
        world.pages[page].session.handle_control(link, &greatest, now);
    }
    raise(&mut world, b, true);
    raise(&mut world, a, true);
    // Equal numbers are in the order of the member ids.
    for page in [a, b] {
        assert_eq!(hands(&world, page), [a, b, hostile], "{page}");
    }
}

#[test]
fn a_reaction_reaches_everyone_who_is_there() {
    let mut world = World::new();
    let (a, b, c) = (world.open(None), world.open(None), world.open(None));
    world.pages[a].session.send_reaction(Reaction::Applause);
    world.settle();
    let reacted = RoomEvent::Reacted(world.id(a), Reaction::Applause);
    for page in [b, c] {
        assert_eq!(world.pages[page].events.iter().filter(|event| **event == reacted).count(), 1, "{page}");
    }
}

#[test]
fn a_member_shows_its_latest_reaction_for_some_seconds() {
    let (mut reactions, ada) = (Reactions::default(), MemberId::new("ada").unwrap());
    let at = |seconds| Timestamp::from_origin(Duration::from_secs(seconds));
    reactions.handle(&ada, Reaction::Unknown, at(1));
    assert_eq!(reactions.poll_changed(), None, "a reaction of a later version shows nothing");
    for number in 0..100 {
        reactions.handle(&ada, Reaction::Heart, at(1));
        let shown = ShownReaction { reaction: Reaction::Heart, number };
        assert_eq!(reactions.poll_changed(), Some((Some(ada.clone()), Some(shown))));
    }
    assert_eq!(reactions.poll_timeout(), Some(at(1) + SHOWN_FOR), "one is shown");
    reactions.handle_timeout(at(5));
    assert_eq!(reactions.poll_changed(), None);
    reactions.handle_timeout(at(1) + SHOWN_FOR);
    assert_eq!(reactions.poll_changed(), Some((Some(ada.clone()), None)));
    assert_eq!(reactions.poll_timeout(), None);
    reactions.handle(&ada, Reaction::Heart, at(20));
    reactions.handle_gone(&ada);
    assert_eq!(reactions.poll_timeout(), None, "nothing is kept of a member that left");
}

#[test]
fn a_page_that_reacts_as_fast_as_it_may_stays_within_the_budget_of_the_others() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let (mut reactions, mut sent) = (Reactions::default(), 0);
    for _ in 0..600 {
        if reactions.react(Reaction::ThumbsUp, world.now) {
            world.pages[a].session.send_reaction(Reaction::ThumbsUp);
            sent += 1;
        }
        world.settle();
        world.pass(Duration::from_millis(100));
    }
    assert!((40..70).contains(&sent), "{sent}");
    assert_eq!(world.pages[b].session.accounts().dropped(&world.id(a)), 0);
}

#[test]
fn a_private_message_arrives_at_its_receiver_alone_and_once() {
    let mut world = World::new();
    world.hosts = vec![MemberId::new("m2").unwrap()];
    let (a, b, c) = (world.open(None), world.open(None), world.open(None));
    assert!(world.pages[c].session.hosting().is_host(), "hosts get no more than others");
    assert!(world.pages[a].session.peer(&world.id(b)).unwrap().published.unwrap().private_chat);
    world.set_network(false);
    world.fail_links(a);
    let to = world.id(b);
    world.pages[a].session.send_private_chat(&to, "between us", 5, world.now).unwrap();
    world.set_network(true);
    world.pass(60 * SECOND);
    let all = |world: &World, page: usize| {
        let session = &world.pages[page].session;
        let shown = |number| session.conversation().message(MessageNumber(number)).cloned();
        (0..session.conversation().len() as u32).filter_map(shown).collect::<Vec<_>>()
    };
    let [own, received] = [all(&world, a), all(&world, b)];
    assert!(
        matches!(&own[..], [message] if message.is_private && message.state == DeliveryState::Delivered
        && message.addressee_name == "someone 1"),
        "{own:?}"
    );
    assert!(
        matches!(&received[..], [message] if message.is_private && message.text == "between us"),
        "{received:?}"
    );
    assert!(all(&world, c).is_empty());
}

#[test]
fn a_private_message_to_a_member_that_is_cut_off_is_undeliverable() {
    let mut world = World::new();
    let (a, b) = (world.open(None), world.open(None));
    let (to, now) = (world.id(b), world.now);
    let session = &mut world.pages[a].session;
    session.handle_lost_messages(&to, 10_000_000, now);
    assert_eq!(session.peer(&to).unwrap().standing, Standing::CutOff);
    session.send_private_chat(&to, "are you there?", 5, now).unwrap();
    let message = session.conversation().message(MessageNumber(0)).unwrap();
    assert_eq!(message.state, DeliveryState::Undeliverable);
}
