use std::time::Duration;

use sightline_core::{report::EndReason, run::RunState};

use crate::pair::{Pair, id};

#[test]
fn a_run_begins_with_the_first_frame_and_ends_for_everybody_when_one_stops_it() {
    let mut pair = Pair::new();
    pair.start(1, None);
    assert_eq!((pair.ada.run.state(), pair.bob.run.state()), (RunState::Waiting, RunState::Waiting));
    pair.play(5);
    assert_eq!((pair.ada.run.state(), pair.bob.run.state()), (RunState::Running, RunState::Running));
    pair.ada.run.stop(pair.now);
    pair.deliver();
    assert_eq!((pair.ada.run.state(), pair.bob.run.state()), (RunState::Ended, RunState::Ended));
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().ended_by, EndReason::Stopped);
}

#[test]
fn a_run_with_a_limit_ends_that_long_after_the_first_frame() {
    let mut pair = Pair::new();
    pair.stop_for(Duration::from_secs(30));
    pair.start(1, Some(Duration::from_secs(10)));
    pair.stop_for(Duration::from_secs(30));
    pair.play(9);
    assert_eq!(pair.bob.run.state(), RunState::Running);
    pair.play(3);
    assert_eq!((pair.ada.run.state(), pair.bob.run.state()), (RunState::Ended, RunState::Ended));
    let report = pair.ada.run.report(0.0, pair.now).unwrap();
    assert_eq!(report.ended_by, EndReason::TimeLimit);
    assert!((9.9..=11.1).contains(&report.duration_s), "{}", report.duration_s);
}

#[test]
fn a_file_that_is_over_ends_a_run_that_is_on_and_none_that_waits() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.ada.run.handle_file_ended(pair.now);
    assert_eq!(pair.ada.run.state(), RunState::Waiting);
    pair.play(3);
    pair.ada.run.handle_file_ended(pair.now);
    pair.deliver();
    assert_eq!(pair.bob.run.state(), RunState::Ended);
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().ended_by, EndReason::FileEnded);
}

#[test]
fn a_connection_that_is_gone_for_good_ends_it_with_a_report_of_ones_own() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(3);
    pair.is_connected = false;
    let now = pair.bobs_now();
    pair.bob.run.handle_gone(&id("ada"), false, now);
    let report = pair.bob.run.report(0.0, now).unwrap();
    assert_eq!((report.ended_by, report.sides.len()), (EndReason::ConnectionGone, 1));
}

#[test]
fn two_runs_that_begin_at_once_are_one() {
    let mut pair = Pair::new();
    pair.bob.run.start(sightline_protocol::RunId::from_random(2), crate::pair::party("bob"), "room", None);
    pair.start(1, None);
    pair.play(3);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    let reports =
        [pair.ada.run.report(0.0, pair.now).unwrap(), pair.bob.run.report(0.0, pair.bobs_now()).unwrap()];
    assert_eq!(reports[0].run, reports[1].run);
    assert!(reports.iter().all(|report| report.sides.len() == 2));
}

#[test]
fn a_log_that_did_not_get_through_comes_when_the_way_is_open_again() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(3);
    pair.is_connected = false;
    pair.ada.run.stop(pair.now);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().sides.len(), 1);
    pair.is_connected = true;
    pair.open();
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().sides.len(), 2);
}

#[test]
fn another_run_after_the_first_knows_nothing_of_it() {
    let mut pair = Pair::new();
    pair.start(5, None);
    pair.play(3);
    pair.ada.run.stop(pair.now);
    pair.deliver();
    pair.start(9, None);
    assert_eq!((pair.ada.run.state(), pair.bob.run.state()), (RunState::Waiting, RunState::Waiting));
    assert!(pair.ada.run.report(0.0, pair.now).is_none());
    pair.play(2);
    pair.ada.run.stop(pair.now);
    pair.deliver();
    let report = pair.bob.run.report(0.0, pair.bobs_now()).unwrap();
    assert!(report.duration_s < 2.5, "{}", report.duration_s);
}
