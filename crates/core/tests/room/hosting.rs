//! Hosts, the lock, knocks and removals as the members' pages see them.

use sightline_core::{
    chat::{DeliveryState, MessageNumber},
    notice::NoticeCode,
    room::{HostAction, LinkState, RoomEvent},
    signaling::SignalingStatus,
};
use sightline_protocol::{MemberId, signaling::ClientMessage};

use super::{SECOND, World};

/// A room whose first page is host, as the server says.
fn hosted() -> (World, usize, usize) {
    let mut world = World::new();
    world.hosts = vec![MemberId::new("m0").unwrap()];
    let (host, member) = (world.open(None), world.open(None));
    (world, host, member)
}

fn knock(id: &str, name: &str) -> String {
    format!(r#"{{"type":"knock","visitor":{{"id":"{id}","name":"{name}","instance":"of-{id}"}}}}"#)
}

#[test]
fn a_host_asks_the_server_and_nothing_changes_before_the_server_says_so() {
    let (mut world, host, _) = hosted();
    let actions = [
        HostAction::Lock(true),
        HostAction::Remove(world.id(1)),
        HostAction::MakeHost(world.id(1)),
        HostAction::End,
    ];
    for action in actions {
        let now = world.now;
        world.pages[host].session.act_as_host(action, now);
        world.settle();
    }
    assert_eq!(world.host_actions.len(), 4);
    assert!(matches!(world.host_actions[0], (0, ClientMessage::Lock { locked: true })));
    assert!(!world.pages[host].session.hosting().is_locked());
    assert_eq!(world.state(0, 1), Some(LinkState::Connected));
    world.tell_raw(host, r#"{"type":"room_state","hosts":["m0"],"locked":true,"resume":"later"}"#);
    assert!(world.pages[host].session.hosting().is_locked());
    assert!(world.pages[host].events.contains(&RoomEvent::TokenChanged("later".to_owned())));
}

#[test]
fn who_is_no_host_asks_for_nothing() {
    let (mut world, _, member) = hosted();
    let now = world.now;
    world.pages[member].session.act_as_host(HostAction::End, now);
    world.settle();
    assert!(world.host_actions.is_empty() && !world.pages[member].session.hosting().is_host());
}

#[test]
fn the_token_of_the_latest_state_is_used_to_come_back() {
    let (mut world, host, _) = hosted();
    world.tell_raw(host, r#"{"type":"room_state","hosts":["m0"],"locked":true,"resume":"m0"}"#);
    world.cut_socket(host);
    world.pass(SECOND);
    assert_eq!(world.id(host), MemberId::new("m0").unwrap());
    assert_eq!(world.state(1, 0), Some(LinkState::Connected));
}

#[test]
fn a_host_sees_visitors_until_they_are_answered_and_a_member_sees_none() {
    let (mut world, host, member) = hosted();
    for page in [host, member] {
        world.tell_raw(page, &knock("v1", "Eve\\u202e"));
        world.tell_raw(page, &knock("v1", "twice"));
        world.tell_raw(page, &knock("v2", ""));
    }
    let visitors = world.pages[host].session.hosting().visitors();
    let names: Vec<_> = visitors.iter().map(|visitor| visitor.name.as_str()).collect();
    assert_eq!(names, ["Eve", ""]);
    assert!(world.pages[member].session.hosting().visitors().is_empty());
    world.tell_raw(host, r#"{"type":"knock_ended","id":"v1"}"#);
    assert_eq!(world.pages[host].session.hosting().visitors().len(), 1);
    world.tell_raw(host, r#"{"type":"room_state","hosts":["m1"],"locked":true,"resume":"m0"}"#);
    assert!(world.pages[host].session.hosting().visitors().is_empty(), "no longer host");
}

#[test]
fn a_server_that_invents_visitors_and_hosts_fills_no_memory() {
    let (mut world, host, _) = hosted();
    for n in 0..1_000 {
        world.tell_raw(host, &knock(&format!("v{n}"), "flood"));
    }
    assert_eq!(world.pages[host].session.hosting().visitors().len(), 16);
    let hosts: Vec<_> = (0..2_000).map(|n| format!("\"h{n}\"")).collect();
    let state =
        format!(r#"{{"type":"room_state","hosts":[{}],"locked":false,"resume":"m0"}}"#, hosts.join(","));
    world.tell_raw(host, &state);
    assert_eq!(world.pages[host].session.hosting().hosts().len(), 100);
}

#[test]
fn a_removed_member_is_gone_at_once_although_its_link_works_and_its_page_is_never_heard_again() {
    let (mut world, host, member) = hosted();
    let id = world.id(member);
    let instance = world.instance(member).clone();
    assert_eq!(world.state(host, member), Some(LinkState::Connected));
    world.tell_raw(host, &format!(r#"{{"type":"peer_removed","id":"{id}"}}"#));
    assert_eq!((world.state(host, member), world.pages[host].link_count()), (None, 0));
    assert!(world.pages[host].events.contains(&RoomEvent::PeerGone(id.clone())));
    let opened = world.pages[host].opened.len();
    // A malicious server lists it again, under the old id and under another one, and passes on its signals.
    for id in [id.as_str(), "other"] {
        world.tell_raw(
            host,
            &format!(
                r#"{{"type":"peer_joined","member":{{"id":"{id}","name":"","instance":"{instance}","arrival":900,"presence":"present"}}}}"#
            ),
        );
        world.tell_raw(
            host,
            &format!(
                r#"{{"type":"signal","from":"{id}","connection":"c9","generation":0,"payload":{{"description":{{"kind":"offer","exchange":1,"sdp":"v=0"}}}}}}"#
            ),
        );
    }
    world.pass(SECOND);
    assert_eq!(world.pages[host].session.peers().count(), 0);
    assert_eq!(world.pages[host].opened.len(), opened, "no link is opened to it");
    // Another page of the same person, which a host let in, is a member like any other.
    let back = world.open(None);
    assert_eq!(world.state(host, back), Some(LinkState::Connected));
}

#[test]
fn a_message_on_its_way_to_a_member_that_is_removed_is_delivered_once_the_others_have_it() {
    let (mut world, host, _) = hosted();
    let removed = world.open(None);
    // Its page acknowledges nothing any more.
    world.kill(removed);
    let now = world.now;
    world.pages[host].session.send_chat("hello", 5, now).unwrap();
    world.settle();
    let state =
        |world: &World| world.pages[host].session.conversation().message(MessageNumber(0)).unwrap().state;
    assert_eq!(state(&world), DeliveryState::Sending);
    world.tell_raw(host, &format!(r#"{{"type":"peer_removed","id":"{}"}}"#, world.id(removed)));
    assert_eq!(state(&world), DeliveryState::Delivered);
}

#[test]
fn a_page_that_was_removed_or_whose_room_ended_closes_everything_and_does_not_return_by_itself() {
    for (message, code) in [("removed", NoticeCode::Removed), ("ended", NoticeCode::RoomEnded)] {
        let (mut world, _, member) = hosted();
        world.tell_raw(member, &format!(r#"{{"type":"{message}"}}"#));
        world.pass(60 * SECOND);
        let page = &world.pages[member];
        assert!(page.events.contains(&RoomEvent::Raised(code)), "{message}");
        assert_eq!(page.link_count(), 0, "{message}");
        assert_eq!(page.session.poll_timeout(), None, "{message}");
    }
}

#[test]
fn a_visitor_waits_and_is_let_in_or_refused() {
    let mut world = World::new();
    world.interference = Some(Box::new(|_, _| Vec::new()));
    let visitor = world.open(None);
    world.tell_raw(visitor, r#"{"type":"waiting"}"#);
    let waiting = RoomEvent::Status(SignalingStatus::Waiting);
    assert_eq!(world.pages[visitor].events.last(), Some(&waiting));
    world.pass(100 * SECOND);
    assert_eq!(world.pages[visitor].events.last(), Some(&waiting), "a person may take its time");
    world.tell_raw(
        visitor,
        r#"{"type":"joined","you":"m0","arrival":1,"room":"team","members":[],"resume":"m0","room_limit":8,"hosts":["h"],"locked":true}"#,
    );
    assert!(world.pages[visitor].events.contains(&RoomEvent::Status(SignalingStatus::Connected)));
    assert!(world.pages[visitor].session.hosting().is_locked());
    for (reason, code) in [
        ("locked", NoticeCode::RoomLocked),
        ("refused", NoticeCode::KnockRefused),
        ("no-answer", NoticeCode::KnockUnanswered),
        ("too-many", NoticeCode::KnockUnanswered),
        ("not-open", NoticeCode::RoomNotOpen),
    ] {
        let mut world = World::new();
        world.interference = Some(Box::new(|_, _| Vec::new()));
        let visitor = world.open(None);
        world.tell_raw(visitor, r#"{"type":"waiting"}"#);
        world.tell_raw(visitor, &format!(r#"{{"type":"refused","reason":"{reason}"}}"#));
        assert!(world.pages[visitor].events.contains(&RoomEvent::Raised(code)), "{reason}");
        world.pass(60 * SECOND);
        assert_eq!(world.pages[visitor].session.poll_timeout(), None, "{reason}");
    }
}

#[test]
fn a_visitor_that_the_server_forgets_knocks_again() {
    let mut world = World::new();
    world.interference = Some(Box::new(|_, _| Vec::new()));
    let visitor = world.open(None);
    world.tell_raw(visitor, r#"{"type":"waiting"}"#);
    world.pass(200 * SECOND);
    let raised = RoomEvent::Raised(NoticeCode::ServerUnreachable);
    assert!(world.pages[visitor].events.contains(&raised), "{:?}", world.pages[visitor].events);
}
