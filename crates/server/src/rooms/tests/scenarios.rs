//! One rule in each test.

use super::*;

const MS: Duration = Duration::from_millis(1);

fn error_code(client: &Client) -> Option<ErrorCode> {
    match client.closing {
        Some(Closing::Failed { code, .. }) => Some(code),
        _ => None,
    }
}

#[test]
fn members_are_listed_in_the_order_of_arrival_although_they_come_in_the_same_millisecond() {
    let mut world = World::new(8, 8);
    let sockets: Vec<_> = (0..5).map(|n| world.join("abc", &format!("i{n}"), None)).collect();
    let arrivals: Vec<_> = sockets.iter().map(|socket| world.view(*socket).arrival).collect();
    assert!(arrivals.is_sorted_by(|earlier, later| earlier < later), "{arrivals:?}");
    let listed: Vec<_> = world
        .registry
        .rooms
        .get(&RoomKey::new(RoomName::new("abc").unwrap(), None))
        .unwrap()
        .others(&world.view(sockets[4]).me);
    assert_eq!(listed.iter().map(|member| member.arrival).collect::<Vec<_>>(), arrivals[..4]);
}

#[test]
fn rooms_know_nothing_of_each_other() {
    let mut world = World::new(8, 8);
    let here = world.join("abc", "i1", None);
    let there = world.join("xyz", "i2", None);
    assert!(world.view(here).others.is_empty() && world.view(there).others.is_empty());
    let stranger = world.view(there).me.clone();
    world.signal(here, &stranger);
    assert!(world.client(there).heard.is_empty());
}

#[test]
fn a_signal_to_someone_away_or_unknown_or_oneself_is_answered_and_closes_nothing() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let targets = [world.view(bo).me.clone(), world.view(ada).me.clone(), MemberId::new("nobody").unwrap()];
    world.drop_socket(bo);
    for to in targets {
        world.signal(ada, &to);
        let Some(ServerMessage::Error { code, .. }) = world.clients.get_mut(&ada).unwrap().heard.pop() else {
            panic!("no error for {to}")
        };
        assert_eq!(code, ErrorCode::PeerUnreachable);
    }
    assert!(world.client(ada).is_open());
}

#[test]
fn a_place_is_held_to_the_millisecond_and_its_member_comes_back_to_it() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let before = world.view(bo).clone();
    world.drop_socket(bo);
    assert_eq!(world.presence(ada, &before.me), Some(Presence::Away));
    world.pass(HOLD - MS);
    let again = world.join("abc", "i2", Some(&before.resume));
    assert_eq!((&world.view(again).me, world.view(again).arrival), (&before.me, before.arrival));
    world.pass(HOLD * 2);
    assert_eq!(world.presence(ada, &before.me), Some(Presence::Present));

    world.drop_socket(again);
    world.pass(HOLD);
    assert_eq!(world.presence(ada, &before.me), None);
}

#[test]
fn a_reload_keeps_the_id_and_is_a_newcomer_by_its_arrival() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let before = world.view(ada).clone();
    world.drop_socket(ada);
    let reloaded = world.join("abc", "i3", Some(&before.resume));
    let after = world.view(reloaded).clone();
    assert_eq!(after.me, before.me);
    assert!(after.arrival > world.view(bo).arrival);
    let seen = &world.view(bo).others[&before.me];
    assert_eq!((&seen.instance, seen.arrival), (&after.instance, after.arrival));
}

#[test]
fn an_older_page_instance_that_comes_back_after_a_newer_one_is_a_newcomer_too() {
    let mut world = World::new(8, 8);
    let first = world.join("abc", "i1", None);
    let token = world.view(first).resume.clone();
    let copy = world.join("abc", "i2", Some(&token));
    let back = world.join("abc", "i1", Some(&token));
    assert!(world.view(back).arrival > world.view(copy).arrival);
}

#[test]
fn a_token_used_twice_closes_the_older_socket_and_the_place_stays() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let token = world.view(bo).resume.clone();
    let copy = world.join("abc", "i3", Some(&token));
    assert_eq!(world.client(bo).closing, Some(Closing::Replaced));
    world.drop_socket(bo);
    assert_eq!(world.presence(ada, &world.view(copy).me), Some(Presence::Present));
    assert_eq!(world.view(ada).others.len(), 1);
}

#[test]
fn after_a_restart_of_the_server_the_token_gives_the_same_id_and_arrival() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let (ada_before, bo_before) = (world.view(ada).clone(), world.view(bo).clone());
    world.restart();
    let bo = world.join("abc", "i2", Some(&bo_before.resume));
    let newcomer = world.join("abc", "i3", None);
    let ada = world.join("abc", "i1", Some(&ada_before.resume));
    for (socket, before) in [(ada, &ada_before), (bo, &bo_before)] {
        assert_eq!((&world.view(socket).me, world.view(socket).arrival), (&before.me, before.arrival));
    }
    assert!(world.view(newcomer).arrival > bo_before.arrival);
    assert_eq!(world.view(bo).others.len(), 2);
}

#[test]
fn a_clock_set_back_between_two_runs_does_not_make_a_newcomer_older() {
    let mut world = World::new(8, 8);
    let ada = world.join("abc", "i1", None);
    let before = world.view(ada).clone();
    world.restart();
    world.now = UnixTime::from_ms(world.now.as_ms() - 3_600_000);
    world.join("abc", "i1", Some(&before.resume));
    let newcomer = world.join("abc", "i2", None);
    assert!(world.view(newcomer).arrival > before.arrival);
}

#[test]
fn a_token_of_another_room_or_key_or_one_that_expired_makes_a_newcomer() {
    let mut world = World::new(8, 8);
    let ada = world.join("abc", "i1", None);
    let token = world.view(ada).resume.clone();
    let me = world.view(ada).me.clone();
    world.drop_socket(ada);
    for (room, resume) in [("xyz", token.as_str()), ("abc", "forged.token"), ("abc", "")] {
        let socket = world.join(room, "i1", Some(resume));
        assert_ne!(world.view(socket).me, me, "{room} {resume}");
    }
    world.pass(world.settings.token_life);
    let late = world.join("abc", "i1", Some(&token));
    assert_ne!(world.view(late).me, me);
}

#[test]
fn an_away_member_counts_until_its_hold_ends() {
    let mut world = World::new(2, 8);
    let (_ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let before = world.view(bo).clone();
    world.drop_socket(bo);
    let early = world.join("abc", "i3", None);
    assert_eq!(world.client(early).closing, Some(Closing::Full { room_limit: 2 }));
    world.pass(HOLD);
    let late = world.join("abc", "i3", None);
    assert!(world.client(late).is_open());
    let too_late = world.join("abc", "i2", Some(&before.resume));
    assert_eq!(world.client(too_late).closing, Some(Closing::Full { room_limit: 2 }));
}

#[test]
fn a_held_place_stays_its_members_although_the_room_is_full() {
    let mut world = World::new(2, 8);
    let (_ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let token = world.view(bo).resume.clone();
    world.drop_socket(bo);
    let back = world.join("abc", "i9", Some(&token));
    assert!(world.client(back).is_open());
}

#[test]
fn a_leave_removes_the_member_at_once_and_the_room_if_it_is_empty() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    world.say(bo, ClientMessage::Leave);
    assert_eq!(world.client(bo).closing, Some(Closing::Left));
    assert!(world.view(ada).others.is_empty());
    world.say(ada, ClientMessage::Leave);
    assert_eq!(world.registry.room_count(), 0);
}

#[test]
fn a_room_of_only_away_members_vanishes_after_the_hold() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    world.drop_socket(ada);
    world.pass(MS);
    world.drop_socket(bo);
    world.pass(HOLD - MS);
    assert_eq!(world.registry.room_count(), 1);
    world.pass(MS);
    assert_eq!((world.registry.room_count(), world.registry.poll_timeout()), (0, None));
}

#[test]
fn a_room_too_many_is_refused_and_the_others_stay_open() {
    let mut world = World::new(8, 1);
    let ada = world.join("abc", "i1", None);
    let other = world.join("xyz", "i2", None);
    assert_eq!(error_code(world.client(other)), Some(ErrorCode::ServerFull));
    let bo = world.join("abc", "i3", None);
    assert!(world.client(ada).is_open() && world.client(bo).is_open());
}

#[test]
fn a_message_before_join_and_a_second_join_and_another_version_have_their_codes() {
    let mut world = World::new(8, 8);
    for message in [ClientMessage::Leave, ClientMessage::Ping { nonce: 1 }] {
        let socket = SocketId(world.clients.len() as u64);
        world.clients.insert(socket, Client::default());
        world.say(socket, message);
        assert_eq!(error_code(world.client(socket)), Some(ErrorCode::ProtocolError));
    }
    let join = |protocol| ClientMessage::Join {
        protocol,
        room: RoomName::new("abc").unwrap(),
        admission: None,
        sealed_name: None,
        name: DisplayName::default(),
        instance: InstanceId::new("i1").unwrap(),
        resume: None,
        attended: None,
        create_token: None,
        rekeys: true,
    };
    let ada = world.join("abc", "i1", None);
    world.say(ada, join(PROTOCOL_VERSION));
    assert_eq!(error_code(world.client(ada)), Some(ErrorCode::ProtocolError));
    let later = SocketId(world.clients.len() as u64);
    world.clients.insert(later, Client::default());
    world.say(later, join(PROTOCOL_VERSION + 1));
    assert_eq!(error_code(world.client(later)), Some(ErrorCode::ProtocolVersion));
}

#[test]
fn a_member_that_is_closed_for_an_error_is_away_and_may_come_back() {
    let mut world = World::new(8, 8);
    let (ada, bo) = (world.join("abc", "i1", None), world.join("abc", "i2", None));
    let before = world.view(bo).clone();
    world.fail(bo, ErrorCode::TooSlow);
    assert_eq!(world.presence(ada, &before.me), Some(Presence::Away));
    let again = world.join("abc", "i2", Some(&before.resume));
    assert_eq!(world.view(again).me, before.me);
}
