//! The runs of two pages in one call, both with a limit of ten seconds, whose call ends in another way at about the same time.

use std::time::Duration;

use sightline_core::measure::{
    report::{EndReason, Report},
    run::RunState,
};
use sightline_protocol::{RunId, control::ControlMessage, telemetry::PageTime};

use crate::pair::{AHEAD, Pair, id};

const LIMIT: Duration = Duration::from_secs(10);
/// Time that a message takes.
const TRANSIT_MS: u64 = 60;
const STEP_MS: u64 = 20;

/// Ada sends a picture and Bob watches it. Both runs have lasted for seven seconds, by about a frame.
fn both_measure() -> Pair {
    let mut pair = Pair::new();
    pair.start(1, Some(LIMIT));
    pair.start_at_bobs(2, Some(LIMIT));
    pair.play(7);
    pair
}

/// Plays until 13 s after the first frame. `event` is called for each step with the time since the first step.
fn play_on(pair: &mut Pair, mut event: impl FnMut(&mut Pair, u64)) {
    for at_ms in (7000..13_000).step_by(STEP_MS as usize) {
        event(pair, at_ms);
        pair.ada.run.handle_overdue(pair.now);
        pair.bob.run.handle_overdue(pair.bobs_now());
        pair.stop_for(Duration::from_millis(STEP_MS));
    }
}

fn reports(pair: &Pair) -> [Report; 2] {
    [pair.ada.run.report(0.0, pair.now).unwrap(), pair.bob.run.report(0.0, pair.bobs_now()).unwrap()]
}

#[test]
fn a_file_that_ends_near_the_limit_ends_the_runs_of_both_pages_for_the_same_reason() {
    // Bob's first frame is shown 40 ms after the beginning, so the limit wins from 8,040 ms on.
    for ends_ms in (7100..12_000).step_by(200) {
        let mut pair = both_measure();
        play_on(&mut pair, |pair, at_ms| {
            if at_ms == ends_ms {
                pair.ada.run.handle_file_ended(pair.now);
            }
            if at_ms == ends_ms + TRANSIT_MS {
                let now = pair.bobs_now();
                pair.bob.run.handle_file_ended(now);
            }
        });
        let expected = if ends_ms < 8040 { EndReason::FileEnded } else { EndReason::TimeLimit };
        for report in reports(&pair) {
            assert_eq!(report.ended_by, expected, "the file ended at {ends_ms} ms: {report:?}");
            let lasted_ms = if ends_ms < 8040 { ends_ms } else { 10_000 };
            assert!((report.duration_s * 1e3 - lasted_ms as f64).abs() <= 100.0, "{}", report.duration_s);
        }
    }
}

#[test]
fn a_member_that_leaves_when_its_run_is_over_does_not_change_the_reason_of_the_other_run() {
    let mut pair = both_measure();
    let mut has_left = false;
    play_on(&mut pair, |pair, _| {
        if pair.bob.run.state() == RunState::Ended && !has_left {
            has_left = true;
            let now = pair.now;
            pair.ada.run.handle_gone(&id("bob"), false, now);
        }
    });
    assert!(has_left);
    assert_eq!(reports(&pair).map(|report| report.ended_by), [EndReason::TimeLimit; 2]);
}

#[test]
fn a_killed_provider_is_gone_unless_that_happens_in_the_last_two_seconds() {
    for (killed_ms, expected) in [(7500, EndReason::ConnectionGone), (8500, EndReason::TimeLimit)] {
        let mut pair = both_measure();
        play_on(&mut pair, |pair, at_ms| {
            if at_ms == killed_ms {
                let now = pair.bobs_now();
                pair.bob.run.recorders(&id("ada")).for_each(|recorder| recorder.handle_away(true, now));
            }
        });
        assert_eq!(reports(&pair)[1].ended_by, expected, "killed at {killed_ms} ms");
    }
}

#[test]
fn a_run_is_stopped_by_its_owner_at_any_time() {
    let mut pair = both_measure();
    play_on(&mut pair, |pair, at_ms| {
        if at_ms == 9900 {
            pair.ada.run.stop(pair.now);
        }
    });
    assert_eq!(reports(&pair).map(|report| report.ended_by), [EndReason::Stopped, EndReason::TimeLimit]);
}

#[test]
fn the_reported_time_of_the_first_frame_counts_within_the_last_five_seconds_of_the_run() {
    for (claimed_ago, lasted) in [(400, 400), (900_000, 5000)] {
        let mut pair = Pair::new();
        pair.start(1, None);
        pair.ada.run.handle_progress(pair.now);
        pair.stop_for(Duration::from_secs(30));
        let claimed = (pair.now + AHEAD).since_origin().saturating_sub(Duration::from_millis(claimed_ago));
        let start = ControlMessage::RunStart {
            run: RunId::from_random(1),
            is_running: true,
            first_us: Some(PageTime::saturating(claimed.as_micros() as u64)),
        };
        pair.tell_ada(&start, pair.clock_of_bob());
        assert_eq!(pair.ada.run.lasted(pair.now), Duration::from_millis(lasted));
    }
    // Before the start of the run there is no first frame.
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.ada.run.handle_progress(pair.now);
    let start = ControlMessage::RunStart {
        run: RunId::from_random(1),
        is_running: true,
        first_us: Some(PageTime::saturating(0)),
    };
    pair.tell_ada(&start, pair.clock_of_bob());
    assert_eq!(pair.ada.run.lasted(pair.now), Duration::ZERO);
}
