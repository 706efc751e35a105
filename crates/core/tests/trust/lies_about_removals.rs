//! A server, alone or with a removed member, that attacks a protected room by what it says of hosts, removals and secrets, and when.

use std::{cell::RefCell, rc::Rc, time::Duration};

use sightline_core::{
    notice::NoticeCode,
    random::SeededRandom,
    room::{HostAction, LinkState},
    trust::RoomSecret,
};
use sightline_protocol::{
    DisplayName, InstanceId, KeyId, Member, MemberId, Rekey,
    control::ControlMessage,
    signaling::{ClientMessage, ServerMessage},
};

use crate::hosted_room::{
    are_connected, assert_nobody_in_between, connected, first_secret, has_raised, hosted, keys, member,
    remove, secret, tell,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_removal_that_the_server_never_hears_of_or_hears_of_late_takes_effect_at_once_all_the_same() {
    let mut world = hosted(4);
    let held: Rc<RefCell<Vec<(usize, ClientMessage)>>> = Rc::default();
    let kept = held.clone();
    world.deaf = Some(Box::new(move |page, message| {
        let is_held = matches!(message, ClientMessage::Remove { .. } | ClientMessage::Rekey { .. });
        if is_held {
            kept.borrow_mut().push((page, message.clone()));
        }
        is_held
    }));
    remove(&mut world, 0, 3);
    for page in 0..3 {
        assert_eq!(world.state(page, 3), None, "page {page}");
        assert_eq!(secret(&world, page), secret(&world, 0));
    }
    assert_ne!(secret(&world, 0), first_secret());
    world.pass(10 * SECOND);
    assert!(are_connected(&world, &[0, 1, 2]));
    assert!((0..3).all(|page| world.state(page, 3).is_none() && !connected(&world, 3, page)));
    assert!(!held.borrow().is_empty());
    world.deaf = None;
    for (page, message) in held.take() {
        world.hear(page, &message);
    }
    world.pass(30 * SECOND);
    assert!(are_connected(&world, &[0, 1, 2]));
    assert!((0..3).all(|page| !has_raised(&world, page, NoticeCode::SignalsRefused)));
    assert_eq!(world.admission.as_ref(), keys(secret(&world, 1)).admission());
}

/// A server that hides the removal, and listed the removed page a second time under another member before it.
#[test]
fn a_page_that_the_server_lists_twice_is_removed_altogether() {
    for is_decoy_first in [false, true] {
        let mut world = hosted(0);
        let decoy = MemberId::new("a-decoy").unwrap();
        let listing = decoy.clone();
        world.interference = Some(Box::new(move |page, message| match message {
            ServerMessage::PeerJoined { member } if member.instance.as_str() == "i2" && page < 2 => {
                let again = Member { id: listing.clone(), ..member.clone() };
                let mut told = [member, again];
                if is_decoy_first {
                    told.reverse();
                }
                told.map(|member| (page, ServerMessage::PeerJoined { member })).into()
            }
            ServerMessage::PeerRemoved { .. } | ServerMessage::RoomState { .. } if page == 1 => Vec::new(),
            ServerMessage::Removed => Vec::new(),
            message => vec![(page, message)],
        }));
        for _ in 0..3 {
            world.open(None);
        }
        assert!(are_connected(&world, &[0, 1, 2]), "decoy first: {is_decoy_first}");
        let names = world.pages[0].session.peers().map(|peer| peer.member.name.to_string());
        assert_eq!(names.filter(|name| name == "someone 2").count(), 2, "the host cannot tell the two apart");
        // The host sees two members of this name and removes one of them.
        let now = world.now;
        world.pages[0].session.act_as_host(HostAction::Remove(decoy.clone()), now);
        world.settle();
        world.pass(10 * SECOND);
        for page in 0..2 {
            assert_eq!(world.state(page, 2), None, "decoy first: {is_decoy_first}, page {page}");
            assert!(world.pages[page].session.peer(&decoy).is_none());
        }
        assert_ne!(secret(&world, 0), first_secret());
        assert_eq!(secret(&world, 1), secret(&world, 0));
        assert_eq!(secret(&world, 2), first_secret(), "the removed page did not get the secret");
        assert!(are_connected(&world, &[0, 1]));
    }
}

fn rekey(secret: RoomSecret, replaces: RoomSecret) -> ControlMessage {
    let replaces = keys(replaces).id().cloned();
    ControlMessage::Rekey(Rekey {
        secret: secret.to_message().unwrap(),
        replaces: replaces.into_iter().collect::<Vec<KeyId>>(),
        removed: Vec::new(),
    })
}

/// A member sends a secret although it is no host, is removed, and then the server calls it host.
#[test]
fn a_secret_that_a_removed_member_left_behind_is_never_taken() {
    for by_departure in [false, true] {
        let mut world = hosted(3);
        let left_behind = RoomSecret::from_random(66);
        let (to_page_1, now) = (world.id(1), world.now);
        world.pages[2].session.send_control(&to_page_1, &rekey(left_behind, first_secret()));
        world.settle();
        assert_eq!(secret(&world, 1), first_secret(), "it is no host");
        let gone = world.id(2);
        if by_departure {
            world.pages[2].session.leave(now);
            world.settle();
        } else {
            remove(&mut world, 0, 2);
        }
        let before = secret(&world, 1);
        let state = ServerMessage::RoomState {
            hosts: vec![world.id(0), gone],
            locked: true,
            resume: "m1".to_owned(),
            admission_sha256: keys(before).admission_digest(),
        };
        tell(&mut world, 1, &state);
        world.pass(30 * SECOND);
        assert_eq!(secret(&world, 1), before, "by departure: {by_departure}");
        assert!(are_connected(&world, &[0, 1]));
    }
}

/// Each page is told that it alone is host, and that the room has a secret that nobody has.
#[test]
fn a_server_that_calls_each_page_the_only_host_gets_no_secret_and_the_pages_agree_when_it_stops() {
    let mut world = hosted(3);
    let is_lying = Rc::new(RefCell::new(true));
    let lies = is_lying.clone();
    let invented = keys(RoomSecret::from_random(66)).admission_digest();
    world.interference = Some(Box::new(move |page, mut message| {
        if let (true, ServerMessage::RoomState { hosts, admission_sha256, .. }) =
            (*lies.borrow(), &mut message)
        {
            *hosts = vec![MemberId::new(format!("m{page}")).unwrap()];
            admission_sha256.clone_from(&invented);
        }
        vec![(page, message)]
    }));
    let first = world.id(0);
    world.dismiss_host(&MemberId::new("nobody").unwrap());
    world.settle();
    world.pass(60 * SECOND);
    assert!(are_connected(&world, &[0, 1, 2]), "calls go on");
    let secrets: Vec<_> = (0..3).map(|page| secret(&world, page)).collect();
    assert!(secrets.iter().all(|secret| *secret != RoomSecret::from_random(66)));
    assert_nobody_in_between(&world);
    *is_lying.borrow_mut() = false;
    // All are hosts, as they were told.
    for page in [1, 2] {
        let (member, now) = (world.id(page), world.now);
        world.pages[0].session.act_as_host(HostAction::MakeHost(member), now);
        world.settle();
    }
    assert_eq!(world.hosts[0], first);
    world.pass(60 * SECOND);
    let agreed = secret(&world, 0);
    assert_eq!([1, 2].map(|page| secret(&world, page)), [agreed; 2]);
    assert_eq!(world.admission.as_ref(), keys(agreed).admission());
    assert!(are_connected(&world, &[0, 1, 2]));
}

#[test]
fn a_removed_member_and_a_server_show_a_name_and_no_connection() {
    let mut world = hosted(3);
    remove(&mut world, 0, 2);
    let page = InstanceId::new("made-up").unwrap();
    let (name, mut random) = (DisplayName::cut("Ada"), SeededRandom::new(9));
    let sealed_name = keys(first_secret()).seal_name(&name, &page, &mut random);
    let id = MemberId::new("ghost").unwrap();
    let ghost = Member { id: id.clone(), instance: page, sealed_name, ..member(&world, 2) };
    tell(&mut world, 0, &ServerMessage::PeerJoined { member: ghost });
    world.pass(60 * SECOND);
    let view = world.pages[0].session.peer(&id).unwrap();
    assert_eq!((view.member.name.as_str(), view.has_readable_name()), ("Ada", true));
    assert_ne!(view.state, LinkState::Connected);
}

/// Somebody has the room open twice, and the server shows the host one of the two pages.
#[test]
fn a_page_that_the_server_hides_from_the_host_is_seen_by_whomever_it_is_connected_to() {
    let mut world = hosted(2);
    world.interference = Some(Box::new(|page, message| match message {
        ServerMessage::PeerJoined { member } if page == 0 && member.instance.as_str() == "i3" => Vec::new(),
        ServerMessage::Signal { from, .. } if page == 0 && from.as_str() == "m3" => Vec::new(),
        message => vec![(page, message)],
    }));
    let (_, hidden) = (world.open(None), world.open(None));
    remove(&mut world, 0, 2);
    // An honest page leaves after 20 seconds without the secret.
    world.pass(10 * SECOND);
    assert!(world.pages[0].session.peer(&world.id(hidden)).is_none());
    assert_eq!((world.state(0, 2), world.state(1, 2)), (None, None));
    assert!(are_connected(&world, &[0, 1]));
    let view = world.pages[1].session.peer(&world.id(hidden)).unwrap();
    assert_eq!((view.state, view.member.name.as_str()), (LinkState::Connected, "someone 3"));
    assert_eq!(secret(&world, hidden), first_secret(), "no host gave it the secret");
}
