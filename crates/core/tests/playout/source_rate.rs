//! The playout of a source whose rate is known.

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame,
        playout::{PlayoutMeter, PlayoutSummary, SenderInterval},
    },
};

/// The party that knows the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knows {
    Nobody,
    Provider,
    Stamps,
}

fn at(us: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_micros(us))
}

/// Paints frames of a source `interval_us` apart, and shows those that `is_shown` selects 100 ms later. Returns the meter's
/// summary, and the ratio of stalled seconds to all seconds by the ledger's definition.
fn watch(
    knows: Knows,
    painted_us: &[u64],
    interval_us: u64,
    is_shown: impl Fn(usize) -> bool,
) -> (PlayoutSummary, f64) {
    let (summary, stall_ratio, ..) = watch_meter(knows, painted_us, interval_us, is_shown);
    (summary, stall_ratio)
}

/// The same, with the meter and the time of the last frame.
fn watch_meter(
    knows: Knows,
    painted_us: &[u64],
    interval_us: u64,
    is_shown: impl Fn(usize) -> bool,
) -> (PlayoutSummary, f64, PlayoutMeter, Timestamp) {
    let mut meter = PlayoutMeter::new(Timestamp::ZERO);
    let (mut last_us, mut first_us, mut stood_us, mut presented) = (None, None, 0, 0);
    let (mut told_us, mut told_frames) = (1_000_000, 0);
    for (number, painted) in painted_us.iter().enumerate() {
        let shown = painted + 100_000;
        // The provider's report about a second arrives a third of a second after it.
        while knows == Knows::Provider && shown >= told_us + 1_400_000 {
            let frames = painted_us.iter().filter(|us| **us < told_us + 1_000_000).count() - told_frames;
            let interval = SenderInterval {
                from: at(told_us),
                to: at(told_us + 1_000_000),
                source_frames: u32::try_from(frames).ok(),
                ..SenderInterval::default()
            };
            meter.handle_sender(interval, at(shown));
            told_us += 1_000_000;
            told_frames += frames;
        }
        if !is_shown(number) {
            continue;
        }
        presented += 1;
        if knows == Knows::Stamps {
            meter.handle_stamp(number as u32, at(*painted));
        }
        let frame = ShownFrame { shown_at: at(shown), presented_frames: presented, ..ShownFrame::default() };
        meter.handle_frame(frame, at(shown));
        first_us.get_or_insert(shown);
        if let Some(last_us) = last_us.replace(shown) {
            let excess: u64 = shown - last_us - interval_us.min(shown - last_us);
            let least = 90_000.max(interval_us * 3 / 4);
            stood_us += if excess >= least { excess } else { 0 };
        }
    }
    let end = last_us.unwrap();
    meter.finish(at(end));
    let stall_ratio = stood_us as f64 / (end - first_us.unwrap()) as f64;
    (meter.summary(at(end)), stall_ratio, meter, at(end))
}

fn evenly(fps: u64, seconds: u64) -> Vec<u64> {
    (0..fps * seconds).map(|number| 1_000_000 + number * 1_000_000 / fps).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_low_display_rate_of_a_source_with_known_rate_counts_as_stalls(
        shown_permille in 80_u32..250,
        dice in prop::collection::vec(0_u32..1000, 30 * 25),
    ) {
        let painted = evenly(25, 30);
        let is_shown = |number: usize| number < 100 || dice[number] < shown_permille;
        for knows in [Knows::Provider, Knows::Stamps] {
            let (summary, truth) = watch(knows, &painted, 40_000, is_shown);
            let ratio = summary.stall_ratio.unwrap();
            prop_assert!(truth > 0.3, "{truth}");
            prop_assert!((ratio - truth).abs() < 0.05, "{knows:?}: {ratio} of {truth}");
            prop_assert!(summary.usual_stall_ratio.unwrap() <= ratio, "{summary:?}");
            let source = summary.source_frames_per_second.unwrap();
            prop_assert!((source - 25.0).abs() < 0.5, "{knows:?}: {source}");
            let shown = summary.frames_per_second.unwrap();
            prop_assert!((summary.lower_rate_ratio.unwrap() - (1.0 - shown / source)).abs() < 1e-9);
        }
    }

    #[test]
    fn ordinary_playback_at_any_rate_has_no_stall_for_any_source_of_the_rate(
        fps in prop::sample::select(vec![5_u64, 7, 10, 12, 15, 24, 25, 30, 50, 60]),
        unevenness in prop::collection::vec(0_u64..12_000, 60 * 20),
    ) {
        let painted: Vec<_> = evenly(fps, 20).iter().zip(&unevenness).map(|(us, late)| us + late).collect();
        for knows in [Knows::Nobody, Knows::Provider, Knows::Stamps] {
            let (summary, _) = watch(knows, &painted, 1_000_000 / fps, |_| true);
            prop_assert_eq!((summary.stall_count, summary.usual_stall_count), (0, 0), "{:?}", knows);
            prop_assert!(summary.lower_rate_ratio.unwrap_or(0.0) < 0.02, "{summary:?}");
        }
    }

    #[test]
    fn a_source_whose_rate_changes_has_no_stall(
        rates in prop::collection::vec(prop::sample::select(vec![5_u64, 10, 15, 24, 30]), 1..6),
    ) {
        let mut painted = vec![1_000_000];
        for fps in rates {
            for _ in 0..fps * 6 {
                painted.push(painted[painted.len() - 1] + 1_000_000 / fps);
            }
        }
        for knows in [Knows::Nobody, Knows::Provider, Knows::Stamps] {
            prop_assert_eq!(watch(knows, &painted, 40_000, |_| true).0.stall_count, 0, "{:?}", knows);
        }
    }
}

#[test]
fn a_camera_of_15_frames_a_second_loses_nothing_if_its_rate_is_known() {
    let painted = evenly(15, 40);
    for (knows, least_tenths) in [(Knows::Provider, 50), (Knows::Stamps, 50), (Knows::Nobody, 41)] {
        let (summary, _) = watch(knows, &painted, 66_667, |_| true);
        assert_eq!(summary.score.unwrap().tenths, least_tenths, "{knows:?}");
    }
    // Every third frame is lost, and nobody takes that for what the camera delivers.
    let (summary, _) = watch(Knows::Provider, &painted, 66_667, |number| number % 3 != 0);
    assert!(summary.score.unwrap().tenths < 50);
}

#[test]
fn a_camera_that_slows_down_in_the_dark_loses_nothing_in_the_score_of_the_last_seconds() {
    let mut painted = evenly(30, 40);
    while painted.len() < 30 * 40 + 8 * 40 {
        painted.push(painted[painted.len() - 1] + 125_000);
    }
    let (_, _, meter, end) = watch_meter(Knows::Provider, &painted, 125_000, |_| true);
    assert_eq!(meter.recent_score(end).unwrap().tenths, 50);
}

#[test]
fn a_source_that_stands_still_is_a_stall_by_both_rates() {
    for knows in [Knows::Nobody, Knows::Provider, Knows::Stamps] {
        let mut painted = evenly(25, 10);
        for us in &mut painted[120..] {
            *us += 640_000;
        }
        let (summary, _) = watch(knows, &painted, 40_000, |_| true);
        assert_eq!((summary.stall_count, summary.usual_stall_count), (1, 1), "{knows:?}");
        assert!(summary.longest_stall.abs_diff(Duration::from_millis(640)) < Duration::from_millis(5));
    }
}

#[test]
fn a_low_frame_rate_is_not_a_stall_if_the_source_rate_is_unknown() {
    let (summary, _) = watch(Knows::Nobody, &evenly(25, 30), 40_000, |number| number % 8 == 0);
    assert_eq!((summary.stall_count, summary.usual_stall_count), (0, 0));
    assert_eq!((summary.source_frames_per_second, summary.lower_rate_ratio), (None, None));
}
