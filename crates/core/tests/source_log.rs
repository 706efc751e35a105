//! What the page that plays a file tells of its frames.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use sightline_core::{Timestamp, media::SourceLog};
use sightline_protocol::{
    control::Playback,
    telemetry::{MAX_TELEMETRY_BYTES, SourceFrames, TelemetryMessage},
};

fn ms(ms: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(ms))
}

/// A log of a file that plays from 1,000 ms on, with a frame each `interval_ms` until `end_ms`.
fn played(interval_ms: u64, end_ms: u64) -> SourceLog {
    let mut log = SourceLog::new(true, ms(900));
    log.handle_playback(Playback::Playing, ms(990));
    play(&mut log, interval_ms, 1000, end_ms, 0);
    log
}

fn play(log: &mut SourceLog, interval_ms: u64, from_ms: u64, end_ms: u64, media_ms: u64) {
    for (number, at_ms) in (from_ms..end_ms).step_by(interval_ms as usize).enumerate() {
        let media = Duration::from_millis(media_ms + at_ms - from_ms);
        log.handle_frame(ms(at_ms), media, (from_ms / interval_ms) as u32 + number as u32);
    }
}

/// Why, from when, and until when no frame was due.
type ReportedBreak = (Playback, u64, Option<u64>);

/// The reported frames and breaks, in milliseconds of the page's clock.
fn times(reported: &SourceFrames) -> (Vec<u64>, Vec<ReportedBreak>) {
    let from = reported.from_us.get() / 1000;
    let mut at = from;
    let frames = reported.frames_ms.iter().map(|step| {
        at += step.get();
        at
    });
    let breaks = reported
        .breaks
        .iter()
        .map(|known| (known.kind, from + known.from_ms.get(), known.to_ms.map(|to| from + to.get())));
    (frames.collect(), breaks.collect())
}

#[test]
fn each_message_contains_every_frame_of_the_last_three_seconds() {
    let reported = played(40, 10_000).report(ms(10_000)).unwrap();
    assert_eq!((reported.from_us.get(), reported.to_us.get()), (6_900_000, 9_900_000));
    let (frames, breaks) = times(&reported);
    assert_eq!(frames, (6920..=9880).step_by(40).collect::<Vec<_>>());
    assert_eq!(breaks, []);
    assert_eq!(reported.interval_us.unwrap().get(), 40_000);
}

#[test]
fn the_break_before_the_first_frame_lasts_until_it() {
    let (_, breaks) = times(&played(40, 1500).report(ms(1500)).unwrap());
    assert_eq!(breaks, [(Playback::Paused, 900, Some(1000))]);
}

#[test]
fn a_pause_lasts_from_its_event_until_the_first_frame_after_it() {
    let mut log = played(40, 2000);
    log.handle_playback(Playback::Paused, ms(2010));
    assert_eq!(times(&log.report(ms(2500)).unwrap()).1[1], (Playback::Paused, 2010, None));
    log.handle_playback(Playback::Playing, ms(3000));
    assert_eq!(times(&log.report(ms(3200)).unwrap()).1[1], (Playback::Paused, 2010, None));
    play(&mut log, 40, 3120, 3300, 1000);
    assert_eq!(times(&log.report(ms(3400)).unwrap()).1[1], (Playback::Paused, 2010, Some(3120)));
}

#[test]
fn a_loop_whose_event_comes_late_lasts_from_frame_to_frame() {
    let mut log = played(40, 2000);
    play(&mut log, 40, 2050, 3000, 0);
    let (_, breaks) = times(&log.report(ms(3000)).unwrap());
    assert_eq!(breaks[1], (Playback::Seeking, 1960, Some(2050)));
}

#[test]
fn frames_missed_by_a_busy_page_are_counted_between_the_seen_ones() {
    let mut log = SourceLog::new(true, ms(900));
    log.handle_playback(Playback::Playing, ms(990));
    for (presented, at) in [(1, 1000), (2, 1040), (6, 1200), (7, 1240)] {
        log.handle_frame(ms(at), Duration::from_millis(at - 1000), presented);
    }
    let (frames, _) = times(&log.report(ms(1400)).unwrap());
    assert_eq!(frames, [1000, 1040, 1080, 1120, 1160, 1200, 1240]);
}

#[test]
fn a_hidden_page_tells_nothing_of_the_time_in_which_it_was_not_called() {
    let mut log = played(40, 2000);
    log.handle_visibility(false, ms(2000));
    assert_eq!(log.report(ms(2500)), None);
    log.handle_visibility(true, ms(5000));
    play(&mut log, 40, 5010, 6000, 4000);
    let reported = log.report(ms(6000)).unwrap();
    assert_eq!(reported.from_us.get(), 5_000_000);
    assert_eq!(times(&reported).0[0], 5010);
}

#[test]
fn the_longest_message_fits_and_covers_only_its_own_frames() {
    let mut log = played(16, 20_000);
    for at in (20_000..22_000).step_by(100) {
        log.handle_playback(Playback::Seeking, ms(at));
        log.handle_playback(Playback::Playing, ms(at + 10));
        play(&mut log, 16, at + 20, at + 99, at);
    }
    for now in (19_000..23_000).step_by(50) {
        let Some(reported) = log.report(ms(now)) else { continue };
        let text = serde_json::to_string(&TelemetryMessage::SourceFrames(reported.clone())).unwrap();
        assert!(text.len() <= MAX_TELEMETRY_BYTES, "{} {text}", text.len());
        let (frames, breaks) = times(&reported);
        let (from, to) = (reported.from_us.get() / 1000, reported.to_us.get() / 1000);
        assert!(frames.iter().all(|at| (from..=to).contains(at)), "{reported:?}");
        assert!(breaks.len() <= 6);
    }
}
