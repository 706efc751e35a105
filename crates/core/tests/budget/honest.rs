//! Honest use at its limits is never limited.

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    budget::{Accounts, MessageKind, Verdict},
    transfer::{Direction, FileDescription, SinkEvent, TransferHandle, TransferTask},
};
use sightline_protocol::{
    MemberId,
    control::{Playback, PublishedSource, PublishedState},
    transfer::Sha256Digest,
};

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// Actions of people at full speed.
#[derive(Debug, Clone)]
enum Step {
    /// Pastes this many lines, each as a message.
    Paste(usize, usize),
    /// Offers this many files to the other member, who accepts and completes all of them at once.
    Files(usize, usize),
    /// Drags the position of a video file: two states for each step.
    Seek(usize, usize),
    /// Cuts the network for this many seconds: connections are repaired, and everything is announced again.
    Cut(u32),
    /// The socket to the server closes and reopens this many times.
    Flap(usize),
    /// Time passes, in seconds.
    Wait(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..2_usize, 1..=100_usize).prop_map(|(page, lines)| Step::Paste(page, lines)),
        (0..2_usize, 1..=600_usize).prop_map(|(page, files)| Step::Files(page, files)),
        (0..2_usize, 1..=200_usize).prop_map(|(page, states)| Step::Seek(page, states)),
        (1..60_u32).prop_map(Step::Cut),
        (1..8_usize).prop_map(Step::Flap),
        (1..30_u32).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..7)
}

fn assert_nothing_is_dropped(world: &World, steps: &[Step]) {
    for page in 0..2 {
        let accounts = world.pages[page].session.accounts();
        assert_eq!(accounts.dropped(&world.id(1 - page)), 0, "page {page}, {steps:?}");
    }
}

fn file(number: usize) -> FileDescription {
    FileDescription { name: format!("{number}.bin"), size_bytes: 1, ..FileDescription::default() }
}

/// Accepts and completes all files that a page was offered.
fn take_files(world: &mut World, page: usize) {
    let now = world.now;
    loop {
        let outputs: Vec<_> = world.pages[page].files.drain(..).collect();
        if outputs.is_empty() {
            return;
        }
        let session = &mut world.pages[page].session;
        for output in outputs {
            match output {
                TransferTask::Changed(handle) => accept(session, handle, now),
                TransferTask::Sink(handle, sightline_core::transfer::SinkCommand::Open { .. }) => {
                    let opened = SinkEvent::Opened { verified_bytes: 0, sha256: Sha256Digest([0; 32]) };
                    for event in [opened, SinkEvent::Complete { sha256: Sha256Digest([0; 32]) }] {
                        session.with_transfers(now, |all| all.handle_sink(handle, &event, now));
                    }
                }
                _ => {}
            }
        }
        world.settle();
    }
}

fn accept(session: &mut sightline_core::room::RoomSession, handle: TransferHandle, now: Timestamp) {
    let view = session.transfers().view(handle);
    if view.is_some_and(|view| view.direction == Direction::Receiving && view.sha256.is_none()) {
        session.with_transfers(now, |all| all.accept(handle));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn no_message_of_honest_members_is_dropped(steps in steps()) {
        let mut world = World::new();
        let pages = [world.open(None), world.open(None)];
        for step in &steps {
            let now = world.now;
            match *step {
                Step::Paste(page, lines) => {
                    for _ in 0..lines {
                        world.pages[page].session.send_chat("a line of a paste", 5, now).unwrap();
                    }
                    world.settle();
                }
                Step::Files(page, files) => {
                    for number in 0..files {
                        assert!(world.pages[page].session.offer_file(None, &file(number), now).is_ok());
                    }
                    world.settle();
                    take_files(&mut world, 1 - page);
                }
                Step::Seek(page, states) => {
                    for number in 0..states {
                        let playback = [Playback::Seeking, Playback::Playing][number % 2];
                        let published = PublishedState {
                            source: PublishedSource::File,
                            playback: Some(playback),
                            ..PublishedState::default()
                        };
                        world.pages[page].session.set_published(published, world.now);
                        world.settle();
                        if number % 2 == 1 {
                            world.pass(Duration::from_millis(33));
                        }
                    }
                }
                Step::Cut(seconds) => {
                    world.set_network(false);
                    world.pass(seconds * SECOND);
                    world.set_network(true);
                    world.pass(2 * SECOND);
                }
                Step::Flap(times) => {
                    for _ in 0..times {
                        world.cut_socket(pages[0]);
                        world.pass(SECOND);
                    }
                }
                Step::Wait(seconds) => world.pass(seconds * SECOND),
            }
            assert_nothing_is_dropped(&world, &steps);
        }
    }
}

#[test]
fn a_thousand_files_of_a_folder_twice_and_a_repair_between_are_within_the_budget() {
    let mut world = World::new();
    let (ada, bo) = (world.open(None), world.open(None));
    for round in 0..2 {
        let now = world.now;
        for number in 0..1_000 {
            assert!(world.pages[ada].session.offer_file(None, &file(number), now).is_ok());
        }
        world.settle();
        world.set_network(false);
        world.pass(40 * SECOND);
        world.set_network(true);
        world.pass(10 * SECOND);
        take_files(&mut world, bo);
        world.pass(10 * SECOND);
        assert_nothing_is_dropped(&world, &[]);
        let done = world.pages[bo].session.transfers().records().receiving.len();
        assert!(done >= 1_000, "round {round}: {done}");
    }
}

/// The traffic of real use for each kind: this many at once, then this many per second for an hour.
#[test]
fn an_hour_at_full_speed_is_within_the_budget() {
    let real_use = [
        // 30 MB/s are one frame per 256 KiB; progress comes every 512 KiB, for ten files at once.
        (MessageKind::BulkFrame, 32, 1_900),
        (MessageKind::TransferNews, 3_000, 600),
        (MessageKind::Control, 4_000, 800),
        (MessageKind::ControlByte, 6_500_000, 200_000),
        (MessageKind::Chat, 100, 3),
        (MessageKind::ChatAck, 100, 50),
        (MessageKind::State, 60, 20),
        (MessageKind::Reaction, 6, 1),
        (MessageKind::Offer, 1_000, 50),
        (MessageKind::Withdrawal, 1_000, 2),
        (MessageKind::Telemetry, 1_200, 20),
        (MessageKind::Candidate, 256, 40),
        (MessageKind::Description, 16, 3),
        (MessageKind::Sealed, 544, 43),
        (MessageKind::Verify, 8, 1),
        (MessageKind::Recognition, 8, 1),
        (MessageKind::BulkDescription, 64, 16),
        (MessageKind::BulkCandidate, 1_280, 160),
    ];
    for (kind, at_once, per_second) in real_use {
        let member = MemberId::new("ada").unwrap();
        let mut accounts = Accounts::default();
        assert_eq!(accounts.admit(&member, kind, at_once, Timestamp::ZERO), Verdict::Taken, "{kind:?}");
        for second in 1..=3_600 {
            let now = Timestamp::from_origin(second * SECOND);
            assert_eq!(
                accounts.admit(&member, kind, per_second, now),
                Verdict::Taken,
                "{kind:?} at {second} s"
            );
        }
    }
}
