//! Random sequences of events: after each event, the members know what the server knows.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const ROOMS: [&str; 2] = ["abc", "xyz"];
const ROOM_LIMIT: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// `token` selects one of all tokens that were ever issued, for any room and of any age.
    Join {
        room: usize,
        instance: u8,
        token: Option<usize>,
    },
    Leave {
        client: usize,
    },
    Drop {
        client: usize,
    },
    Fail {
        client: usize,
    },
    Signal {
        client: usize,
        to: usize,
    },
    Pass {
        span_ms: u64,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let index = || any::<prop::sample::Index>().prop_map(|index| index.index(usize::MAX));
    prop_oneof![
        8 => (0..ROOMS.len(), 0..6_u8, prop::option::of(index()))
            .prop_map(|(room, instance, token)| Step::Join { room, instance, token }),
        2 => index().prop_map(|client| Step::Leave { client }),
        4 => index().prop_map(|client| Step::Drop { client }),
        1 => index().prop_map(|client| Step::Fail { client }),
        2 => (index(), index()).prop_map(|(client, to)| Step::Signal { client, to }),
        3 => (0..40_000_u64).prop_map(|span_ms| Step::Pass { span_ms }),
        1 => Just(Step::Restart),
    ]
}

fn pick<T: Clone>(all: &[T], at: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[at % all.len()].clone())
}

fn take(world: &mut World, tokens: &mut Vec<String>, step: Step) {
    let seated: Vec<_> = world.seated().map(|(socket, _)| socket).collect();
    match step {
        Step::Join { room, instance, token } => {
            let token = token.and_then(|at| pick(tokens, at));
            let socket = world.join(ROOMS[room], &format!("i{instance}"), token.as_deref());
            if let Some(view) = &world.client(socket).seat {
                tokens.push(view.resume.clone());
                if token.is_none() {
                    let latest = view.others.values().map(|member| member.arrival).max();
                    assert!(latest < Some(view.arrival), "a newcomer arrives last");
                }
            } else {
                assert!(matches!(world.client(socket).closing, Some(Closing::Full { .. })));
            }
        }
        Step::Leave { client } => {
            if let Some(socket) = pick(&seated, client) {
                world.say(socket, ClientMessage::Leave);
            }
        }
        Step::Drop { client } => {
            if let Some(socket) = pick(&seated, client) {
                world.drop_socket(socket);
            }
        }
        Step::Fail { client } => {
            if let Some(socket) = pick(&seated, client) {
                world.fail(socket, ErrorCode::ProtocolError);
            }
        }
        Step::Signal { client, to } => {
            if let (Some(from), Some(to)) = (pick(&seated, client), pick(&seated, to)) {
                signal_arrives_in_the_same_room_only(world, from, to);
            }
        }
        Step::Pass { span_ms } => world.pass(Duration::from_millis(span_ms)),
        Step::Restart => world.restart(),
    }
}

fn signal_arrives_in_the_same_room_only(world: &mut World, from: SocketId, to: SocketId) {
    let (sender, addressee) = (world.view(from).clone(), world.view(to).clone());
    let heard_before = world.client(to).heard.len();
    world.signal(from, &addressee.me);
    let stamped = ServerMessage::Signal { from: sender.me, signal: any_signal() };
    let arrived = world.client(to).heard[heard_before..].contains(&stamped);
    assert_eq!(arrived, from != to && sender.room == addressee.room);
}

fn check(world: &World) {
    let mut seats = BTreeSet::new();
    for (socket, view) in world.seated() {
        assert!(seats.insert((view.room.clone(), view.me.clone())), "{} has two sockets", view.me);
        let room = world
            .registry
            .rooms
            .get(&RoomKey::new(view.room.clone(), None))
            .expect("the room of a member exists");
        let real: BTreeMap<_, _> =
            room.others(&view.me).into_iter().map(|member| (member.id.clone(), member)).collect();
        assert_eq!(view.others, real, "{socket:?} knows something else");
        let own = room.place(&view.me).expect("the place of a member exists").member();
        assert_eq!(
            (own.instance, own.arrival, own.presence),
            (view.instance.clone(), view.arrival, Presence::Present)
        );
    }
    for name in ROOMS {
        let Some(room) = world.registry.rooms.get(&RoomKey::new(RoomName::new(name).unwrap(), None)) else {
            continue;
        };
        let members = room.others(&MemberId::new("nobody").unwrap());
        assert!((1..=ROOM_LIMIT).contains(&members.len()), "{} members", members.len());
        let ids: BTreeSet<_> = members.iter().map(|member| &member.id).collect();
        let arrivals: BTreeSet<_> = members.iter().map(|member| member.arrival).collect();
        assert_eq!((ids.len(), arrivals.len()), (members.len(), members.len()), "an id or arrival twice");
        let present = members.iter().filter(|member| member.presence == Presence::Present).count();
        assert_eq!(present, seats.iter().filter(|(room, _)| room.as_str() == name).count());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn members_always_know_the_true_state_of_their_room(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new(ROOM_LIMIT, ROOMS.len());
        let mut tokens = Vec::new();
        for step in steps {
            take(&mut world, &mut tokens, step);
            check(&world);
        }
        let open: Vec<_> = world.seated().map(|(socket, _)| socket).collect();
        for socket in open {
            world.drop_socket(socket);
        }
        world.pass(HOLD);
        prop_assert_eq!((world.registry.room_count(), world.registry.poll_timeout()), (0, None));
    }
}
