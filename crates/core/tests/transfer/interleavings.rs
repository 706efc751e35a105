//! Random sequences of all faults.

use proptest::prelude::*;
use sightline_core::transfer::{CHUNK_BYTES, TransferState};

use crate::world::{Faults, World, bytes};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The file arrives whole on both sides although messages are lost, doubled, reordered or flipped, connections end and pages
    /// are reloaded at any moment.
    #[test]
    fn a_file_arrives_whole_despite_any_faults(
        seed in any::<u128>(),
        length in 1_usize..40 * CHUNK_BYTES,
        lost in 0_u64..40,
        doubled in 0_u64..40,
        reordered in 0_u64..60,
        flipped in 0_u64..3,
        frames_lost in 0_u64..3,
        frames_reordered in 0_u64..60,
        events in prop::collection::vec((1_u32..120, 0_u8..4), 0..6),
    ) {
        let mut world = World::new(bytes(length), seed);
        world.faults = Faults { lost, doubled, reordered, flipped, frames_lost, frames_reordered };
        world.begin();
        for (steps, event) in events {
            for _ in 0..steps {
                world.step();
            }
            if world.sent().state.is_over() {
                // After a reload, the page would have no record of it.
                break;
            }
            match event {
                0 => {
                    world.cut();
                    world.connect();
                }
                1 => world.reload(1),
                2 => {
                    world.reload(0);
                    world.choose_again();
                }
                _ => {
                    let (handle, now) = (world.pages[0].views()[0].0, world.now);
                    world.pages[0].transfers.pause(handle, true, now);
                    world.step();
                    let now = world.now;
                    world.pages[0].transfers.pause(handle, false, now);
                }
            }
        }
        world.run_until("it is over", |world| {
            world.sent().state.is_over() && world.received().is_some_and(|(_, view)| view.state.is_over())
        });
        let (sent, received) = (world.sent(), world.received().unwrap().1);
        prop_assert_eq!((sent.state, received.state), (TransferState::Done, TransferState::Done), "{:?} {:?}", sent, received);
        prop_assert_eq!(world.pages[1].stored(), &world.pages[0].file);
        prop_assert_eq!(sent.sha256, received.sha256);
    }

    /// The same with one side cancelling at some point: both sides end, and no bytes remain.
    #[test]
    fn a_cancellation_ends_both_sides_despite_any_faults(
        seed in any::<u128>(),
        lost in 0_u64..60,
        reordered in 0_u64..60,
        steps in 0_u32..100,
        at in 0_usize..2,
    ) {
        let mut world = World::new(bytes(10 * CHUNK_BYTES), seed);
        world.faults = Faults { lost, reordered, ..Faults::default() };
        world.begin();
        for _ in 0..steps {
            world.step();
        }
        let (handle, now) = (world.pages[at].views()[0].0, world.now);
        world.pages[at].transfers.cancel(handle, now);
        world.run_until("both ended", |world| {
            world.sent().state.is_over() && world.received().is_some_and(|(_, view)| view.state.is_over())
        });
    }
}
