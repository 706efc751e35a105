//! Scenarios with a single fault each.

use std::{convert::Infallible, iter, time::Duration};

use sightline_core::transfer::{
    Arrival, Arrivals, CHUNK_BYTES, PrefixHasher, TransferOutput, TransferState, WINDOW_BYTES,
};
use sightline_protocol::{
    MemberId,
    control::ControlMessage,
    transfer::{BulkHeader, Sha256Digest, TransferEnd},
};

use crate::world::{Faults, World, assemble, bytes, description};

const LENGTH: usize = 100 * CHUNK_BYTES + 17;

fn is_done(world: &World) -> bool {
    world.sent().state == TransferState::Done
        && world.received().is_some_and(|(_, view)| view.state == TransferState::Done)
}

fn expect_whole(world: &World) {
    assert_eq!(world.pages[1].stored(), world.pages[0].file);
    let mut hasher = PrefixHasher::default();
    hasher.update(&world.pages[0].file);
    assert_eq!(world.sent().sha256, Some(hasher.digest()));
    assert_eq!(world.received().unwrap().1.sha256, Some(hasher.digest()));
}

fn half_way(world: &World) -> bool {
    world.received().is_some_and(|(_, view)| view.bytes > LENGTH as u64 / 2)
}

#[test]
fn files_of_any_size_arrive_and_both_know_their_hash() {
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, LENGTH] {
        let mut world = World::new(bytes(length), 1);
        world.begin();
        world.run_until("it is done", is_done);
        expect_whole(&world);
        assert_eq!(world.pages[0].frame_bytes_sent, length as u64, "nothing is sent twice");
    }
}

#[test]
fn no_bytes_are_sent_before_acceptance_or_after_a_refusal() {
    let mut world = World::new(bytes(LENGTH), 2);
    world.choose(description(&bytes(LENGTH)), bytes(LENGTH));
    world.run_until("it is offered", |world| world.received().is_some());
    world.run_out();
    assert_eq!(world.pages[0].frame_bytes_sent, 0);
    let (here, now) = (world.received().unwrap().0, world.now);
    world.pages[1].transfers.decline(here, now);
    world.run_until("the sender knows", |world| world.sent().state == TransferState::Declined);
    world.run_out();
    assert_eq!(world.pages[0].frame_bytes_sent, 0);
}

#[test]
fn bytes_are_expected_only_from_the_sender_of_an_accepted_file_until_the_file_has_arrived() {
    let mut world = World::new(bytes(LENGTH), 2);
    let expected = |world: &World| {
        world.pages.each_ref().map(|page| world.pages[1].transfers.expects_bytes_from(&page.member))
    };
    world.choose(description(&bytes(LENGTH)), bytes(LENGTH));
    world.run_until("it is offered", |world| world.received().is_some());
    assert_eq!(expected(&world), [false, false]);
    world.accept_all();
    assert_eq!(expected(&world), [true, false]);
    world.run_until("it is done", is_done);
    assert_eq!(expected(&world), [false, false]);
}

#[test]
fn a_connection_to_one_member_says_nothing_about_the_files_of_another_one() {
    let mut world = World::new(bytes(LENGTH), 15);
    world.begin();
    world.run_until("half of it is there", half_way);
    for transfers in world.pages.iter_mut().map(|page| &mut page.transfers) {
        transfers.handle_channel_open(&MemberId::new("another").unwrap(), world.now);
        let mut outputs = iter::from_fn(|| transfers.poll_output());
        assert!(!outputs.any(|output| matches!(output, TransferOutput::Send(..))));
    }
}

#[test]
fn a_cut_costs_no_more_than_the_window() {
    let mut world = World::new(bytes(4 * WINDOW_BYTES as usize), 3);
    world.begin();
    for part in 1..4 {
        world.run_until("a part is there", |world| {
            world.received().is_some_and(|(_, view)| view.bytes > part * WINDOW_BYTES)
        });
        world.cut();
        world.now = world.now + Duration::from_secs(30);
        world.connect();
    }
    world.run_until("it is done", is_done);
    expect_whole(&world);
    assert!(world.pages[0].frame_bytes_sent <= (4 + 3) * WINDOW_BYTES, "{}", world.pages[0].frame_bytes_sent);
}

#[test]
fn a_transfer_continues_from_the_disk_after_the_receiver_reloads() {
    let mut world = World::new(bytes(LENGTH), 4);
    world.begin();
    world.run_until("half of it is there", half_way);
    world.reload(1);
    world.run_until("it is done", is_done);
    expect_whole(&world);
    assert!(world.pages[0].frame_bytes_sent < 2 * LENGTH as u64, "{}", world.pages[0].frame_bytes_sent);
}

#[test]
fn the_sender_records_the_acceptance_as_soon_as_it_hears_of_it() {
    let mut world = World::new(bytes(LENGTH), 16);
    world.begin();
    world.run_until("the sender knows", |world| world.sent().state == TransferState::Running);
    assert_eq!(world.pages[0].kept, world.pages[0].transfers.records().to_json());
}

#[test]
fn a_transfer_waits_for_the_same_file_after_the_sender_reloads() {
    let mut world = World::new(bytes(LENGTH), 5);
    world.begin();
    world.run_until("half of it is there", half_way);
    world.reload(0);
    world.run_out();
    assert!(world.sent().needs_file);
    assert_eq!(world.sent().state, TransferState::Paused);
    assert_eq!(world.received().unwrap().1.state, TransferState::Paused);
    assert_eq!(world.choose_again(), 1);
    world.run_until("it is done", is_done);
    expect_whole(&world);
}

#[test]
fn a_sender_that_reloads_before_it_hears_of_the_end_compares_the_file_and_closes_it() {
    let mut world = World::new(bytes(LENGTH), 14);
    world.begin();
    world.run_until("the receiver has it", |world| world.received().unwrap().1.state == TransferState::Done);
    assert_ne!(world.sent().state, TransferState::Done);
    let sent = world.pages[0].frame_bytes_sent;
    world.reload(0);
    assert_eq!(world.choose_again(), 1);
    assert_eq!(world.pages[0].open_files(), 1);
    world.run_until("it is done", is_done);
    assert_eq!((world.pages[0].open_files(), world.pages[0].frame_bytes_sent), (0, sent));
}

#[test]
fn another_file_of_the_same_name_size_and_time_is_a_new_offer() {
    let mut world = World::new(bytes(LENGTH), 6);
    world.begin();
    world.run_until("half of it is there", half_way);
    world.reload(0);
    world.pages[0].file[3] ^= 1;
    assert_eq!(world.choose_again(), 2);
    world.run_until("it is offered", |world| world.pages[1].views().len() == 2);
    world.accept_all();
    world.run_until("it is done", |world| world.pages[1].views()[1].1.state == TransferState::Done);
    assert_eq!(world.sent().state, TransferState::Paused);
    assert_eq!(world.received().unwrap().1.state, TransferState::Paused);
    let other = world.pages[1].views()[1].1.id.clone();
    assert_eq!(world.pages[1].disk[&other].bytes, world.pages[0].file);
}

#[test]
fn a_change_in_an_unsampled_part_of_a_file_is_detected_from_the_received_bytes() {
    let mut world = World::new(bytes(LENGTH), 6);
    world.begin();
    world.run_until("half of it is there", half_way);
    world.reload(0);
    world.pages[0].file[70_000] ^= 1;
    assert_eq!(world.choose_again(), 1);
    world.run_until("both know", |world| {
        world.sent().end == Some(TransferEnd::FileChanged)
            && world.received().unwrap().1.end == Some(TransferEnd::FileChanged)
    });
    assert!(world.pages[1].discarded);
}

#[test]
fn a_file_of_another_size_is_not_taken_for_the_same() {
    let mut world = World::new(bytes(LENGTH), 7);
    world.begin();
    world.run_until("half of it is there", half_way);
    world.reload(0);
    world.pages[0].file.push(0);
    assert_eq!(world.choose_again(), 2);
    assert!(world.sent().needs_file);
}

#[test]
fn each_side_can_pause_and_resume_the_transfer() {
    for at in 0..2 {
        let mut world = World::new(bytes(LENGTH), 8);
        world.begin();
        world.run_until("half of it is there", half_way);
        let (handle, now) = (world.pages[at].views()[0].0, world.now);
        world.pages[at].transfers.pause(handle, true, now);
        world.run_out();
        let sent = world.pages[0].frame_bytes_sent;
        assert_eq!(world.sent().state, TransferState::Paused);
        assert_eq!(world.received().unwrap().1.state, TransferState::Paused);
        world.run_out();
        assert_eq!(world.pages[0].frame_bytes_sent, sent, "nothing flows meanwhile");
        let now = world.now;
        world.pages[at].transfers.pause(handle, false, now);
        world.run_until("it is done", is_done);
        expect_whole(&world);
    }
}

#[test]
fn each_side_can_cancel_the_transfer_and_no_data_remains() {
    for at in 0..2 {
        let mut world = World::new(bytes(LENGTH), 9);
        world.begin();
        world.run_until("half of it is there", half_way);
        let (handle, now) = (world.pages[at].views()[0].0, world.now);
        world.pages[at].transfers.cancel(handle, now);
        world.run_until("both know", |world| {
            world.sent().state == TransferState::Cancelled
                && world.received().unwrap().1.state == TransferState::Cancelled
        });
        assert!(world.pages[1].discarded);
        world.run_out();
        assert!(world.pages[0].kept.contains("\"sending\":[]"), "{}", world.pages[0].kept);
    }
}

#[test]
fn a_cancellation_during_a_cut_is_delivered_after_the_reconnection() {
    for at in 0..2 {
        let mut world = World::new(bytes(LENGTH), 10);
        world.begin();
        world.run_until("half of it is there", half_way);
        world.cut();
        let (handle, now) = (world.pages[at].views()[0].0, world.now);
        world.pages[at].transfers.cancel(handle, now);
        world.connect();
        world.run_until("both know", |world| {
            world.sent().state.is_over() && world.received().unwrap().1.state.is_over()
        });
    }
}

#[test]
fn a_receiver_says_again_that_it_has_the_file_once_another_link_replaced_the_one_that_may_have_lost_it() {
    let mut world = World::new(bytes(LENGTH), 16);
    world.begin();
    world.run_until("the receiver has it", |world| {
        world.received().is_some_and(|(_, file)| file.state == TransferState::Done)
    });
    assert!(!is_done(&world), "the sender does not know yet");
    world.cut();
    world.connect();
    let connected_at = world.now;
    // What the sender asks does not arrive, and it asks again only after eight seconds.
    world.lose_control(0);
    world.run_until("the sender knows", is_done);
    assert!(world.now.since(connected_at) < Duration::from_secs(1), "{connected_at:?} {:?}", world.now);
}

#[test]
fn a_receiver_says_again_how_the_latest_files_ended_and_not_all_of_them() {
    let mut world = World::new(bytes(1), 17);
    for length in 1..=20 {
        world.choose(description(&bytes(length)), bytes(length));
    }
    world.run_until("all are offered", |world| world.pages[1].views().len() == 20);
    world.accept_all();
    world.run_until("all are there", |world| {
        world.pages.iter().all(|page| page.views().iter().all(|(_, file)| file.state == TransferState::Done))
    });
    let (sender, now) = (world.pages[0].member.clone(), world.now);
    let transfers = &mut world.pages[1].transfers;
    transfers.handle_channel_open(&sender, now);
    let said = iter::from_fn(|| transfers.poll_output());
    let done =
        said.filter(|output| matches!(output, TransferOutput::Send(_, ControlMessage::TransferDone { .. })));
    assert_eq!(done.count(), 16);
}

#[test]
fn a_full_disk_ends_the_transfer_on_both_sides() {
    let mut world = World::new(bytes(LENGTH), 11);
    world.pages[1].room_bytes = LENGTH / 2;
    world.begin();
    world.run_until("both know", |world| {
        world.sent().end == Some(TransferEnd::DiskFull)
            && world.received().unwrap().1.end == Some(TransferEnd::DiskFull)
    });
}

#[test]
fn an_empty_file_arrives_when_a_long_absent_sender_is_back() {
    let mut world = World::new(Vec::new(), 14);
    world.begin();
    world.cut();
    world.run_out();
    assert_eq!(world.received().unwrap().1.end, None);
    world.connect();
    world.run_until("it is there", |world| world.received().unwrap().1.state == TransferState::Done);
}

#[test]
fn storage_that_never_confirms_the_file_ends_the_transfer_on_both_sides() {
    let mut world = World::new(bytes(LENGTH), 13);
    world.pages[1].is_storage_silent = true;
    world.begin();
    world.run_until("all of it is here", |world| {
        world.received().unwrap().1.state == TransferState::Verifying
    });
    let arrived_at = world.now;
    world.run_until("both know", |world| {
        world.sent().end == Some(TransferEnd::StorageRefused)
            && world.received().unwrap().1.end == Some(TransferEnd::StorageRefused)
    });
    let waited = world.now.since_origin() - arrived_at.since_origin();
    assert!(waited >= Duration::from_secs(29), "slow storage has time: {waited:?}");
}

#[test]
fn frames_that_wait_for_a_missing_one_take_two_windows_of_memory_at_most() {
    let mut arrivals = Arrivals::new(u64::MAX, PrefixHasher::default());
    let mut take = |number: u64| {
        let (number, offset) = (1, number * CHUNK_BYTES as u64);
        let header = BulkHeader { number, offset, prefix_sha256: Sha256Digest([0; 32]) };
        arrivals.handle_frame(&header, &[0; CHUNK_BYTES], |_, _| Ok::<_, Infallible>(())).unwrap()
    };
    let most = 2 * WINDOW_BYTES / CHUNK_BYTES as u64;
    for number in 1..=most {
        assert_eq!(take(number), Arrival::Waiting, "{number}");
    }
    assert_eq!(take(most + 1), Arrival::Dropped);
    assert_eq!(take(1), Arrival::Waiting, "a frame that comes again takes the memory of the first one");
}

#[test]
fn frames_that_waited_take_no_memory_once_they_are_written() {
    let mut arrivals = Arrivals::new(u64::MAX, PrefixHasher::default());
    let mut sent = PrefixHasher::default();
    let frames = 2 * WINDOW_BYTES / CHUNK_BYTES as u64 + 2;
    let headers: Vec<_> = (0..2 * frames)
        .map(|number| {
            sent.update(&[0; CHUNK_BYTES]);
            BulkHeader { number: 1, offset: number * CHUNK_BYTES as u64, prefix_sha256: sent.digest() }
        })
        .collect();
    // Each frame overtakes the one before it. Together they are more than may wait.
    for pair in headers.chunks_exact(2) {
        let mut take = |header| {
            arrivals.handle_frame(header, &[0; CHUNK_BYTES], |_, _| Ok::<_, Infallible>(())).unwrap()
        };
        assert_eq!([take(&pair[1]), take(&pair[0])], [Arrival::Waiting, Arrival::Written], "{pair:?}");
    }
    assert_eq!(arrivals.verified_bytes(), 2 * frames * CHUNK_BYTES as u64);
}

#[test]
fn a_path_that_corrupts_every_frame_fails_the_transfer() {
    let mut world = World::new(bytes(LENGTH), 12);
    world.faults = Faults { flipped: 100, ..Faults::default() };
    world.begin();
    world.run_until("both know", |world| {
        world.sent().state == TransferState::Failed
            && world.received().unwrap().1.state == TransferState::Failed
    });
    assert_eq!(world.received().unwrap().1.bytes, 0);
}

#[test]
fn a_frame_with_one_flipped_bit_is_never_accepted() {
    let file = bytes(300);
    let frame = |offset: usize, end: usize| {
        let mut hasher = PrefixHasher::default();
        hasher.update(&file[..end]);
        let header = BulkHeader { number: 1, offset: offset as u64, prefix_sha256: hasher.digest() };
        [header.encode().as_slice(), &file[offset..end]].concat()
    };
    let frames = [frame(0, 100), frame(100, 200), frame(200, 300)];
    assert_eq!(assemble(300, &frames), file);
    // Flips bits of the offset, the hash and the bytes. A wrong version or number only makes the frame belong elsewhere.
    for bit in 8 * 8..frames[1].len() * 8 {
        let mut flipped = frames.clone();
        flipped[1][bit / 8] ^= 1 << (bit % 8);
        let stored = assemble(300, &flipped);
        assert_eq!(stored, file[..100], "bit {bit}");
    }
}

#[test]
fn a_cleared_file_leaves_the_list_for_good_and_its_bytes_stay_until_the_person_leaves() {
    let mut world = World::new(bytes(LENGTH), 7);
    world.begin();
    world.run_until("half of it is there", half_way);
    let (here, there) = (world.received().unwrap().0, world.pages[0].views()[0].0);
    world.pages[1].transfers.clear(&[here]);
    world.run_until("it is done, since a running file is not cleared", is_done);
    world.pages[0].transfers.clear(&[there]);
    world.pages[1].transfers.clear(&[here]);
    world.run_out();
    assert!(world.pages.iter().all(|page| page.views().is_empty()));
    assert_eq!(world.pages[1].stored(), bytes(LENGTH));
    world.reload(1);
    world.run_out();
    assert!(world.pages[1].views().is_empty(), "it came back with a reload");
    let now = world.now;
    world.pages[1].transfers.leave(now);
    world.run_out();
    assert!(world.pages[1].disk.is_empty());
}
