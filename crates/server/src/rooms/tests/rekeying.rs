//! Another secret for a protected room.

use proptest::prelude::*;

use super::*;

const OLD: u8 = 1;
const NEW: u8 = 2;

/// A protected room with a host and a member.
fn protected() -> (World, SocketId, SocketId) {
    let mut world = World { attended: Some(true), secret: Some(OLD), ..World::new(8, 8) };
    let (host, member) = (world.join("abc", "host", None), world.join("abc", "member", None));
    (world, host, member)
}

impl World {
    fn rekey(&mut self, socket: SocketId, secret: u8) {
        let sealed_name = sealed(secret, self.view(socket).instance.as_str());
        self.say(socket, ClientMessage::Rekey { admission: tag(secret), sealed_name });
    }

    /// Removes a member and replaces the secret, as the page of a host does.
    fn expel(&mut self, host: SocketId, member: SocketId, secret: u8) {
        let id = self.view(member).me.clone();
        self.say(host, ClientMessage::Remove { id });
        self.rekey(host, secret);
    }

    fn with_secret(&mut self, secret: u8, instance: &str, token: Option<&str>) -> SocketId {
        self.secret = Some(secret);
        self.join("abc", instance, token)
    }

    fn refused_for(&self, socket: SocketId, reason: RefusalReason) -> bool {
        self.client(socket).closing == Some(Closing::Refused(reason))
    }

    fn is_seated(&self, socket: SocketId) -> bool {
        self.client(socket).is_open() && self.client(socket).seat.is_some()
    }

    fn digest(&self, socket: SocketId) -> Option<AdmissionDigest> {
        self.view(socket).digest.clone()
    }
}

fn digest_of(secret: u8) -> Option<AdmissionDigest> {
    RoomKey::new(RoomName::new("abc").unwrap(), Some(&tag(secret))).digest()
}

#[test]
fn after_a_rekey_the_old_link_is_refused_and_the_new_one_leads_to_the_room() {
    let (mut world, host, member) = protected();
    let removed = world.join("abc", "removed", None);
    let token = world.view(removed).resume.clone();
    assert_eq!(world.digest(member), digest_of(OLD));
    world.expel(host, removed, NEW);
    assert_eq!((world.digest(host), world.digest(member)), (digest_of(NEW), digest_of(NEW)));
    for token in [None, Some(token.as_str())] {
        let back = world.with_secret(OLD, "removed", token);
        assert!(world.refused_for(back, RefusalReason::LinkChanged), "{:?}", world.client(back));
    }
    world.say(host, ClientMessage::Lock { locked: false });
    let invited = world.with_secret(NEW, "invited", None);
    assert!(world.is_seated(invited));
    assert_eq!(world.view(invited).others.len(), 2);
    assert_eq!(world.registry.room_count(), 1);
}

#[test]
fn only_a_host_moves_the_room_and_a_member_only_renames_itself() {
    let (mut world, host, member) = protected();
    world.rekey(member, NEW);
    assert_eq!(world.digest(host), digest_of(OLD));
    assert_eq!(world.view(host).others[&world.view(member).me].sealed_name, Some(sealed(OLD, "member")));
    world.rekey(host, NEW);
    assert_eq!(world.view(member).others[&world.view(host).me].sealed_name, Some(sealed(NEW, "host")));
    world.rekey(member, NEW);
    assert_eq!(world.view(host).others[&world.view(member).me].sealed_name, Some(sealed(NEW, "member")));
    let invited = world.with_secret(NEW, "invited", None);
    let names: Vec<_> =
        world.view(invited).others.values().filter_map(|member| member.sealed_name.clone()).collect();
    assert!(names.contains(&sealed(NEW, "host")) && names.contains(&sealed(NEW, "member")), "{names:?}");
}

#[test]
fn an_unprotected_room_has_no_secret_to_replace() {
    let mut world = World { attended: Some(true), ..World::new(8, 8) };
    let host = world.join("abc", "host", None);
    world.rekey(host, NEW);
    let later = world.join("abc", "later", None);
    assert!(world.is_seated(later) && world.digest(later).is_none());
    assert_eq!(world.registry.room_count(), 1);
}

#[test]
fn a_member_that_was_away_returns_with_the_new_secret_and_not_with_the_old_one() {
    for (secret, is_back) in [(NEW, true), (OLD, false)] {
        let (mut world, host, member) = protected();
        let token = world.view(member).resume.clone();
        world.drop_socket(member);
        world.rekey(host, NEW);
        let back = world.with_secret(secret, "member", Some(&token));
        assert_eq!(world.is_seated(back), is_back);
        if is_back {
            assert_eq!(world.view(back).me, *world.view(host).others.keys().next().unwrap());
            assert_eq!(world.digest(back), digest_of(NEW));
        } else {
            assert!(world.refused_for(back, RefusalReason::LinkChanged));
        }
        world.pass(HOLD);
        assert_eq!(world.view(host).others.len(), usize::from(is_back), "a held place is given up as ever");
    }
}

#[test]
fn a_member_with_a_secret_that_no_host_has_told_yet_keeps_its_place() {
    let (mut world, host, member) = protected();
    let token = world.view(member).resume.clone();
    world.drop_socket(member);
    let back = world.with_secret(NEW, "member", Some(&token));
    assert_eq!((world.digest(back), world.view(back).others.len()), (digest_of(OLD), 1));
    world.rekey(host, NEW);
    assert_eq!(world.digest(back), digest_of(NEW));
    // A stranger with another secret, or somebody whose place is gone, makes another room.
    let stranger = world.with_secret(3, "stranger", None);
    assert!(world.view(stranger).others.is_empty());
}

#[test]
fn a_removed_member_gets_no_place_by_its_token_and_an_invented_secret() {
    let (mut world, host, member) = protected();
    let token = world.view(member).resume.clone();
    world.expel(host, member, NEW);
    let back = world.with_secret(3, "member", Some(&token));
    assert!(world.view(back).others.is_empty(), "a room of its own");
    let knocking = world.with_secret(NEW, "member", Some(&token));
    assert!(!world.is_seated(knocking), "with the new link it knocks like everybody");
    assert!(world.client(knocking).heard.contains(&ServerMessage::Waiting { pictures: true }));
}

#[test]
fn visitors_with_the_old_link_are_told_that_it_changed() {
    let (mut world, host, member) = protected();
    world.say(host, ClientMessage::Lock { locked: true });
    let visitor = world.join("abc", "visitor", None);
    world.expel(host, member, NEW);
    assert!(world.refused_for(visitor, RefusalReason::LinkChanged));
    assert_eq!(world.view(host).knocks, []);
}

#[test]
fn clients_that_know_no_rekey_are_told_what_they_know() {
    for (attended, rekeys, closing) in [
        (None, false, Closing::Full { room_limit: 8 }),
        (Some(true), false, Closing::Refused(RefusalReason::Locked)),
        (Some(false), true, Closing::Refused(RefusalReason::LinkChanged)),
    ] {
        let (mut world, host, _) = protected();
        (world.attended, world.rekeys) = (attended, rekeys);
        let earlier = world.join("abc", "earlier", None);
        let before = world.view(earlier).others.clone();
        world.rekey(host, NEW);
        let told = world.view(earlier).others != before;
        assert_eq!(told, rekeys, "an earlier client keeps the names that it can read");
        let back = world.with_secret(OLD, "late", None);
        assert_eq!(world.client(back).closing, Some(closing));
    }
}

#[test]
fn a_forgotten_room_leaves_nothing_of_its_secrets() {
    let (mut world, host, member) = protected();
    for secret in 2..22 {
        world.pass(Duration::from_secs(2));
        world.rekey(host, secret);
    }
    assert_eq!(world.registry.replaced.len(), 16);
    let oldest = world.with_secret(OLD, "late", None);
    assert!(world.view(oldest).others.is_empty(), "a very old link opens an empty room");
    for socket in [host, member, oldest] {
        world.say(socket, ClientMessage::Leave);
    }
    assert_eq!((world.registry.room_count(), world.registry.replaced.len()), (0, 0));
    let again = world.with_secret(20, "again", None);
    assert!(world.is_seated(again), "the link of a room that is over makes a new one");
}

#[test]
fn a_member_that_names_secrets_without_end_is_cut_off() {
    let (mut world, host, member) = protected();
    for _ in 0..100 {
        if world.client(member).is_open() {
            world.rekey(member, OLD);
        }
    }
    let code = ErrorCode::RateLimited;
    assert!(matches!(world.client(member).closing, Some(Closing::Failed { code: of, .. }) if of == code));
    assert!(world.client(host).is_open());
}

#[test]
fn a_host_that_names_new_secrets_without_end_is_cut_off() {
    let (mut world, host, member) = protected();
    for secret in 2..100 {
        if world.client(host).is_open() {
            world.rekey(host, secret);
        }
    }
    let code = ErrorCode::RateLimited;
    assert!(matches!(world.client(host).closing, Some(Closing::Failed { code: of, .. }) if of == code));
    assert!(world.client(member).is_open());
    assert_eq!((world.digest(member), world.registry.replaced.len()), (digest_of(21), 16));
}

#[test]
fn a_host_cannot_move_its_room_to_the_tag_of_another_room_or_back() {
    let (mut world, host, member) = protected();
    let other = world.with_secret(3, "other", None);
    world.rekey(host, 3);
    assert_eq!((world.digest(member), world.view(other).others.len()), (digest_of(OLD), 0));
    world.rekey(host, NEW);
    world.rekey(host, OLD);
    assert_eq!((world.digest(member), world.registry.room_count()), (digest_of(NEW), 2));
}

#[test]
fn a_token_takes_nobody_to_the_tag_of_another_room() {
    let (mut world, host, member) = protected();
    let other = world.with_secret(3, "other", None);
    let token = world.view(member).resume.clone();
    let moved = world.with_secret(3, "member", Some(&token));
    assert_ne!(world.view(moved).me, world.view(member).me, "a stranger to that room");
    assert!(world.is_seated(other) && world.is_seated(member));
    assert_eq!(world.view(host).others.len(), 1);
}

#[test]
fn the_members_of_a_moved_room_find_it_again_after_a_restart() {
    let (mut world, host, member) = protected();
    let removed = world.join("abc", "removed", None);
    let old_token = world.view(removed).resume.clone();
    world.expel(host, removed, NEW);
    let tokens = [host, member].map(|socket| world.view(socket).resume.clone());
    world.pass(Duration::from_secs(1));
    world.restart();
    let alone = world.with_secret(OLD, "removed", Some(&old_token));
    let host = world.with_secret(NEW, "host", Some(&tokens[0]));
    let member = world.with_secret(NEW, "member", Some(&tokens[1]));
    assert!(world.view(alone).others.is_empty(), "the old link opens an empty room");
    assert!(world.is_seated(member) && world.view(host).is_locked);
    assert_eq!(world.view(host).others.len(), 1);
}

#[derive(Debug, Clone)]
enum Step {
    Join { secret: u8, token: Option<usize> },
    Rekey { client: usize, secret: u8 },
    Remove { client: usize, member: usize },
    Lock { client: usize, locked: bool },
    Leave { client: usize },
    Drop { client: usize },
    Pass { span_ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let index = || 0..1_000_usize;
    prop_oneof![
        6 => (0..4_u8, prop::option::of(index())).prop_map(|(secret, token)| Step::Join { secret, token }),
        4 => (index(), 0..4_u8).prop_map(|(client, secret)| Step::Rekey { client, secret }),
        2 => (index(), index()).prop_map(|(client, member)| Step::Remove { client, member }),
        1 => (index(), any::<bool>()).prop_map(|(client, locked)| Step::Lock { client, locked }),
        1 => index().prop_map(|client| Step::Leave { client }),
        3 => index().prop_map(|client| Step::Drop { client }),
        2 => (0..40_000_u64).prop_map(|span_ms| Step::Pass { span_ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_secrets_are_named_members_know_their_room_and_nothing_is_left_behind(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let mut world = World { attended: Some(true), secret: Some(OLD), ..World::new(4, 8) };
        let mut tokens: Vec<String> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            let seated: Vec<_> = world.seated().map(|(socket, _)| socket).collect();
            let pick = |at: usize| (!seated.is_empty()).then(|| seated[at % seated.len()]);
            match step {
                Step::Join { secret, token } => {
                    let token = token.filter(|_| !tokens.is_empty()).map(|at| tokens[at % tokens.len()].clone());
                    world.with_secret(secret, &format!("i{number}"), token.as_deref());
                }
                Step::Rekey { client, secret } => {
                    if let Some(socket) = pick(client) {
                        world.rekey(socket, secret);
                    }
                }
                Step::Remove { client, member } => {
                    if let Some((host, member)) = pick(client).zip(pick(member)) {
                        let id = world.view(member).me.clone();
                        world.say(host, ClientMessage::Remove { id });
                    }
                }
                Step::Lock { client, locked } => {
                    if let Some(socket) = pick(client) {
                        world.say(socket, ClientMessage::Lock { locked });
                    }
                }
                Step::Leave { client } => {
                    if let Some(socket) = pick(client) {
                        world.say(socket, ClientMessage::Leave);
                    }
                }
                Step::Drop { client } => {
                    if let Some(socket) = pick(client) {
                        world.drop_socket(socket);
                    }
                }
                Step::Pass { span_ms } => world.pass(Duration::from_millis(span_ms)),
            }
            tokens = world.clients.values().filter_map(|client| Some(client.seat.as_ref()?.resume.clone())).collect();
            for (socket, view) in world.seated() {
                let room = &world.registry.rooms[&world.registry.seats[&socket].room];
                let real: BTreeMap<_, _> =
                    room.others(&view.me).into_iter().map(|member| (member.id.clone(), member)).collect();
                prop_assert_eq!(&view.others, &real);
                prop_assert_eq!(&view.digest, &world.registry.seats[&socket].room.digest());
            }
            for replaced in &world.registry.replaced {
                prop_assert!(!world.registry.rooms.contains_key(replaced));
            }
        }
        let open: Vec<_> = world.seated().map(|(socket, _)| socket).collect();
        for socket in open {
            world.drop_socket(socket);
        }
        world.pass(Duration::from_secs(200));
        let left = (world.registry.room_count(), world.registry.replaced.len(), world.registry.poll_timeout());
        prop_assert_eq!(left, (0, 0, None));
    }
}
