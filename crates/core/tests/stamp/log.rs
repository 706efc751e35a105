//! The counts that follow from the numbers in the frames.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    measure::{
        clock::ClockEstimate,
        stamp::{FrameLog, FrameTruth, Stamp, Unreadable},
    },
};

const INTERVAL_MS: u64 = 33;
/// The other clock is an hour ahead.
const CLOCK: ClockEstimate = ClockEstimate { offset_us: 3_600_000_000, error: Duration::from_millis(2) };

fn at(millis: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(millis))
}

/// Shows frame `number`, painted on time, after `delay_ms`.
fn show(log: &mut FrameLog, number: u32, delay_ms: u64) {
    let painted_ms = 10_000 + u64::from(number) * INTERVAL_MS;
    let stamp = Stamp::new(number, CLOCK.theirs(at(painted_ms)));
    log.handle_frame(Ok(stamp), at(painted_ms + delay_ms), Some(CLOCK));
}

fn counts(truth: FrameTruth) -> [u32; 5] {
    [truth.shown, truth.lost, truth.repeated, truth.late, truth.unreadable]
}

#[test]
fn frames_that_all_come_are_neither_lost_nor_late_and_their_delay_is_known() {
    let mut log = FrameLog::default();
    (0..300).for_each(|number| show(&mut log, number, 80 + u64::from(number % 7)));
    let truth = log.truth();
    assert_eq!(counts(truth), [300, 0, 0, 0, 0]);
    assert_eq!(truth.shortest_delay, Some(Duration::from_millis(80)));
    assert_eq!(truth.longest_delay, Some(Duration::from_millis(86)));
    assert!(
        truth
            .mean_delay
            .is_some_and(|mean| mean > Duration::from_millis(82) && mean < Duration::from_millis(84))
    );
    assert_eq!(truth.clock, Some(CLOCK));
    assert_eq!(log.frames().count(), 300);
}

#[test]
fn numbers_that_are_missing_are_lost_and_a_number_twice_is_repeated() {
    let mut log = FrameLog::default();
    for number in [5, 6, 6, 6, 9, 10, 20] {
        show(&mut log, number, 50);
    }
    assert_eq!(counts(log.truth()), [5, 11, 2, 0, 0]);
}

#[test]
fn a_frame_that_could_not_be_read_is_not_lost() {
    let mut log = FrameLog::default();
    log.handle_frame(Err(Unreadable::NoStrip), at(10_000), Some(CLOCK));
    show(&mut log, 1, 50);
    log.handle_frame(Err(Unreadable::Damaged), at(10_100), Some(CLOCK));
    show(&mut log, 4, 50);
    assert_eq!(counts(log.truth()), [2, 1, 0, 0, 1], "of two that are missing one was shown");
}

#[test]
fn frames_of_a_hidden_page_are_not_lost() {
    let mut log = FrameLog::default();
    show(&mut log, 1, 50);
    log.handle_unseen(2);
    show(&mut log, 5, 50);
    assert_eq!(counts(log.truth()), [2, 1, 0, 0, 2], "of three that are missing two were shown");
}

#[test]
fn a_frame_is_late_that_takes_an_interval_longer_than_usual() {
    let mut log = FrameLog::default();
    (0..100).for_each(|number| show(&mut log, number, 80));
    show(&mut log, 100, 80 + INTERVAL_MS - 3);
    assert_eq!(log.truth().late, 0);
    show(&mut log, 101, 80 + INTERVAL_MS + 3);
    assert_eq!(log.truth().late, 1);
    assert_eq!(log.truth().longest_delay, Some(Duration::from_millis(80 + INTERVAL_MS + 3)));
}

#[test]
fn a_source_that_begins_anew_loses_nothing() {
    let mut log = FrameLog::default();
    (0..50).for_each(|number| show(&mut log, number, 80));
    (0..50).for_each(|number| {
        let painted = 60_000 + u64::from(number) * INTERVAL_MS;
        log.handle_frame(Ok(Stamp::new(number, CLOCK.theirs(at(painted)))), at(painted + 80), Some(CLOCK));
    });
    assert_eq!(counts(log.truth()), [100, 0, 0, 0, 0]);
}

#[test]
fn without_a_clock_there_is_no_delay_but_everything_else() {
    let mut log = FrameLog::default();
    for number in [1, 2, 4] {
        log.handle_frame(Ok(Stamp::new(number, at(1000))), at(u64::from(number) * 30), None);
    }
    assert_eq!(counts(log.truth()), [3, 1, 0, 0, 0]);
    assert_eq!((log.truth().delay, log.truth().clock), (None, None));
}

#[test]
fn every_delay_keeps_the_estimate_that_it_was_reckoned_with() {
    let mut log = FrameLog::default();
    let estimates = [(20, 30), (14, 12), (15, 2)].map(|(ahead_ms, error_ms)| ClockEstimate {
        offset_us: 3_600_000_000 + ahead_ms * 1000,
        error: Duration::from_millis(error_ms),
    });
    // The other clock is 15 ms more than an hour ahead; each frame takes 50 ms.
    let truth = ClockEstimate { offset_us: 3_600_015_000, error: Duration::ZERO };
    for number in 0..30_u32 {
        let clock = estimates[number as usize / 10];
        let painted = at(10_000 + u64::from(number) * INTERVAL_MS);
        let stamp = Stamp::new(number, truth.theirs(painted));
        log.handle_frame(Ok(stamp), painted + Duration::from_millis(50), Some(clock));
    }
    for frame in log.frames() {
        let off = frame.delay.unwrap().abs_diff(Duration::from_millis(50));
        assert!(off <= frame.clock.unwrap().error, "{frame:?}");
    }
    // The last estimate is better than the first, but the delays of the first frames are not.
    assert_eq!(log.truth().clock, Some(estimates[2]));
    assert_eq!(log.truth().delay_error, Some(Duration::from_millis(30)));
}
