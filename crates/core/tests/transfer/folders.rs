//! Many files at once, some of which have the same name, size and time.

use proptest::prelude::*;
use sightline_core::transfer::{CHUNK_BYTES, FileDescription, TransferState};

use crate::world::{World, bytes};

fn data(folder: &str, length: usize) -> FileDescription {
    FileDescription {
        name: "data.bin".to_owned(),
        folder: folder.to_owned(),
        size_bytes: length as u64,
        modified_ms: 7,
        ..FileDescription::default()
    }
}

/// Different bytes for every number.
fn content(number: u8, length: usize) -> Vec<u8> {
    bytes(length).into_iter().map(|byte| byte ^ number).collect()
}

/// Checks that every file that is done has the bytes of the file that was offered; `ids` has the order of `offered`.
fn expect_own_bytes(world: &World, offered: &[(FileDescription, Vec<u8>)], ids: &[String]) {
    for (_, view) in world.pages[1].views() {
        let at = ids.iter().position(|id| *id == view.id.to_string()).expect("one of those offered");
        if view.state == TransferState::Done {
            assert!(
                world.pages[1].disk[&view.id].bytes == offered[at].1,
                "{view:?} has another file's bytes"
            );
        }
    }
}

fn ids(world: &World) -> Vec<String> {
    world.pages[0].views().iter().map(|(_, view)| view.id.to_string()).collect()
}

fn all_done(world: &World) -> bool {
    let done = |(_, view): &(_, sightline_core::transfer::TransferView)| view.state == TransferState::Done;
    world.pages[0].views().iter().all(done) && world.pages[1].views().iter().all(done)
}

/// Offers and accepts files, and delivers `parts` tenths of the first one.
fn under_way(files: &[(FileDescription, Vec<u8>)], parts: u64, is_blind: bool) -> World {
    let mut world = World::new(Vec::new(), 1);
    world.pages[0].is_blind = is_blind;
    for (description, file) in files {
        world.choose(description.clone(), file.clone());
    }
    world.run_until("all are offered", |world| world.pages[1].views().len() == files.len());
    if parts > 0 {
        world.accept_all();
        let bytes = files[0].0.size_bytes * parts / 10;
        world.run_until("some of the first is there", |world| {
            world.received().is_some_and(|(_, view)| view.bytes > bytes)
        });
    }
    world
}

#[test]
fn two_files_of_a_folder_that_are_equal_in_name_size_and_time_keep_their_own_bytes() {
    const LENGTH: usize = 20 * CHUNK_BYTES + 5;
    for order in [[0, 1], [1, 0]] {
        for parts in [0, 5] {
            for is_blind in [false, true] {
                let files =
                    [(data("x/a", LENGTH), content(1, LENGTH)), (data("x/b", LENGTH), content(2, LENGTH))];
                let mut world = under_way(&files, parts, is_blind);
                let ids = ids(&world);
                world.reload(0);
                for at in order {
                    world.choose(files[at].0.clone(), files[at].1.clone());
                }
                world.accept_all();
                world.run_until("both are done", all_done);
                assert_eq!(world.pages[0].views().len(), 2, "nothing is offered twice");
                expect_own_bytes(&world, &files, &ids);
            }
        }
    }
}

#[test]
fn a_file_chosen_alone_is_not_taken_for_another_of_its_name_size_and_time() {
    const LENGTH: usize = 20 * CHUNK_BYTES;
    for length in [500, LENGTH] {
        for parts in [0, 5] {
            // Neither has a folder, and the samples of the larger files are equal.
            let mut other = content(1, length);
            other[length / 2 + 1] ^= 1;
            let files = [(data("", length), content(1, length)), (data("", length), other)];
            let parts = if length == 500 { 0 } else { parts };
            let mut world = under_way(&files, parts, false);
            let ids = ids(&world);
            world.reload(0);
            // The second file is chosen first, and alone.
            world.choose(files[1].0.clone(), files[1].1.clone());
            world.accept_all();
            world.run_until("it is done", |world| world.pages[1].views()[1].1.state == TransferState::Done);
            assert!(world.sent().needs_file, "the first waits for its own file");
            expect_own_bytes(&world, &files, &ids);
            world.choose(files[0].0.clone(), files[0].1.clone());
            world.run_until("both are done", all_done);
            expect_own_bytes(&world, &files, &ids);
            assert_eq!(world.pages[0].views().len(), 2);
        }
    }
}

#[test]
fn a_finished_transfer_does_not_give_its_file_to_another_transfer() {
    let files = [(data("", 500), content(1, 500)), (data("", 500), content(2, 500))];
    let mut world = under_way(&files, 0, false);
    let ids = ids(&world);
    let first = world.pages[1].views()[0].0;
    world.pages[1].transfers.accept(first);
    world.run_until("the first is done", |world| {
        world.sent().state == TransferState::Done && world.received().unwrap().1.state == TransferState::Done
    });
    world.reload(0);
    world.accept_all();
    // The same selection is chosen again: its first file does not belong to the second transfer.
    world.choose(files[0].0.clone(), files[0].1.clone());
    world.choose(files[1].0.clone(), files[1].1.clone());
    let second = |world: &World| {
        world.pages[1].views().iter().find(|(_, view)| view.id.to_string() == ids[1]).cloned()
    };
    world.run_until("the second is done", |world| {
        second(world).is_some_and(|(_, view)| view.state == TransferState::Done)
    });
    let id = second(&world).unwrap().1.id;
    assert_eq!(world.pages[1].disk[&id].bytes, files[1].1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Chooses folders again in any order, after reloads and cuts at any moment. Names, sizes and times may be equal. A file
    /// that is done has the bytes of the file that was offered under its id.
    #[test]
    fn every_finished_file_has_the_bytes_of_its_offer(
        files in prop::collection::vec((0_u8..4, 0_u8..2, 0_u8..3), 1..7),
        is_blind in any::<bool>(),
        events in prop::collection::vec((0_u32..60, 0_u8..3, any::<prop::sample::Index>(), 1_usize..8), 0..6),
    ) {
        let lengths = [0, 700, 3 * CHUNK_BYTES];
        let files: Vec<_> = files.into_iter().enumerate().map(|(at, (folder, name, length))| {
            let length = lengths[usize::from(length)];
            let folder = ["", "a", "b", "a/b"][usize::from(folder)];
            let name = ["data.bin", "other.bin"][usize::from(name)].to_owned();
            (FileDescription { name, ..data(folder, length) }, content(at as u8, length))
        }).collect();
        let mut world = World::new(Vec::new(), 3);
        world.pages[0].is_blind = is_blind && files.iter().all(|(description, _)| !description.folder.is_empty());
        // The file that each transfer was offered from.
        let mut known: Vec<(String, Vec<u8>)> = Vec::new();
        let mut choose = |world: &mut World, at: usize| {
            let before = ids(world);
            world.choose(files[at].0.clone(), files[at].1.clone());
            for id in ids(world).into_iter().filter(|id| !before.contains(id)) {
                known.push((id, files[at].1.clone()));
            }
        };
        for at in 0..files.len() {
            choose(&mut world, at);
        }
        for (steps, event, from, count) in events {
            world.accept_all();
            for _ in 0..steps {
                world.step();
            }
            match event {
                0 => {
                    world.cut();
                    world.connect();
                }
                1 => world.reload(1),
                _ => {
                    world.reload(0);
                    for next in 0..count.min(files.len()) {
                        choose(&mut world, (from.index(files.len()) + next) % files.len());
                    }
                }
            }
        }
        for _ in 0..400 {
            world.accept_all();
            world.step();
        }
        for (_, view) in world.pages[1].views() {
            let offered = known.iter().find(|(id, _)| *id == view.id.to_string());
            if view.state == TransferState::Done {
                prop_assert!(world.pages[1].disk[&view.id].bytes == offered.unwrap().1, "{view:?}");
            }
        }
    }
}
