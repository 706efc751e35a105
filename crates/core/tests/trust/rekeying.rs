//! A host removes a member of a protected room: the secret is replaced, and whoever stays goes on.

use std::{cell::RefCell, rc::Rc, time::Duration};

use sightline_core::{
    budget::Standing,
    notice::NoticeCode,
    random::SeededRandom,
    room::{HostAction, LinkId, LinkState, RoomEvent},
    trust::{Refusal, RoomSecret, SignalSeals},
};
use sightline_protocol::{
    limits::MAX_REMOVED_PAGES,
    signaling::{ClientMessage, ServerMessage, Signal},
};

use crate::{
    hosted_room::{
        connected, first_secret, forge, has_raised, hosted, keys, member, refusals, remove, secret,
    },
    world::World,
};

const SECOND: Duration = Duration::from_secs(1);

/// Everybody who stays shows one link, which the server admits, and nobody saw an attack.
fn assert_agreement(world: &World, staying: &[usize]) {
    let agreed = secret(world, staying[0]);
    for page in staying {
        assert_eq!(secret(world, *page), agreed, "page {page}");
        assert!(!has_raised(world, *page, NoticeCode::SignalsRefused), "page {page}");
        for other in staying.iter().filter(|other| *other != page) {
            assert!(connected(world, *page, *other), "{page} to {other}");
        }
    }
    assert_eq!(world.admission.as_ref(), keys(agreed).admission());
}

#[test]
fn who_stays_goes_on_without_an_interruption_and_shows_one_new_link() {
    let mut world = hosted(4);
    let links: Vec<Vec<LinkId>> = world.pages.iter().map(|page| page.opened.clone()).collect();
    remove(&mut world, 0, 3);
    assert_ne!(secret(&world, 0), first_secret());
    assert_agreement(&world, &[0, 1, 2]);
    world.pass(60 * SECOND);
    assert_agreement(&world, &[0, 1, 2]);
    for (page, before) in links.iter().enumerate().take(3) {
        assert_eq!(world.pages[page].opened, *before, "no connection was built again");
        assert_eq!(world.state(page, 3), None);
        assert_eq!(refusals(&world, page), []);
    }
    assert!(has_raised(&world, 3, NoticeCode::Removed));
    assert_eq!(secret(&world, 3), first_secret());
}

#[test]
fn the_old_link_is_refused_and_the_new_one_leads_to_everybody_by_name() {
    let mut world = hosted(3);
    remove(&mut world, 0, 2);
    let back = world.open(None);
    world.pass(30 * SECOND);
    assert!(has_raised(&world, back, NoticeCode::LinkChanged));
    assert_eq!(world.pages[back].session.poll_timeout(), None, "it does not ask again by itself");
    world.secret = Some(secret(&world, 0));
    let invited = world.open(None);
    world.pass(SECOND);
    for (page, other) in [(invited, 0), (invited, 1), (0, invited), (1, invited)] {
        assert!(connected(&world, page, other), "{page} to {other}");
        let view = world.pages[page].session.peer(&world.id(other)).unwrap();
        assert_eq!(view.member.name.as_str(), format!("someone {other}"));
    }
}

#[test]
fn links_that_fail_after_the_removal_are_repaired_with_the_new_secret() {
    let mut world = hosted(4);
    remove(&mut world, 0, 3);
    world.fail_links(1);
    world.pass(20 * SECOND);
    assert_agreement(&world, &[0, 1, 2]);
}

#[test]
fn a_page_that_is_loaded_again_takes_its_place_with_the_new_link() {
    let mut world = hosted(3);
    remove(&mut world, 0, 2);
    let token = world.resume_token(1);
    world.kill(1);
    world.secret = Some(secret(&world, 0));
    let again = world.open(Some(token));
    world.pass(SECOND);
    assert_agreement_of_again(&world, again);
    // It knows what was removed, and replaces the secret as host like any other.
    let (member, now) = (world.id(again), world.now);
    world.pages[0].session.act_as_host(HostAction::MakeHost(member), now);
    world.settle();
    remove(&mut world, again, 0);
    assert_ne!(secret(&world, again), world.secret.unwrap());
}

fn assert_agreement_of_again(world: &World, again: usize) {
    assert!(connected(world, 0, again) && connected(world, again, 0));
    assert!(!has_raised(world, again, NoticeCode::SignalsRefused));
}

/// All signals that pass the server from now on, each with the sender and the page that it is for.
fn listen(world: &mut World) -> Rc<RefCell<Vec<(usize, ServerMessage)>>> {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let kept = heard.clone();
    world.interference = Some(Box::new(move |page, message| {
        if matches!(message, ServerMessage::Signal { .. }) {
            kept.borrow_mut().push((page, message.clone()));
        }
        vec![(page, message)]
    }));
    heard
}

#[test]
fn a_removed_member_reads_nothing_that_is_signaled_later() {
    let mut world = hosted(3);
    let heard = listen(&mut world);
    let early = world.open(None);
    let before = heard.borrow().len();
    remove(&mut world, 0, 2);
    world.secret = Some(secret(&world, 0));
    world.open(None);
    world.fail_links(1);
    world.pass(20 * SECOND);
    let _ = early;
    let opened = |page: usize, from: &ServerMessage, secret: RoomSecret| {
        let ServerMessage::Signal { from, signal } = from else { panic!("{from:?}") };
        let sender = (0..world.pages.len()).find(|page| world.id(*page) == *from).unwrap();
        let member = member(&world, sender);
        let seals = &mut SignalSeals::new(keys(secret), world.instance(page).clone(), SeededRandom::new(1));
        let opened: Result<Signal, Refusal> = seals.open(&member, &world.id(page), signal);
        opened.is_ok()
    };
    let heard = heard.borrow();
    let (earlier, later) = heard.split_at(before);
    assert!(earlier.len() >= 6 && later.len() >= 10, "{} and {}", earlier.len(), later.len());
    assert!(earlier.iter().all(|(page, signal)| opened(*page, signal, first_secret())));
    assert!(!later.iter().any(|(page, signal)| opened(*page, signal, first_secret())));
    assert!(later.iter().all(|(page, signal)| opened(*page, signal, secret(&world, 0))));
}

#[test]
fn a_server_that_helps_a_removed_member_cannot_bring_it_back() {
    let mut world = hosted(3);
    remove(&mut world, 0, 2);
    // The server lets everybody in, and lists the new page to all.
    world.has_hosts = false;
    world.secret = Some(first_secret());
    let back = world.open(None);
    world.pass(60 * SECOND);
    for page in 0..2 {
        let view = world.pages[page].session.peer(&world.id(back)).unwrap();
        assert!(!view.has_readable_name() || view.member.name.as_str() == format!("someone {back}"));
        assert!(!connected(&world, page, back) && !connected(&world, back, page));
        assert!(refusals(&world, page).iter().all(|refusal| *refusal == Refusal::OtherSecret));
        assert!(!refusals(&world, page).is_empty());
    }
}

#[test]
fn a_server_that_hides_the_removal_from_a_member_does_not_keep_the_removed_one_in_its_call() {
    let mut world = hosted(3);
    world.interference = Some(Box::new(|page, message| match message {
        ServerMessage::PeerRemoved { .. } | ServerMessage::RoomState { .. } if page == 1 => Vec::new(),
        ServerMessage::Removed => Vec::new(),
        message => vec![(page, message)],
    }));
    remove(&mut world, 0, 2);
    world.pass(60 * SECOND);
    assert_eq!((world.state(0, 2), world.state(1, 2)), (None, None));
    assert_eq!(secret(&world, 1), secret(&world, 0));
    assert_eq!([world.state(0, 1), world.state(1, 0)], [Some(LinkState::Connected); 2]);
    assert_ne!(world.state(2, 1), Some(LinkState::Connected));
}

#[test]
fn a_server_that_drops_or_replays_what_is_told_brings_the_first_secret_back_to_nobody() {
    for attack in 0..3 {
        let mut world = hosted(4);
        let states = Rc::new(RefCell::new(Vec::new()));
        let seen = states.clone();
        world.interference = Some(Box::new(move |page, message| match message {
            // Hides that the room moved.
            ServerMessage::RoomState { .. } if attack == 0 => Vec::new(),
            // Tells the state before again, instead of or after each later one.
            ServerMessage::RoomState { .. } => {
                let mut seen = seen.borrow_mut();
                seen.push((page, message.clone()));
                let first: Option<(usize, ServerMessage)> = seen.iter().find(|(to, _)| *to == page).cloned();
                if attack == 1 {
                    first.into_iter().collect()
                } else {
                    [Some((page, message)), first].into_iter().flatten().collect()
                }
            }
            message => vec![(page, message)],
        }));
        let (member, now) = (world.id(1), world.now);
        world.pages[0].session.act_as_host(HostAction::MakeHost(member), now);
        world.settle();
        remove(&mut world, 0, 3);
        world.pass(120 * SECOND);
        for page in 0..3 {
            assert_ne!(secret(&world, page), first_secret(), "attack {attack}, page {page}");
            assert_eq!(world.state(page, 3), None);
        }
        let has_ended = |page: usize| has_raised(&world, page, NoticeCode::LinkChanged);
        assert!(
            has_ended(2) || connected(&world, 0, 2),
            "attack {attack}: it works, or the page says why not"
        );
    }
}

#[test]
fn a_member_without_a_connection_to_the_server_gets_the_secret_from_the_host_and_returns() {
    let mut world = hosted(4);
    world.is_server_up = false;
    world.cut_socket(1);
    world.is_server_up = true;
    remove(&mut world, 0, 3);
    assert_eq!(secret(&world, 1), secret(&world, 0), "over the data channel");
    world.pass(10 * SECOND);
    assert_agreement(&world, &[0, 1, 2]);
    assert!(!has_raised(&world, 1, NoticeCode::LinkChanged));
}

#[test]
fn a_member_that_was_cut_off_from_everybody_gets_the_secret_when_its_connection_heals() {
    let mut world = hosted(4);
    world.set_network(false);
    remove(&mut world, 0, 3);
    assert_eq!(secret(&world, 1), first_secret());
    world.pass(3 * SECOND);
    world.set_network(true);
    world.pass(10 * SECOND);
    assert_agreement(&world, &[0, 1, 2]);
}

#[test]
fn a_member_that_lost_everything_meanwhile_has_to_ask_with_the_new_link() {
    let mut world = hosted(4);
    world.is_server_up = false;
    world.cut_socket(1);
    world.fail_links(1);
    remove(&mut world, 0, 3);
    world.is_server_up = true;
    world.pass(60 * SECOND);
    assert!(has_raised(&world, 1, NoticeCode::LinkChanged));
    assert!(!connected(&world, 0, 1) && connected(&world, 0, 2));
    world.secret = Some(secret(&world, 0));
    let again = world.open(None);
    world.pass(5 * SECOND);
    assert!(connected(&world, 0, again) && connected(&world, 2, again));
}

#[test]
fn a_member_that_gets_the_secret_from_nobody_leaves_and_says_why() {
    let mut world = hosted(3);
    world.set_network(false);
    remove(&mut world, 0, 2);
    world.pass(19 * SECOND);
    assert!(!has_raised(&world, 1, NoticeCode::LinkChanged));
    world.pass(2 * SECOND);
    assert!(has_raised(&world, 1, NoticeCode::LinkChanged));
    assert_eq!(world.pages[1].session.poll_timeout(), None);
}

#[test]
fn two_removals_right_after_each_other_leave_one_secret_that_neither_knows() {
    let mut world = hosted(5);
    let (first, second, now) = (world.id(3), world.id(4), world.now);
    world.pages[0].session.act_as_host(HostAction::Remove(first), now);
    world.pages[0].session.act_as_host(HostAction::Remove(second), now);
    world.settle();
    world.pass(10 * SECOND);
    assert_agreement(&world, &[0, 1, 2]);
    assert!([3, 4].iter().all(|page| secret(&world, *page) != secret(&world, 0)));
}

#[test]
fn two_hosts_that_remove_at_the_same_time_agree_on_a_secret_that_neither_removed_member_knows() {
    let mut world = hosted(6);
    let (member, now) = (world.id(1), world.now);
    world.pages[0].session.act_as_host(HostAction::MakeHost(member), now);
    world.settle();
    // What each host passes on waits; only the server is fast.
    world.set_network(false);
    let (first, second) = (world.id(4), world.id(5));
    world.pages[0].session.act_as_host(HostAction::Remove(first), now);
    world.pages[1].session.act_as_host(HostAction::Remove(second), now);
    world.settle();
    world.pass(2 * SECOND);
    world.set_network(true);
    world.pass(20 * SECOND);
    assert_agreement(&world, &[0, 1, 2, 3]);
    for removed in [4, 5] {
        let known: Vec<_> = world.pages[removed]
            .events
            .iter()
            .filter_map(|event| match event {
                RoomEvent::LinkChanged(secret) => Some(*secret),
                _ => None,
            })
            .collect();
        assert!(!known.contains(&secret(&world, 0)));
    }
}

#[test]
fn if_the_host_is_gone_before_it_passed_the_secret_on_the_next_host_makes_another() {
    let mut world = hosted(4);
    world.set_network(false);
    remove(&mut world, 0, 3);
    let lost = secret(&world, 0);
    world.kill(0);
    let gone = world.id(0);
    world.expire(&gone);
    world.dismiss_host(&gone);
    world.settle();
    world.set_network(true);
    world.pass(15 * SECOND);
    assert_agreement(&world, &[1, 2]);
    assert!(![first_secret(), lost].contains(&secret(&world, 1)));
    assert_eq!((world.state(1, 3), world.state(2, 3)), (None, None));
}

#[test]
fn a_page_of_an_earlier_version_keeps_its_calls_and_needs_the_new_link_for_the_next_one() {
    let mut world = hosted(2);
    world.rekeys = false;
    let earlier = world.open(None);
    world.rekeys = true;
    let removed = world.open(None);
    remove(&mut world, 0, removed);
    world.pass(60 * SECOND);
    assert!(connected(&world, 0, earlier) && connected(&world, 1, earlier) && connected(&world, earlier, 1));
    assert_eq!(secret(&world, earlier), first_secret());
    for page in [0, 1, earlier] {
        assert!(!has_raised(&world, page, NoticeCode::SignalsRefused), "page {page}");
    }
    world.fail_links(earlier);
    world.pass(60 * SECOND);
    assert!(!connected(&world, 0, earlier));
    assert!(connected(&world, 0, 1));
}

#[test]
fn a_server_of_an_earlier_version_is_told_nothing_that_it_does_not_know() {
    let mut world = World::new();
    world.secret = Some(first_secret());
    world.hosts = vec!["m0".to_owned().try_into().unwrap()];
    let (host, member) = (world.open(None), world.open(None));
    assert!(!world.pages[host].session.may_rekey());
    remove(&mut world, host, member);
    assert!(matches!(world.host_actions[..], [(0, ClientMessage::Remove { .. })]));
    assert_eq!(secret(&world, host), first_secret());
    assert!(connected(&world, host, member), "the server decides");
}

#[test]
fn an_unprotected_room_has_no_secret_to_replace() {
    let mut world = World::new();
    world.has_hosts = true;
    let (host, member, removed) = (world.open(None), world.open(None), world.open(None));
    assert!(!world.pages[host].session.may_rekey());
    remove(&mut world, host, removed);
    assert!(connected(&world, host, member) && world.state(host, removed).is_none());
    assert!(!world.pages[host].events.iter().any(|event| matches!(event, RoomEvent::LinkChanged(_))));
}

/// The `rekey` with a made-up secret, which names these pages as removed.
fn rekey(secret: u128, removed: &[&str]) -> String {
    let secret = RoomSecret::from_random(secret).to_string();
    serde_json::json!({"type": "rekey", "secret": secret, "replaces": [], "removed": removed}).to_string()
}

#[test]
fn a_member_that_is_no_host_cannot_replace_the_secret() {
    let mut world = hosted(3);
    let text = rekey(99, &[world.instance(2).as_str()]);
    let link = world.pages[0].opened[0];
    let now = world.now;
    world.pages[0].session.handle_control(link, &text, now);
    world.settle();
    world.pass(30 * SECOND);
    assert_agreement(&world, &[0, 1, 2]);
    assert_eq!(secret(&world, 0), first_secret());
}

#[test]
fn a_flood_of_secrets_mutes_its_sender_and_changes_nothing_if_it_is_no_host() {
    for (page, sender, taken) in [(0, 1, 0..=0), (1, 0, 1..=30)] {
        let mut world = hosted(3);
        let (link, now) = (world.pages[page].opened[0], world.now);
        for number in 0..300 {
            world.pages[page].session.handle_control(link, &rekey(1_000 + number, &[]), now);
        }
        world.settle();
        let changes =
            world.pages[page].events.iter().filter(|event| matches!(event, RoomEvent::LinkChanged(_)));
        let changes = changes.count();
        assert!(taken.contains(&changes), "{changes} by {sender}");
        let sender = world.id(sender);
        assert_ne!(world.pages[page].session.peer(&sender).map(|peer| peer.standing), Some(Standing::Heard));
    }
}

#[test]
fn a_host_that_names_more_removed_pages_than_fit_is_not_read() {
    for (named, is_read) in [(MAX_REMOVED_PAGES, true), (MAX_REMOVED_PAGES + 1, false)] {
        let mut world = hosted(3);
        let mut removed = vec!["a-page"; named - 1];
        let instance = world.instance(2).clone();
        removed.push(instance.as_str());
        let (link, now) = (world.pages[1].opened[0], world.now);
        world.pages[1].session.handle_control(link, &rekey(99, &removed), now);
        world.settle();
        assert_eq!(secret(&world, 1) != first_secret(), is_read, "{named}");
        assert_eq!(world.state(1, 2).is_none(), is_read, "{named}");
    }
}

#[test]
fn a_server_that_takes_another_secret_back_cannot_hide_forged_signals_again() {
    let mut world = hosted(2);
    let name = |world: &mut World, secret: RoomSecret| {
        let hosts = vec![world.id(0)];
        let admission_sha256 = keys(secret).admission_digest();
        let state =
            ServerMessage::RoomState { hosts, locked: false, resume: "m1".to_owned(), admission_sha256 };
        world.tell_raw(1, &serde_json::to_string(&state).unwrap());
    };
    for (round, reported) in [Refusal::OtherSecret, Refusal::Forged].into_iter().enumerate() {
        name(&mut world, RoomSecret::from_random(66));
        forge(&mut world, 1, 0);
        assert_eq!(refusals(&world, 1).last(), Some(&reported), "round {round}");
        name(&mut world, first_secret());
        world.pass(SECOND);
    }
    assert!(has_raised(&world, 1, NoticeCode::SignalsRefused));
    assert!(connected(&world, 0, 1) && connected(&world, 1, 0));
}
