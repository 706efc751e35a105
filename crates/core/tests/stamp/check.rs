//! Stamps that were read from a later frame than the callback's.

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame,
        stamp::{Stamp, StampCheck, StripReading, Unreadable},
    },
};

fn reading(number: u32, painted_us: u64) -> StripReading {
    let painted_at = Timestamp::from_origin(Duration::from_micros(painted_us));
    StripReading { stamp: Ok(Stamp::new(number, painted_at)), cost: Duration::ZERO }
}

fn shown(captured_us: u64) -> ShownFrame {
    // The RTP clock starts anywhere, here shortly before it begins again.
    let ticks = (captured_us * 9 / 100).wrapping_add(0xFFFF_0000);
    ShownFrame { rtp_timestamp: Some(ticks as u32), ..ShownFrame::default() }
}

proptest! {
    #[test]
    fn a_stamp_of_the_next_frame_is_unread_and_every_other_is_read(
        fps in prop::sample::select(vec![15_u64, 24, 25, 30, 50, 60]),
        uneven in prop::collection::vec(0_u64..3_500, 400),
        next in prop::collection::vec(0_u32..10, 400),
    ) {
        let interval = 1_000_000 / fps;
        let painted: Vec<_> = (0..400).map(|n| 5_000_000 + n as u64 * interval + uneven[n]).collect();
        let mut check = StampCheck::default();
        for (number, dice) in next.iter().enumerate().take(399) {
            let is_next = number > 10 && *dice == 0;
            let read = if is_next { number + 1 } else { number };
            let capture = 5_000_000 + number as u64 * interval + 7_000;
            let checked = check.check(reading(read as u32, painted[read]), &shown(capture)).stamp;
            prop_assert_eq!(checked.err(), is_next.then_some(Unreadable::OtherFrame), "{}", number);
        }
    }
}

#[test]
fn a_picture_that_is_sent_again_is_read() {
    let mut check = StampCheck::default();
    for number in 0..50_u32 {
        let painted = 5_000_000 + u64::from(number) * 40_000;
        assert!(check.check(reading(number, painted), &shown(painted)).stamp.is_ok());
    }
    let painted = 5_000_000 + 49 * 40_000;
    for later in [100_000, 200_000, 900_000] {
        assert!(check.check(reading(49, painted), &shown(painted + later)).stamp.is_ok());
    }
}

#[test]
fn another_stream_and_a_browser_without_rtp_timestamps_are_read() {
    let mut check = StampCheck::default();
    for number in 0..20_u32 {
        let painted = 5_000_000 + u64::from(number) * 40_000;
        assert!(check.check(reading(number, painted), &shown(painted)).stamp.is_ok());
    }
    let painted = 6_000_000;
    assert!(check.check(reading(20, painted), &shown(painted + 90_000_000)).stamp.is_ok());
    let unknown = ShownFrame::default();
    assert!(check.check(reading(30, painted + 5_000_000), &unknown).stamp.is_ok());
}
