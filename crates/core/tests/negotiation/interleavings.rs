//! Ten thousand random interleavings of two negotiators, their browsers and a bad network.

use std::cell::Cell;

use proptest::{
    prelude::*,
    test_runner::{Config, FileFailurePersistence, TestRunner},
};

use crate::model::{Action, Coverage, World};

const CASES: u32 = 10_000;
const MAX_ACTIONS: usize = 400;

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = any::<(u8, u8)>().prop_map(|(kind, argument)| Action::from_bytes(kind, argument));
    prop::collection::vec(action, 0..MAX_ACTIONS)
}

#[test]
fn an_undisturbed_call_takes_one_exchange_and_a_wish_of_each_side_one_more() {
    let mut world = World::new(false);
    world.settle(false);
    world.assert_agreed(true);
    assert_eq!(world.coverage().exchanges, 1);
    for (side, exchanges) in [(0, 2), (1, 3)] {
        world.act(Action::Want(side));
        world.settle(false);
        world.assert_agreed(true);
        assert_eq!(world.coverage().exchanges, exchanges);
    }
    assert_eq!(world.coverage().repeated_offers, 0);
}

/// The model asserts the properties where they would be violated.
#[test]
fn two_sides_agree_after_any_interleaving_once_the_network_is_good_again() {
    let Coverage { replays, .. } = run(World::new);
    assert_eq!(replays, 0);
}

#[test]
fn two_members_of_a_protected_room_agree_after_any_interleaving_and_open_no_signal_twice() {
    let Coverage { replays, .. } = run(World::sealed);
    assert!(replays > CASES / 50, "{replays} replays");
}

fn run(new_world: fn(bool) -> World) -> Coverage {
    let config = Config {
        cases: CASES.max(Config::default().cases),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "proptest-regressions/negotiation.txt",
        ))),
        ..Config::default()
    };
    let total = Cell::new(Coverage::default());
    let any_world = (any::<bool>(), any::<bool>(), actions());
    let outcome = TestRunner::new(config).run(&any_world, |(keeps, path_restored_is_told, actions)| {
        let mut world = new_world(keeps);
        for action in actions {
            world.act(action);
        }
        world.settle(path_restored_is_told);
        // Without the news of a restored path, no side knows that a candidate was lost.
        world.assert_agreed(path_restored_is_told);
        total.set(total.get() + world.coverage());
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    // Interleavings without disturbances would prove nothing.
    let Coverage { exchanges, rollbacks, restarts, repeated_offers, .. } = total.get();
    assert!(exchanges > 2 * CASES, "{exchanges} exchanges");
    assert!(rollbacks > CASES / 50, "{rollbacks} rollbacks");
    assert!(restarts > CASES / 50, "{restarts} restarts");
    assert!(repeated_offers > CASES / 50, "{repeated_offers} repeated offers");
    total.get()
}
