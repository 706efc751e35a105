//! Hosts, the lock, knocks, removals, and what is left of them after a restart.

use proptest::prelude::*;

use super::*;

const WAIT: Duration = Duration::from_secs(120);
const SECOND: Duration = Duration::from_secs(1);

impl World {
    /// A world whose clients are pages with a person.
    pub(super) fn of_people() -> Self {
        Self { attended: Some(true), ..Self::new(8, 8) }
    }

    pub(super) fn visit(&mut self, instance: &str) -> SocketId {
        self.join("abc", instance, None)
    }

    fn come_back(&mut self, instance: &str, token: &str) -> SocketId {
        self.join("abc", instance, Some(token))
    }

    pub(super) fn lock(&mut self, host: SocketId, locked: bool) {
        self.say(host, ClientMessage::Lock { locked });
    }

    fn remove(&mut self, host: SocketId, member: SocketId) {
        let id = self.view(member).me.clone();
        self.say(host, ClientMessage::Remove { id });
    }

    pub(super) fn answer(&mut self, host: SocketId, admit: bool) {
        let id = self.view(host).knocks[0].id.clone();
        self.say(host, ClientMessage::AnswerKnock { id, admit });
    }

    pub(super) fn is_in(&self, socket: SocketId) -> bool {
        self.client(socket).is_open() && self.client(socket).seat.is_some()
    }

    pub(super) fn waits(&self, socket: SocketId) -> bool {
        let client = self.client(socket);
        client.is_open()
            && client.seat.is_none()
            && client.heard.contains(&ServerMessage::Waiting { pictures: true })
    }

    fn refusal(&self, socket: SocketId) -> Option<RefusalReason> {
        match self.client(socket).closing {
            Some(Closing::Refused(reason)) => Some(reason),
            _ => None,
        }
    }

    fn hosts(&self, seen_by: SocketId) -> Vec<&str> {
        let view = self.view(seen_by);
        let instance = |id: &MemberId| {
            let member = if *id == view.me { &view.instance } else { &view.others[id].instance };
            member.as_str()
        };
        view.hosts.iter().map(instance).collect()
    }
}

#[test]
fn the_maker_of_a_room_is_its_host_and_later_members_are_not() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    assert_eq!((world.hosts(ada), world.hosts(bo)), (vec!["ada"], vec!["ada"]));
}

#[test]
fn a_locked_room_admits_nobody_without_a_hosts_yes() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    world.lock(ada, true);
    assert!(world.view(ada).is_locked && world.view(bo).is_locked);
    let cy = world.visit("cy");
    assert!(world.waits(cy));
    assert_eq!(world.view(ada).knocks[0].name.as_str(), "cy");
    assert!(world.view(bo).knocks.is_empty(), "only hosts hear it");
    assert_eq!(world.view(ada).others.len(), 1, "a knock takes no seat");
    world.answer(ada, true);
    assert!(world.is_in(cy) && world.view(cy).is_locked);
    assert_eq!((world.view(cy).others.len(), world.view(bo).others.len()), (2, 2));
    assert_eq!(world.view(ada).knocks, []);
}

#[test]
fn whoever_has_the_name_only_cannot_tell_whether_there_is_a_protected_room_of_this_name() {
    let seen_with = |guess: Option<u8>, room: Option<bool>| {
        let mut world = World::of_people();
        if let Some(is_locked) = room {
            world.secret = Some(7);
            let ada = world.visit("ada");
            world.lock(ada, is_locked);
        }
        world.secret = guess;
        let eve = world.visit("eve");
        let View { room, me, others, hosts, is_locked, knocks, digest, .. } = world.view(eve).clone();
        (room, others, hosts == [me], is_locked, knocks, digest)
    };
    for guess in [None, Some(8)] {
        let without = seen_with(guess, None);
        assert_eq!([Some(false), Some(true)].map(|room| seen_with(guess, room)), [without.clone(), without]);
    }
}

#[test]
fn a_refused_visitor_is_told_so_and_takes_no_place() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let bo = world.visit("bo");
    world.answer(ada, false);
    assert_eq!(world.refusal(bo), Some(RefusalReason::Refused));
    assert!(world.view(ada).others.is_empty() && world.view(ada).knocks.is_empty());
}

#[test]
fn a_visitor_that_nobody_answers_is_told_so_to_the_millisecond() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let bo = world.visit("bo");
    world.pass(WAIT - Duration::from_millis(1));
    assert!(world.waits(bo));
    world.pass(Duration::from_millis(1));
    assert_eq!(world.refusal(bo), Some(RefusalReason::NoAnswer));
    assert_eq!(world.view(ada).knocks, []);
}

#[test]
fn a_visitor_that_goes_away_is_no_longer_shown() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let (bo, cy) = (world.visit("bo"), world.visit("cy"));
    world.drop_socket(bo);
    world.say(cy, ClientMessage::Leave);
    assert_eq!(world.view(ada).knocks, []);
    assert_eq!(world.registry.poll_timeout(), None);
}

#[test]
fn a_visitor_may_say_nothing_but_ping_and_leave() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let (bo, cy) = (world.visit("bo"), world.visit("cy"));
    world.say(bo, ClientMessage::Ping { nonce: 4 });
    assert!(world.waits(bo) && world.client(bo).heard.contains(&ServerMessage::Pong { nonce: 4 }));
    let host = world.view(ada).me.clone();
    world.signal(cy, &host);
    let code = ErrorCode::ProtocolError;
    assert!(matches!(world.client(cy).closing, Some(Closing::Failed { code: of, .. }) if of == code));
    world.say(bo, ClientMessage::Lock { locked: false });
    assert!(!world.client(bo).is_open() && world.view(ada).is_locked);
}

#[test]
fn an_opened_room_lets_in_who_waits_as_far_as_there_is_room() {
    let mut world = World { attended: Some(true), ..World::new(3, 8) };
    let ada = world.visit("ada");
    world.lock(ada, true);
    let waiting = [world.visit("bo"), world.visit("cy"), world.visit("di")];
    world.lock(ada, false);
    assert!(world.is_in(waiting[0]) && world.is_in(waiting[1]));
    assert_eq!(world.client(waiting[2]).closing, Some(Closing::Full { room_limit: 3 }));
    assert_eq!(world.view(ada).knocks, []);
}

#[test]
fn a_present_and_an_away_member_come_back_to_a_locked_room_and_one_that_left_does_not() {
    let mut world = World::of_people();
    let (ada, bo, cy) = (world.visit("ada"), world.visit("bo"), world.visit("cy"));
    world.lock(ada, true);
    let tokens = [bo, cy].map(|socket| world.view(socket).resume.clone());
    let again = world.come_back("bo", &tokens[0]);
    assert!(world.is_in(again));
    world.drop_socket(again);
    let after_a_reload = world.come_back("bo-reloaded", &tokens[0]);
    assert!(world.is_in(after_a_reload) && world.view(after_a_reload).is_locked);
    world.say(cy, ClientMessage::Leave);
    let left = world.come_back("cy", &tokens[1]);
    assert!(world.waits(left), "a leave revokes the token");
    world.drop_socket(after_a_reload);
    world.pass(HOLD);
    let expired = world.come_back("bo", &tokens[0]);
    assert!(world.waits(expired), "and so does the end of the hold");
}

#[test]
fn a_removed_member_comes_back_by_no_token_and_no_copy_of_its_tab() {
    let mut world = World::of_people();
    let (ada, bo, cy) = (world.visit("ada"), world.visit("bo"), world.visit("cy"));
    let (token, id) = (world.view(bo).resume.clone(), world.view(bo).me.clone());
    world.remove(ada, bo);
    assert_eq!(world.client(bo).closing, Some(Closing::Removed));
    assert_eq!(world.revoked, std::slice::from_ref(&id));
    assert!(world.view(ada).is_locked, "a removal locks the room");
    assert_eq!((world.view(ada).others.len(), world.view(cy).others.len()), (1, 1));
    for (instance, resume) in [("bo", Some(token.as_str())), ("bo-copy", Some(&token)), ("new-page", None)] {
        let again = world.join("abc", instance, resume);
        assert!(world.waits(again), "{instance}");
        assert_ne!(world.view(ada).knocks.last().unwrap().id, id, "the old id is gone");
    }
    world.lock(ada, false);
    let open = world.come_back("bo", &token);
    assert!(world.is_in(open) && world.view(open).me != id, "an open room is open to everybody");
}

#[test]
fn a_member_is_removed_while_it_is_away() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    let view = world.view(bo).clone();
    world.drop_socket(bo);
    world.say(ada, ClientMessage::Remove { id: view.me });
    assert!(world.view(ada).others.is_empty());
    let back = world.come_back("bo", &view.resume);
    assert!(world.waits(back));
    world.drop_socket(back);
    assert_eq!(world.registry.poll_timeout(), None, "its place is not held");
}

#[test]
fn only_a_host_acts_and_nobody_removes_itself_or_a_stranger() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    let (host, member) = (world.view(ada).me.clone(), world.view(bo).me.clone());
    for action in [
        ClientMessage::Lock { locked: true },
        ClientMessage::Remove { id: host.clone() },
        ClientMessage::MakeHost { id: member.clone() },
        ClientMessage::AnswerKnock { id: member, admit: true },
        ClientMessage::End,
    ] {
        world.say(bo, action.clone());
        let heard = world.clients.get_mut(&bo).unwrap().heard.pop();
        assert!(
            matches!(heard, Some(ServerMessage::Error { code: ErrorCode::NotHost, .. })),
            "{action:?}: {heard:?}"
        );
    }
    for id in [host, MemberId::new("nobody").unwrap()] {
        world.say(ada, ClientMessage::Remove { id });
        let heard = world.clients.get_mut(&ada).unwrap().heard.pop();
        assert!(matches!(heard, Some(ServerMessage::Error { code: ErrorCode::PeerUnreachable, .. })));
    }
    assert!(world.is_in(ada) && world.is_in(bo) && !world.view(ada).is_locked);
}

#[test]
fn a_host_makes_another_one_who_sees_who_waits() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    world.lock(ada, true);
    let cy = world.visit("cy");
    let id = world.view(bo).me.clone();
    world.say(ada, ClientMessage::MakeHost { id });
    assert_eq!(world.hosts(bo), ["ada", "bo"]);
    assert_eq!(world.view(bo).knocks.len(), 1);
    world.say(ada, ClientMessage::Leave);
    assert_eq!(world.hosts(bo), ["bo"]);
    world.answer(bo, true);
    assert!(world.is_in(cy));
}

#[test]
fn a_host_keeps_its_role_through_a_short_cut_and_a_reload_and_sees_who_waits() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    world.lock(ada, true);
    let token = world.view(ada).resume.clone();
    world.drop_socket(ada);
    assert_eq!(world.hosts(bo), ["ada"]);
    let cy = world.visit("cy");
    assert!(world.waits(cy));
    let back = world.come_back("ada-reloaded", &token);
    assert_eq!(world.hosts(back), ["ada-reloaded"]);
    world.answer(back, true);
    assert!(world.is_in(cy));
}

#[test]
fn when_the_hosts_are_gone_the_member_that_is_longest_in_the_room_is_host_and_the_lock_stays() {
    let mut world = World::of_people();
    let (ada, bo, cy) = (world.visit("ada"), world.visit("bo"), world.visit("cy"));
    // A reload does not make a member a newcomer in this respect.
    let token = world.view(bo).resume.clone();
    let bo = world.come_back("bo-reloaded", &token);
    world.lock(ada, true);
    let waiting = world.visit("di");
    world.drop_socket(ada);
    world.pass(HOLD - SECOND);
    assert_eq!(world.hosts(cy), ["ada"], "the place of the host is held");
    world.pass(SECOND);
    assert_eq!(world.hosts(cy), ["bo-reloaded"]);
    assert!(world.view(cy).is_locked);
    world.answer(bo, true);
    assert!(world.is_in(waiting));
    world.say(bo, ClientMessage::Leave);
    assert_eq!(world.hosts(cy), ["cy"]);
}

#[test]
fn a_present_member_becomes_host_before_an_away_one() {
    let mut world = World::of_people();
    let (ada, bo, cy) = (world.visit("ada"), world.visit("bo"), world.visit("cy"));
    world.drop_socket(bo);
    world.say(ada, ClientMessage::Leave);
    assert_eq!(world.hosts(cy), ["cy"]);
}

#[test]
fn a_room_that_ends_ends_for_everybody_and_the_next_one_of_its_name_is_another() {
    let mut world = World::of_people();
    let (ada, bo, cy) = (world.visit("ada"), world.visit("bo"), world.visit("cy"));
    world.lock(ada, true);
    let token = world.view(ada).resume.clone();
    let waiting = world.visit("di");
    world.drop_socket(cy);
    world.say(ada, ClientMessage::End);
    assert_eq!(
        (&world.client(ada).closing, &world.client(bo).closing),
        (&Some(Closing::Ended), &Some(Closing::Ended))
    );
    assert!(!world.client(waiting).is_open());
    assert_eq!((world.registry.room_count(), world.registry.poll_timeout()), (0, None));
    let eve = world.visit("eve");
    assert!(world.hosts(eve) == ["eve"] && !world.view(eve).is_locked);
    let former = world.come_back("ada", &token);
    assert_eq!(world.hosts(former), ["eve"], "the host of the room that ended is no host of this one");
}

#[test]
fn when_everybody_has_left_who_waits_is_told_that_nobody_answers() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let bo = world.visit("bo");
    world.say(ada, ClientMessage::Leave);
    assert_eq!(world.refusal(bo), Some(RefusalReason::NoAnswer));
    assert_eq!((world.registry.room_count(), world.registry.poll_timeout()), (0, None));
}

#[test]
fn a_flood_of_knocks_is_bounded_for_each_address_and_for_the_room() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let of = |reason| Some(reason);
    let flood: Vec<_> = (0..40).map(|n| world.visit(&format!("flood{n}"))).collect();
    assert_eq!(flood.iter().filter(|socket| world.waits(**socket)).count(), 4);
    assert!(flood[4..].iter().all(|socket| world.refusal(*socket) == of(RefusalReason::TooMany)));
    world.address = [192, 0, 2, 2].into();
    let bo = world.visit("bo");
    assert!(world.waits(bo), "another address can still knock");
    // Many addresses, each for a moment: the room's rate is the bound.
    let mut shown = 0;
    for n in 0..2_000_u32 {
        world.address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).into();
        let socket = world.visit(&format!("many{n}"));
        shown += usize::from(world.waits(socket));
        if world.client(socket).is_open() {
            world.drop_socket(socket);
        }
    }
    assert!(shown <= 16, "{shown}");
    world.pass(60 * SECOND);
    let later = world.visit("later");
    assert!(world.waits(later), "the rate recovers");
}

#[test]
fn many_addresses_do_not_make_the_server_forget_the_knocks_of_another_one() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let knock = |world: &mut World, address: u32| {
        world.address = std::net::Ipv4Addr::from_bits(address).into();
        let socket = world.visit("visitor");
        let waits = world.waits(socket);
        if waits {
            world.drop_socket(socket);
        }
        waits
    };
    let flooding = 0x0a00_0000;
    assert!((0..6).all(|_| knock(&mut world, flooding)));
    for n in 1..100 {
        knock(&mut world, flooding + n);
    }
    // Enough for the room, and not for the address.
    world.pass(6 * SECOND);
    assert!(!knock(&mut world, flooding));
    // The rates of the others are full again after a while, and then make room for addresses that are new.
    world.pass(60 * SECOND);
    assert!(knock(&mut world, flooding + 200));
}

#[test]
fn a_flood_of_host_actions_closes_the_hosts_socket() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    for n in 0..100 {
        if world.client(ada).is_open() {
            world.lock(ada, n % 2 == 0);
        }
    }
    let code = ErrorCode::RateLimited;
    assert!(matches!(world.client(ada).closing, Some(Closing::Failed { code: of, .. }) if of == code));
    assert!(world.is_in(bo));
}

#[test]
fn earlier_clients_hear_nothing_new_and_are_told_that_a_locked_room_is_full() {
    let mut world = World::of_people();
    world.attended = None;
    let old = world.visit("old");
    assert!(world.view(old).hosts.is_empty(), "it could not act as host");
    world.attended = Some(true);
    let ada = world.visit("ada");
    assert_eq!(world.hosts(ada), ["ada"], "the first that can is");
    world.lock(ada, true);
    assert!(world.client(old).heard.is_empty() && !world.view(old).is_locked);
    world.attended = None;
    let full = Some(Closing::Full { room_limit: 8 });
    let late = world.visit("late");
    assert_eq!(world.client(late).closing, full);
    world.remove(ada, old);
    assert_eq!(world.client(old).closing, full);
}

#[test]
fn a_program_is_told_that_the_room_is_locked_and_becomes_host_only_by_a_hosts_choice() {
    let mut world = World::of_people();
    world.attended = Some(false);
    let bot = world.visit("bot");
    assert!(world.hosts(bot).is_empty());
    world.attended = Some(true);
    let ada = world.visit("ada");
    assert_eq!(world.hosts(bot), ["ada"]);
    world.lock(ada, true);
    world.attended = Some(false);
    let late = world.visit("late");
    assert_eq!(world.refusal(late), Some(RefusalReason::Locked));
    let id = world.view(bot).me.clone();
    world.say(ada, ClientMessage::MakeHost { id });
    assert_eq!(world.hosts(ada), ["bot", "ada"]);
}

// A restart of the server.

#[test]
fn after_a_restart_the_lock_and_the_host_come_back_with_the_tokens_in_any_order() {
    for order in [["ada", "bo", "cy"], ["cy", "bo", "ada"], ["bo", "ada", "cy"]] {
        let mut world = World::of_people();
        let sockets = ["ada", "bo", "cy"].map(|name| world.visit(name));
        world.lock(sockets[0], true);
        let token = |name: &str| {
            let at = ["ada", "bo", "cy"].iter().position(|other| *other == name).unwrap();
            world.view(sockets[at]).resume.clone()
        };
        let tokens = order.map(token);
        world.restart();
        world.pass(SECOND);
        let back: Vec<_> =
            order.iter().zip(&tokens).map(|(name, token)| world.come_back(name, token)).collect();
        for socket in &back {
            assert!(world.is_in(*socket) && world.view(*socket).is_locked, "{order:?}");
            assert_eq!(world.hosts(*socket), ["ada"], "{order:?}");
        }
        let stranger = world.visit("stranger");
        assert!(world.waits(stranger));
        world.pass(HOLD * 2);
        assert_eq!(world.hosts(back[0]), ["ada"], "nobody else becomes host later");
    }
}

#[test]
fn after_a_restart_without_the_host_the_member_that_came_back_first_is_host_after_a_while() {
    let mut world = World::of_people();
    let (_ada, bo, cy) = (world.visit("ada"), world.visit("bo"), world.visit("cy"));
    let tokens = [bo, cy].map(|socket| world.view(socket).resume.clone());
    world.restart();
    world.pass(SECOND);
    let cy = world.come_back("cy", &tokens[1]);
    let bo = world.come_back("bo", &tokens[0]);
    world.pass(HOLD - SECOND);
    assert!(world.hosts(bo).is_empty());
    world.pass(SECOND);
    assert_eq!((world.hosts(bo), world.hosts(cy)), (vec!["cy"], vec!["cy"]));
}

#[test]
fn a_stranger_that_is_faster_after_a_restart_takes_neither_the_room_nor_the_lock() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    world.lock(ada, true);
    let tokens = [ada, bo].map(|socket| world.view(socket).resume.clone());
    world.restart();
    world.pass(SECOND);
    let stranger = world.visit("stranger");
    assert_eq!(world.hosts(stranger), ["stranger"], "nobody knows better yet");
    world.lock(stranger, true);
    let bo = world.come_back("bo", &tokens[1]);
    assert_eq!(world.refusal(stranger), Some(RefusalReason::Locked));
    assert!(world.is_in(bo) && world.view(bo).others.is_empty());
    let ada = world.come_back("ada", &tokens[0]);
    assert_eq!(world.hosts(bo), ["ada"]);
    let again = world.visit("stranger");
    assert!(world.waits(again) && world.view(ada).knocks.len() == 1);
}

#[test]
fn a_stranger_in_an_open_room_stays_after_a_restart_and_is_no_longer_host() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    let token = world.view(ada).resume.clone();
    world.restart();
    world.pass(SECOND);
    let stranger = world.visit("stranger");
    let ada = world.come_back("ada", &token);
    assert!(world.is_in(stranger));
    assert_eq!((world.hosts(stranger), world.hosts(ada)), (vec!["ada"], vec!["ada"]));
}

#[test]
fn a_removed_member_is_kept_out_after_a_restart_also_if_it_is_faster() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    let removed = world.view(bo).resume.clone();
    world.remove(ada, bo);
    let host = world.view(ada).resume.clone();
    world.restart();
    world.pass(SECOND);
    let fast = world.come_back("bo", &removed);
    assert!(world.is_in(fast), "its token is the newest that the server has seen");
    let ada = world.come_back("ada", &host);
    assert_eq!(world.refusal(fast), Some(RefusalReason::Locked));
    assert!(world.view(ada).others.is_empty() && world.hosts(ada) == ["ada"]);
    let again = world.come_back("bo", &removed);
    assert!(world.waits(again));
}

#[test]
fn a_former_host_has_no_right_after_a_restart() {
    let mut world = World::of_people();
    let (ada, bo) = (world.visit("ada"), world.visit("bo"));
    let former = world.view(ada).resume.clone();
    world.say(ada, ClientMessage::Leave);
    let token = world.view(bo).resume.clone();
    world.restart();
    world.pass(SECOND);
    let ada = world.come_back("ada", &former);
    let bo = world.come_back("bo", &token);
    assert_eq!((world.hosts(ada), world.hosts(bo)), (vec!["bo"], vec!["bo"]));
}

#[test]
fn a_member_that_a_former_host_removes_after_a_restart_comes_back_as_itself() {
    let mut world = World::of_people();
    let (ada, bo, cy) = (world.visit("ada"), world.visit("bo"), world.visit("cy"));
    let [former, earlier] = [ada, cy].map(|socket| world.view(socket).resume.clone());
    world.say(ada, ClientMessage::Leave);
    world.lock(bo, true);
    world.lock(bo, false);
    let [host, token] = [bo, cy].map(|socket| world.view(socket).resume.clone());
    let id = world.view(cy).me.clone();
    world.restart();
    world.pass(SECOND);
    let ada = world.come_back("ada", &former);
    let cy = world.come_back("cy", &earlier);
    world.remove(ada, cy);
    assert_eq!(world.client(cy).closing, Some(Closing::Removed));
    let bo = world.come_back("bo", &host);
    let cy = world.come_back("cy", &token);
    assert!(world.is_in(cy) && world.hosts(cy) == ["bo"]);
    assert_eq!(world.view(bo).others.get(&id).map(|member| member.presence), Some(Presence::Present));
}

#[test]
fn long_after_a_restart_an_old_token_gives_no_rights() {
    let mut world = World::of_people();
    let ada = world.visit("ada");
    world.lock(ada, true);
    let token = world.view(ada).resume.clone();
    world.restart();
    world.pass(SECOND);
    let bo = world.visit("bo");
    world.pass(121 * SECOND);
    let ada = world.come_back("ada", &token);
    assert!(world.is_in(bo) && !world.view(ada).is_locked);
    assert_eq!(world.hosts(ada), ["bo"]);
}

#[derive(Debug, Clone)]
enum Step {
    Join(Option<usize>),
    Leave(usize),
    Drop(usize),
    Lock(usize, bool),
    Answer(usize, bool),
    Remove(usize, usize),
    MakeHost(usize, usize),
    End(usize),
    Pass(u64),
    /// A visitor shows a picture.
    Show(usize),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0..64_usize;
    prop_oneof![
        10 => prop::option::of(at()).prop_map(Step::Join),
        2 => at().prop_map(Step::Leave),
        3 => at().prop_map(Step::Drop),
        3 => (at(), prop::bool::weighted(0.7)).prop_map(|(at, locked)| Step::Lock(at, locked)),
        5 => (at(), any::<bool>()).prop_map(|(at, admit)| Step::Answer(at, admit)),
        2 => (at(), at()).prop_map(|(at, to)| Step::Remove(at, to)),
        1 => (at(), at()).prop_map(|(at, to)| Step::MakeHost(at, to)),
        1 => at().prop_map(Step::End),
        4 => (0..70_000_u64).prop_map(Step::Pass),
        1 => Just(Step::Restart),
        3 => at().prop_map(Step::Show),
    ]
}

fn take(world: &mut World, tokens: &mut Vec<String>, step: &Step) {
    let seated: Vec<_> = world.seated().map(|(socket, _)| socket).collect();
    let pick = |at: usize| (!seated.is_empty()).then(|| seated[at % seated.len()]);
    let was_locked =
        world.registry.rooms.values().next().is_some_and(|room| room.rules.locked) && !seated.is_empty();
    match *step {
        Step::Join(token) => {
            let token = token.filter(|_| !tokens.is_empty()).map(|at| tokens[at % tokens.len()].clone());
            let instance = format!("i{}", world.clients.len());
            let socket = world.join("abc", &instance, token.as_deref());
            if was_locked && token.is_none() {
                assert!(!world.is_in(socket), "a newcomer is in a locked room");
            }
        }
        Step::Leave(at) => pick(at).into_iter().for_each(|socket| world.say(socket, ClientMessage::Leave)),
        Step::Drop(at) => pick(at).into_iter().for_each(|socket| world.drop_socket(socket)),
        Step::Lock(at, locked) => pick(at).into_iter().for_each(|socket| world.lock(socket, locked)),
        Step::Answer(at, admit) => {
            let known: Vec<_> = world.seated().flat_map(|(_, view)| view.knocks.clone()).collect();
            if let (Some(socket), false) = (pick(at), known.is_empty()) {
                let id = known[at % known.len()].id.clone();
                world.say(socket, ClientMessage::AnswerKnock { id, admit });
            }
        }
        Step::Remove(at, to) => {
            if let (Some(from), Some(to)) = (pick(at), pick(to)) {
                let id = world.view(to).me.clone();
                world.say(from, ClientMessage::Remove { id });
            }
        }
        Step::MakeHost(at, to) => {
            if let (Some(from), Some(to)) = (pick(at), pick(to)) {
                let id = world.view(to).me.clone();
                world.say(from, ClientMessage::MakeHost { id });
            }
        }
        Step::End(at) => pick(at).into_iter().for_each(|socket| world.say(socket, ClientMessage::End)),
        Step::Pass(ms) => world.pass(Duration::from_millis(ms)),
        Step::Restart => world.restart(),
        Step::Show(at) => {
            let waiting: Vec<_> =
                world.clients.keys().copied().filter(|socket| world.waits(*socket)).collect();
            if !waiting.is_empty() {
                world.show_picture(waiting[at % waiting.len()]);
            }
        }
    }
    let seen: Vec<_> = world.seated().map(|(_, view)| view.resume.clone()).collect();
    tokens.extend(seen);
    tokens.dedup();
}

fn check(world: &World) {
    for (_, view) in world.seated() {
        let room = world.registry.rooms.values().next().expect("the room of a member exists");
        assert_eq!((&view.hosts, view.is_locked), (&room.hosts(), room.rules.locked));
        let waiting: Vec<_> = room.knocks.visitors().cloned().collect();
        assert!(waiting.len() <= 8);
        let mut shown = view.knocks.clone();
        shown.retain(|visitor| waiting.contains(visitor));
        assert_eq!(shown.len(), view.knocks.len(), "a host sees somebody who does not wait");
        if view.hosts.contains(&view.me) {
            assert_eq!(view.knocks, waiting);
        }
        assert!(!view.hosts.is_empty() || room.hosts_awaited_until.is_some(), "a room without a host");
    }
    for room in world.registry.rooms.values() {
        assert!(!room.is_empty(), "a room without members is kept");
    }
    let visitors = world.registry.rooms.values().flat_map(|room| room.knocks.visitors());
    let shown = visitors.filter(|visitor| visitor.picture.is_some()).count();
    assert_eq!(world.registry.pictured.len(), shown, "the pictures are counted");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn members_always_know_the_hosts_and_the_lock_and_hosts_know_who_waits(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut world = World::of_people();
        let mut tokens = Vec::new();
        for step in &steps {
            take(&mut world, &mut tokens, step);
            check(&world);
        }
        let open: Vec<_> = world.clients.iter().filter(|(_, client)| client.is_open()).map(|(id, _)| *id).collect();
        for socket in open {
            world.drop_socket(socket);
        }
        world.pass(HOLD);
        prop_assert_eq!((world.registry.room_count(), world.registry.poll_timeout()), (0, None));
    }
}
