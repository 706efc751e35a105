//! A file that is shown over a path that loses packets: they are asked for and sent again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sightline_core::negotiation::Role;
use sightline_protocol::MemberId;
use tokio::time::timeout;

use super::{
    LinkWatch,
    codecs::video_codec,
    tests::{End, Side, connect},
};
use crate::{
    arrival::{Media, frame_queue},
    clock::Clock,
    input::Input,
    media::{Source, VideoCodec, testing},
};

/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Every packet of pictures whose number, as it passes, is divisible by this is lost.
const LOST: usize = 7;
const PICTURES: usize = 75;
/// Nothing tells that the very last packets are missing, so not every picture is waited for.
const AWAITED: usize = 70;

/// Three seconds of 25 pictures, each with several packets.
fn pictures() -> Vec<Vec<u8>> {
    let picture = |number: usize| {
        let begin: &[u8] = if number == 0 { &testing::KEY } else { &testing::DELTA };
        let rest = (0..4000).map(|at| (number * 31 + at) as u8);
        begin.iter().copied().chain(rest).collect()
    };
    (0..PICTURES).map(picture).collect()
}

/// Carries datagrams between the two, and loses some of those with pictures.
async fn carry((provider, at_provider): End, (viewer, at_viewer): End, lost: Arc<AtomicUsize>) {
    let (mut from_provider, mut from_viewer) = ([0; 2000], [0; 2000]);
    let mut passed = 0;
    loop {
        tokio::select! {
            received = at_viewer.recv_from(&mut from_viewer) => {
                let (length, from) = received.unwrap();
                if from == viewer {
                    at_provider.send_to(&from_viewer[..length], provider).await.unwrap();
                }
            }
            received = at_provider.recv_from(&mut from_provider) => {
                let (length, from) = received.unwrap();
                if from != provider {
                    continue;
                }
                // RFC 7983: RTP and RTCP are between 128 and 191; the second byte is the marker and the payload type.
                let is_rtp = (128..192).contains(&from_provider[0]);
                if is_rtp && from_provider[1] & 0x7f == video_codec(VideoCodec::Vp8).payload_type {
                    passed += 1;
                    if passed % LOST == 0 {
                        lost.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                }
                at_viewer.send_to(&from_provider[..length], viewer).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packets_that_a_path_loses_are_sent_again_until_every_picture_is_whole() {
    let shown = pictures();
    let frames: Vec<_> =
        shown.iter().enumerate().map(|(at, picture)| (at as u64, picture.as_slice())).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.ivf");
    std::fs::write(&path, testing::ivf(b"VP80", &frames)).unwrap();
    let source = Source::open(&path).unwrap();
    source.start(false).unwrap();

    let (to, mut arrived) = frame_queue();
    let member = MemberId::new("ada").unwrap();
    let watch = LinkWatch { member, clock: Clock::start(), frames: Some(to) };
    let mut provider = Side::open_with(Role::Offerer, Some(source.clone()), None);
    let mut viewer = Side::open_with(Role::Answerer, None, Some(watch));
    let lost = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lost);
    let (answer, carrier) =
        connect(&mut provider, &mut viewer, |provider, viewer| carry(provider, viewer, counted)).await;
    assert!(answer.contains("a=recvonly") && answer.contains("nack"), "{answer}");

    let watched = async {
        while !matches!(provider.first.recv().await.unwrap(), Input::Watching(_)) {}
        source.play();
        for (number, picture) in shown.iter().enumerate().take(AWAITED) {
            let Media::Picture(frame) = arrived.recv().await.unwrap().media else {
                panic!("there is no sound")
            };
            assert!(frame.data == picture.as_slice(), "picture {number}");
        }
    };
    timeout(PATIENCE, watched).await.expect("a picture is missing");
    // Each picture has four packets.
    assert!(lost.load(Ordering::Relaxed) >= AWAITED * 4 / LOST, "{lost:?}");
    carrier.abort();
}
