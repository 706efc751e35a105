//! A server that attacks a protected room by what it says of its members: who is there, which page is whose, and who came when.

use std::{cell::RefCell, rc::Rc, time::Duration};

use sightline_core::{
    notice::NoticeCode,
    room::RoomEvent,
    trust::{Refusal, RoomSecret},
};
use sightline_protocol::{
    Arrival, InstanceId, Member, MemberId, RoomName,
    control::ControlMessage,
    signaling::{ServerMessage, Signal},
};

use crate::{
    hosted_room::{
        are_connected, assert_nobody_in_between, connected, first_secret, forge, has_raised, hosted,
        refusals, tell,
    },
    world::World,
};

const SECOND: Duration = Duration::from_secs(1);

/// The members as they were listed to each page last.
type Listed = Rc<RefCell<Vec<(usize, Member)>>>;

/// Keeps what is listed from now on, and changes nothing.
fn note_listed(world: &mut World) -> Listed {
    let listed = Listed::default();
    let kept = listed.clone();
    world.interference = Some(Box::new(move |page, message| {
        match &message {
            ServerMessage::Joined { members, .. } => {
                kept.borrow_mut().extend(members.iter().map(|member| (page, member.clone())));
            }
            ServerMessage::PeerJoined { member } => kept.borrow_mut().push((page, member.clone())),
            _ => {}
        }
        vec![(page, message)]
    }));
    listed
}

/// A protected room of three pages, and what each was told of the others.
fn three_listed() -> (World, Listed) {
    let mut world = World::new();
    world.secret = Some(first_secret());
    let listed = note_listed(&mut world);
    for _ in 0..3 {
        world.open(None);
    }
    (world, listed)
}

fn listed_as(listed: &Listed, page: usize, id: &MemberId) -> Member {
    let listed = listed.borrow();
    let found = listed.iter().rev().find(|(to, member)| *to == page && member.id == *id);
    found.map(|(_, member)| member.clone()).expect("the member was listed")
}

/// A server that tells the truth from now on gets these pages calls with each other.
fn assert_the_truth_connects(world: &mut World, pages: &[usize]) {
    world.restart_server();
    world.pass(60 * SECOND);
    assert!(are_connected(world, pages));
    assert_nobody_in_between(world);
}

#[test]
fn signals_for_a_connection_that_was_replaced_meanwhile_have_no_effect_when_they_come_late() {
    let mut world = hosted(2);
    let held: Rc<RefCell<Vec<(usize, ServerMessage)>>> = Rc::default();
    let holds = Rc::new(RefCell::new(true));
    let (kept, is_holding) = (held.clone(), holds.clone());
    world.interference = Some(Box::new(move |page, message| {
        if *is_holding.borrow() && matches!(message, ServerMessage::Signal { .. }) {
            kept.borrow_mut().push((page, message));
            return Vec::new();
        }
        vec![(page, message)]
    }));
    world.fail_links(0);
    world.pass(15 * SECOND);
    assert!(!connected(&world, 0, 1));
    *holds.borrow_mut() = false;
    world.pass(30 * SECOND);
    assert!(are_connected(&world, &[0, 1]));
    let generations: Vec<_> = held
        .borrow()
        .iter()
        .map(|(_, message)| match message {
            ServerMessage::Signal { signal: Signal { generation, .. }, .. } => generation.0,
            message => panic!("{message:?}"),
        })
        .collect();
    assert!(generations.iter().any(|held| *held > generations[0]), "offers of several: {generations:?}");
    let (opened, applied): (Vec<_>, _) =
        (world.pages.iter().map(|page| page.opened.clone()).collect(), world.applied.len());
    for (page, message) in held.take() {
        tell(&mut world, page, &message);
        world.pass(SECOND);
        assert!(are_connected(&world, &[0, 1]));
    }
    assert_eq!(world.pages.iter().map(|page| page.opened.clone()).collect::<Vec<_>>(), opened);
    assert_eq!(world.applied.len(), applied, "no description was applied");
}

#[test]
fn a_room_that_the_server_splits_into_two_views_has_no_false_member_and_meets_when_the_views_are_joined() {
    let mut world = World::new();
    world.secret = Some(first_secret());
    let is_split = Rc::new(RefCell::new(true));
    let split = is_split.clone();
    world.interference = Some(Box::new(move |page, message| {
        let is_near = |id: &MemberId| usize::from(id.as_str().as_bytes()[1] - b'0') % 2 == page % 2;
        if !*split.borrow() {
            return vec![(page, message)];
        }
        match message {
            ServerMessage::Joined {
                you,
                arrival,
                room,
                mut members,
                resume,
                ice_servers,
                ice_servers_life_s,
                room_limit,
                hosts,
                locked,
                admission_sha256,
            } => {
                members.retain(|member| is_near(&member.id));
                let joined = ServerMessage::Joined {
                    you,
                    arrival,
                    room,
                    members,
                    resume,
                    ice_servers,
                    ice_servers_life_s,
                    room_limit,
                    hosts,
                    locked,
                    admission_sha256,
                };
                vec![(page, joined)]
            }
            ServerMessage::PeerJoined { ref member } if !is_near(&member.id) => Vec::new(),
            message => vec![(page, message)],
        }
    }));
    for _ in 0..4 {
        world.open(None);
    }
    world.pass(20 * SECOND);
    assert!(are_connected(&world, &[0, 2]) && are_connected(&world, &[1, 3]));
    assert!((0..4).all(|page| world.pages[page].session.peers().count() == 1));
    *is_split.borrow_mut() = false;
    world.restart_server();
    world.pass(60 * SECOND);
    assert!(are_connected(&world, &[0, 1, 2, 3]));
    assert_nobody_in_between(&world);
    assert!((0..4).all(|page| refusals(&world, page).is_empty()));
}

#[test]
fn a_server_that_lies_about_who_came_first_prevents_a_call_at_most() {
    for lie in 0..4_u64 {
        let mut world = World::new();
        world.secret = Some(first_secret());
        let is_lying = Rc::new(RefCell::new(true));
        let lies = is_lying.clone();
        world.interference = Some(Box::new(move |page, mut message| {
            // Each page believes that it came first, or last, or one of the two does.
            let forged = Arrival(if lie >> (page % 2) & 1 == 1 { 1_000 } else { 0 });
            match &mut message {
                _ if !*lies.borrow() => {}
                ServerMessage::Joined { members, .. } => {
                    members.iter_mut().for_each(|member| member.arrival = forged);
                }
                ServerMessage::PeerJoined { member } => member.arrival = forged,
                _ => {}
            }
            vec![(page, message)]
        }));
        let (_, _) = (world.open(None), world.open(None));
        world.pass(20 * SECOND);
        assert_eq!(connected(&world, 0, 1), connected(&world, 1, 0), "lie {lie}");
        assert_nobody_in_between(&world);
        *is_lying.borrow_mut() = false;
        assert_the_truth_connects(&mut world, &[0, 1]);
    }
}

#[test]
fn instance_ids_that_the_server_exchanges_after_a_reload_lead_to_no_call_and_no_false_name() {
    let (mut world, listed) = three_listed();
    let tokens = [1, 2].map(|page| world.resume_token(page));
    let is_lying = Rc::new(RefCell::new(true));
    let (lies, kept) = (is_lying.clone(), listed.clone());
    world.interference = Some(Box::new(move |page, mut message| {
        if let (0, true, ServerMessage::PeerJoined { member }) = (page, *lies.borrow(), &mut message) {
            kept.borrow_mut().push((page, member.clone()));
            // The first of the two pages that are loaded again is told only with the second one.
            let reloaded: Vec<_> = kept
                .borrow()
                .iter()
                .filter(|(_, known)| known.arrival.0 > 3)
                .map(|(_, known)| known.clone())
                .collect();
            let [one, other] = &reloaded[..] else { return Vec::new() };
            let swapped = |id: &Member, page: &Member| Member { id: id.id.clone(), ..page.clone() };
            let told = [swapped(one, other), swapped(other, one)];
            return told.map(|member| (0, ServerMessage::PeerJoined { member })).into();
        }
        vec![(page, message)]
    }));
    for (page, token) in [1, 2].into_iter().zip(tokens) {
        world.kill(page);
        world.open(Some(token));
    }
    world.pass(20 * SECOND);
    assert!(connected(&world, 3, 4) && connected(&world, 4, 3));
    assert!(![3, 4].into_iter().any(|page| connected(&world, 0, page) || connected(&world, page, 0)));
    assert!(has_raised(&world, 0, NoticeCode::SignalsRefused));
    assert_nobody_in_between(&world);
    *is_lying.borrow_mut() = false;
    assert_the_truth_connects(&mut world, &[0, 3, 4]);
}

#[test]
fn a_page_that_is_told_another_member_id_in_a_call_is_taken_for_nobody_else() {
    let (mut world, listed) = three_listed();
    // Page 2 is told that it is the member of page 1, and page 1 that it is the one of page 2. Signals go to whom they name.
    let ids = [1, 2].map(|page| world.id(page));
    let first = listed_as(&listed, 1, &world.id(0));
    for (page, you) in [(1, &ids[1]), (2, &ids[0])] {
        let message = ServerMessage::Joined {
            you: you.clone(),
            arrival: Arrival(50 + page as u64),
            room: RoomName::new("team").unwrap(),
            members: vec![first.clone()],
            resume: you.to_string(),
            ice_servers: Vec::new(),
            ice_servers_life_s: None,
            room_limit: 8,
            hosts: Vec::new(),
            locked: false,
            admission_sha256: None,
        };
        tell(&mut world, page, &message);
    }
    world.fail_links(0);
    world.pass(30 * SECOND);
    assert!(![1, 2].into_iter().any(|page| connected(&world, 0, page)));
    assert!(has_raised(&world, 0, NoticeCode::SignalsRefused));
    assert_nobody_in_between(&world);
}

#[test]
fn who_is_let_in_by_the_server_alone_has_no_call_and_no_name_without_the_secret() {
    let mut world = hosted(2);
    world.is_locked = true;
    world.secret = Some(RoomSecret::from_random(8));
    // The server answers the knock by itself.
    let intruder = world.open(None);
    world.pass(60 * SECOND);
    for page in 0..2 {
        let view = world.pages[page].session.peer(&world.id(intruder)).unwrap();
        assert!(!view.has_readable_name() && view.member.name.is_empty());
        let view = world.pages[intruder].session.peer(&world.id(page)).unwrap();
        assert!(!view.has_readable_name() && view.member.name.is_empty());
        assert!(!connected(&world, page, intruder) && !connected(&world, intruder, page));
        assert!(has_raised(&world, page, NoticeCode::SignalsRefused));
    }
    assert!(are_connected(&world, &[0, 1]));
}

#[test]
fn a_knock_with_the_name_of_somebody_else_leads_to_no_call_under_that_name() {
    let mut world = hosted(1);
    let listed = note_listed(&mut world);
    let ada = world.open(None);
    let known = listed_as(&listed, 0, &world.id(ada));
    let (gone, now) = (world.id(ada), world.now);
    world.pages[ada].session.leave(now);
    world.settle();
    world.pass(SECOND);
    assert!(world.pages[0].session.peer(&gone).is_none());
    // The server shows the host the knock of a page that left, and lists that page when the host says yes, as whoever comes in its place.
    let visitor = sightline_protocol::Visitor {
        id: MemberId::new("v1").unwrap(),
        name: known.name.clone(),
        sealed_name: known.sealed_name.clone(),
        instance: known.instance.clone(),
        picture: None,
    };
    tell(&mut world, 0, &ServerMessage::Knock { visitor });
    let visitors = world.pages[0].session.hosting().visitors();
    assert_eq!(visitors[0].name.as_str(), format!("someone {ada}"), "it cannot be told from a real one");
    world.secret = Some(RoomSecret::from_random(8));
    let (ghost, own) = (known.clone(), known.instance);
    world.interference = Some(Box::new(move |page, message| match (page, message) {
        (0, ServerMessage::PeerJoined { member }) => {
            let member = Member { id: member.id, arrival: member.arrival, ..ghost.clone() };
            vec![(0, ServerMessage::PeerJoined { member })]
        }
        (page, message) => vec![(page, message)],
    }));
    let intruder = world.open(None);
    world.pass(60 * SECOND);
    let view = world.pages[0].session.peer(&world.id(intruder)).unwrap();
    assert_eq!(view.member.instance, own);
    assert!(!connected(&world, 0, intruder) && !connected(&world, intruder, 0));
}

#[test]
fn a_server_that_says_that_somebody_was_removed_or_loaded_again_ends_a_call_and_the_truth_heals_it() {
    let mut world = hosted(3);
    let listed = note_listed(&mut world);
    let late = world.open(None);
    let id = world.id(late);
    let real = listed_as(&listed, 0, &id);
    let invented = Member { instance: InstanceId::new("of-the-server").unwrap(), ..real.clone() };
    tell(&mut world, 0, &ServerMessage::PeerJoined { member: invented });
    world.pass(5 * SECOND);
    assert!(!connected(&world, 0, late), "the page is said to be another one");
    assert!(are_connected(&world, &[0, 1, 2]));
    tell(&mut world, 0, &ServerMessage::PeerJoined { member: real });
    world.pass(30 * SECOND);
    assert!(are_connected(&world, &[0, 1, 2, 3]));
    assert_nobody_in_between(&world);
    // An invented removal: the page that believes it has a call with everybody else, and the host makes another secret.
    tell(&mut world, 1, &ServerMessage::PeerRemoved { id });
    world.pass(30 * SECOND);
    assert_eq!(world.state(1, late), None);
    assert!(are_connected(&world, &[0, 1, 2]));
    assert_nobody_in_between(&world);
}

#[test]
fn a_goodbye_ends_the_calls_of_its_sender_only_and_the_server_cannot_say_it() {
    let mut world = hosted(3);
    let ids: Vec<_> = (0..3).map(|page| world.id(page)).collect();
    // Who says goodbye to one member is still in the call with the other one.
    world.pages[2].session.send_control(&ids[0], &ControlMessage::Bye);
    world.settle();
    assert_eq!(world.state(0, 2), None);
    assert!(are_connected(&world, &[0, 1]) && connected(&world, 1, 2));
    // What the server says of departures does not end a call that works.
    for id in &ids[1..] {
        tell(&mut world, 0, &ServerMessage::PeerLeft { id: id.clone() });
        tell(&mut world, 0, &ServerMessage::PeerAway { id: id.clone() });
    }
    tell(&mut world, 1, &ServerMessage::PeerLeft { id: ids[0].clone() });
    world.pass(120 * SECOND);
    assert!(are_connected(&world, &[0, 1]));
}

#[test]
fn refused_signals_are_reported_once_and_have_no_effect_later_either() {
    let mut world = hosted(2);
    for _ in 0..20 {
        forge(&mut world, 1, 0);
        world.pass(SECOND);
    }
    let raised = RoomEvent::Raised(NoticeCode::SignalsRefused);
    assert_eq!(world.pages[1].events.iter().filter(|event| **event == raised).count(), 1);
    assert_eq!(refusals(&world, 1), [Refusal::Forged; 20]);
    assert!(are_connected(&world, &[0, 1]));
}

/// The lie arrives at any moment of the negotiation, on either page or on both.
#[test]
fn after_an_invented_reload_in_the_middle_of_a_negotiation_both_pages_have_one_code() {
    for (first, second) in (0..5).flat_map(|first| (0..5).map(move |second| (first, second))) {
        let mut world = World::new();
        world.secret = Some(first_secret());
        let mut known: Vec<(usize, Member)> = Vec::new();
        let mut count = [0; 2];
        world.interference = Some(Box::new(move |page, message| {
            match &message {
                ServerMessage::Joined { members, .. } => {
                    known.extend(members.iter().map(|member| (page, member.clone())));
                }
                ServerMessage::PeerJoined { member } => known.push((page, member.clone())),
                ServerMessage::Signal { .. } => {
                    count[page] += 1;
                    if count[page] == [first, second][page] {
                        let truth = known.iter().find(|(to, _)| *to == page).unwrap().1.clone();
                        let lie =
                            Member { instance: InstanceId::new("of-the-server").unwrap(), ..truth.clone() };
                        let told = [lie, truth].map(|member| (page, ServerMessage::PeerJoined { member }));
                        return [(page, message)].into_iter().chain(told).collect();
                    }
                }
                _ => {}
            }
            vec![(page, message)]
        }));
        let (_, _) = (world.open(None), world.open(None));
        world.pass(60 * SECOND);
        assert!(are_connected(&world, &[0, 1]), "{first} {second}");
        let code = |page: usize, other: usize| {
            world.pages[page].session.peer_trust().verification(&world.id(other)).code
        };
        assert!(code(0, 1).is_some() && code(0, 1) == code(1, 0), "{first} {second}");
        assert_nobody_in_between(&world);
    }
}
