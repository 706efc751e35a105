//! A file transfer during a call through the whole session: how many bytes the pacing sends.

use std::time::Duration;

use sightline_core::transfer::{
    FileDescription, PrefixHasher, SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferTask,
};
use sightline_protocol::control::PublishedState;

use crate::world::World;

const SIZE_BYTES: u64 = 400_000_000;
const FREE_BYTES: u64 = 1024 * 1024;

/// A world in which a file is being sent.
struct Sending {
    world: World,
    seek: u32,
    place: u64,
    verified: u64,
}

/// Two connected pages with a file from the first one that the second has accepted. `microphone` says whether the first one
/// speaks.
fn sending(microphone: bool) -> Sending {
    let mut world = World::new();
    let (ada, bob) = (world.open(None), world.open(None));
    world.pass(Duration::from_secs(3));
    let now = world.now;
    world.pages[ada].session.set_published(PublishedState { microphone, ..PublishedState::default() }, now);
    let file =
        FileDescription { name: "a.bin".to_owned(), size_bytes: SIZE_BYTES, ..FileDescription::default() };
    world.pages[ada].session.offer_file(None, &file, now).unwrap();
    world.settle();
    let offered = world.pages[bob].files.iter().find_map(|output| match output {
        TransferTask::Changed(handle) => Some(*handle),
        _ => None,
    });
    world.pages[bob].session.with_transfers(now, |all| all.accept(offered.unwrap()));
    world.settle();
    Sending { world, seek: 0, place: 0, verified: 0 }
}

/// Lets time pass with empty channels and a fast disk. Returns the number of bytes sent, and the size of the last chunks.
fn run(sending: &mut Sending, duration: Duration) -> (u64, u32) {
    let Sending { world, seek: seek_now, place, verified } = sending;
    let (mut left, mut chunk, end) = (0, 0, world.now + duration);
    while world.now < end {
        world.pass(Duration::from_millis(5));
        let (now, to) = (world.now, world.id(1));
        world.pages[0].session.handle_bulk_capacity(&to, FREE_BYTES, now);
        world.settle();
        while let Some(output) = world.pages[1].files.pop_front() {
            if let TransferTask::Sink(handle, SinkCommand::Open { .. }) = output {
                let sha256 = PrefixHasher::default().digest();
                let opened = SinkEvent::Opened { verified_bytes: 0, sha256 };
                world.pages[1].session.with_transfers(now, |all| all.handle_sink(handle, &opened, now));
            }
        }
        world.settle();
        while let Some(output) = world.pages[0].files.pop_front() {
            let TransferTask::Source(handle, command) = output else { continue };
            match command {
                SourceCommand::Seek { seek, offset, .. } => (*seek_now, *place) = (seek, offset),
                SourceCommand::Pull { chunks, chunk_bytes } => {
                    chunk = chunk_bytes;
                    for _ in 0..chunks {
                        let length_bytes = u64::from(chunk_bytes);
                        let frame = SourceEvent::Frame {
                            seek: *seek_now,
                            offset: *place,
                            length_bytes,
                            sha256: None,
                        };
                        world.pages[0]
                            .session
                            .with_transfers(now, |all| all.handle_source(handle, &frame, now));
                        *place += length_bytes;
                        left += length_bytes;
                    }
                }
                SourceCommand::Identify { .. } | SourceCommand::Close => {}
            }
        }
        if *place > *verified {
            *verified = *place;
            let receiving = sightline_core::transfer::TransferHandle(1);
            let progress =
                SinkEvent::Progress { verified_bytes: *verified, sha256: PrefixHasher::default().digest() };
            world.pages[1].session.with_transfers(now, |all| all.handle_sink(receiving, &progress, now));
        }
        world.settle();
    }
    (left, chunk)
}

#[test]
fn a_file_during_a_call_starts_with_small_chunks_and_speeds_up() {
    let mut file = sending(true);
    let (first, chunk) = run(&mut file, Duration::from_millis(400));
    assert!(first > 0 && chunk < 2000, "{first} bytes in chunks of {chunk}");
    let (later, _) = run(&mut file, Duration::from_secs(6));
    assert!(later > 50 * first, "{later} after {first}");
}

#[test]
fn a_file_without_a_call_is_not_paced() {
    let mut file = sending(false);
    let (left, chunk) = run(&mut file, Duration::from_secs(1));
    assert!(left > 50_000_000, "{left}");
    assert!(chunk > 60_000, "{chunk}");
}
