use std::time::Duration;

use sightline_core::measure::{
    report::{AbsenceEntry, AbsenceReason, EndReason, FileEntry, Report, ReportInvalid},
    run::RunState,
};
use sightline_protocol::control::ControlMessage;

use crate::pair::{Pair, id};

/// Whether Bob's page takes part in Ada's run.
fn is_measured_by_ada(pair: &Pair) -> bool {
    pair.bob.run.measured_by().any(|member| *member == id("ada"))
}

#[test]
fn a_run_begins_with_the_first_frame_and_ends_when_it_is_stopped() {
    let mut pair = Pair::new();
    pair.start(1, None);
    assert_eq!(pair.ada.run.state(), RunState::Waiting);
    pair.play(5);
    assert_eq!(pair.ada.run.state(), RunState::Running);
    pair.ada.run.stop(pair.now);
    pair.deliver();
    assert_eq!(pair.ada.run.state(), RunState::Ended);
    let report = pair.ada.run.report(0.0, pair.now).unwrap();
    assert_eq!((report.ended_by, report.sides.len()), (EndReason::Stopped, 2));
}

#[test]
fn the_run_of_another_is_theirs_and_turns_nothing_here_into_a_run() {
    let mut pair = Pair::new();
    pair.start(1, None);
    assert!(is_measured_by_ada(&pair));
    pair.play(3);
    assert_eq!(pair.bob.run.state(), RunState::Idle);
    assert!(pair.bob.run.record(&id("ada")).is_none(), "the page shows the call, not their run");
    pair.ada.run.stop(pair.now);
    pair.deliver();
    assert!(!is_measured_by_ada(&pair));
    assert_eq!(pair.bob.run.state(), RunState::Idle);
    assert!(pair.bob.run.report(0.0, pair.bobs_now()).is_none());
}

#[test]
fn the_log_sent_for_a_remote_run_does_not_name_the_browser() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(3);
    pair.ada.run.stop(pair.now);
    pair.deliver();
    let report = pair.ada.run.report(0.0, pair.now).unwrap();
    assert_eq!(
        (report.sides[0].observer.browser.as_str(), report.sides[1].observer.browser.as_str()),
        ("test", "")
    );
}

#[test]
fn a_remote_run_neither_replaces_nor_ends_the_local_one() {
    let mut pair = Pair::new();
    pair.start_at_bobs(2, None);
    pair.play(2);
    pair.start(1, None);
    pair.play(2);
    pair.ada.run.stop(pair.now);
    pair.deliver();
    assert_eq!(pair.bob.run.state(), RunState::Running);
    // Nor does another run that names it.
    let own = sightline_protocol::RunId::from_random(2);
    let now = pair.bobs_now();
    let local = || (crate::pair::party("bob"), "room".to_owned());
    let stop = ControlMessage::RunStop { run: own.clone() };
    pair.bob.run.handle_control(&id("ada"), &stop, local, None, now);
    assert_eq!(pair.bob.run.state(), RunState::Running);
    pair.play(2);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    let report = pair.bob.run.report(0.0, pair.bobs_now()).unwrap();
    assert_eq!((report.run.as_str(), report.sides.len()), (own.as_str(), 2));
    assert!((report.duration_s - 6.0).abs() < 0.1, "{}", report.duration_s);
}

#[test]
fn a_member_outside_of_the_run_sends_no_log() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(2);
    pair.bob.run.refuse(&id("ada"));
    assert!(!is_measured_by_ada(&pair));
    pair.play(2);
    // After a repetition it is still refused.
    pair.open();
    assert!(!is_measured_by_ada(&pair));
    pair.ada.run.stop(pair.now);
    pair.deliver();
    pair.open();
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().sides.len(), 1);
}

#[test]
fn the_run_of_another_ends_when_they_leave_and_after_three_hours() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(1);
    let now = pair.bobs_now();
    pair.bob.run.handle_gone(&id("ada"), false, now);
    assert!(!is_measured_by_ada(&pair));
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(1);
    pair.stop_for(Duration::from_secs(3 * 3600 - 2));
    pair.bob.run.handle_progress(pair.bobs_now());
    assert!(is_measured_by_ada(&pair));
    pair.stop_for(Duration::from_secs(3));
    pair.bob.run.handle_progress(pair.bobs_now());
    assert!(!is_measured_by_ada(&pair));
}

#[test]
fn a_member_that_begins_runs_without_end_begins_ten_a_minute() {
    let mut pair = Pair::new();
    let begun = |pair: &mut Pair| {
        (0..1000)
            .filter(|number| {
                let start = ControlMessage::RunStart {
                    run: sightline_protocol::RunId::from_random(*number),
                    is_running: false,
                    first_us: None,
                };
                let now = pair.now;
                pair.ada.run.handle_control(
                    &id("bob"),
                    &start,
                    || (crate::pair::party("ada"), String::new()),
                    None,
                    now,
                )
            })
            .count()
    };
    assert_eq!(begun(&mut pair), 10);
    assert_eq!(pair.ada.run.measured_by().count(), 1);
    pair.stop_for(Duration::from_secs(61));
    assert_eq!(begun(&mut pair), 10);
}

#[test]
fn no_more_than_sixteen_members_measure_at_a_time() {
    let mut pair = Pair::new();
    for number in 0..100_u128 {
        let start = ControlMessage::RunStart {
            run: sightline_protocol::RunId::from_random(number),
            is_running: true,
            first_us: None,
        };
        let (member, now) = (id(&format!("m{number}")), pair.now);
        pair.ada.run.handle_control(
            &member,
            &start,
            || (crate::pair::party("ada"), String::new()),
            None,
            now,
        );
    }
    assert_eq!(pair.ada.run.measured_by().count(), 16);
    assert_eq!(pair.ada.run.state(), RunState::Idle);
}

#[test]
fn an_echo_of_an_earlier_local_run_is_not_a_remote_run() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(1);
    pair.ada.run.stop(pair.now);
    pair.start(2, None);
    let run = sightline_protocol::RunId::from_random(1);
    let echo = ControlMessage::RunStart { run, is_running: true, first_us: None };
    pair.tell_ada(&echo, None);
    assert_eq!(pair.ada.run.measured_by().count(), 0);
}

#[test]
fn a_run_ends_by_itself_after_a_day() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.ada.run.handle_progress(pair.now);
    pair.stop_for(Duration::from_secs(24 * 3600));
    pair.ada.run.handle_progress(pair.now);
    assert_eq!(pair.ada.run.state(), RunState::Ended);
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(2);
    pair.stop_for(Duration::from_secs(24 * 3600));
    pair.ada.run.handle_progress(pair.now);
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().ended_by, EndReason::TimeLimit);
}

#[test]
fn a_run_with_a_limit_ends_that_long_after_the_first_frame() {
    let mut pair = Pair::new();
    pair.stop_for(Duration::from_secs(30));
    pair.start_at_bobs(1, Some(Duration::from_secs(10)));
    pair.stop_for(Duration::from_secs(30));
    pair.play(9);
    assert_eq!(pair.bob.run.state(), RunState::Running);
    pair.play(3);
    assert_eq!(pair.bob.run.state(), RunState::Ended);
    let report = pair.bob.run.report(0.0, pair.bobs_now()).unwrap();
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
    assert!(!is_measured_by_ada(&pair));
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().ended_by, EndReason::FileEnded);
}

#[test]
fn a_lost_connection_ends_the_run_with_a_report_of_this_side() {
    let mut pair = Pair::new();
    pair.start_at_bobs(1, None);
    pair.play(3);
    pair.is_connected = false;
    let now = pair.bobs_now();
    pair.bob.run.handle_gone(&id("ada"), false, now);
    let report = pair.bob.run.report(0.0, now).unwrap();
    assert_eq!((report.ended_by, report.sides.len()), (EndReason::ConnectionGone, 1));
}

#[test]
fn two_runs_that_begin_at_once_are_each_ones_own() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.start_at_bobs(2, None);
    pair.play(3);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    assert_eq!(pair.ada.run.state(), RunState::Running);
    pair.ada.run.stop(pair.now);
    pair.deliver();
    let reports =
        [pair.ada.run.report(0.0, pair.now).unwrap(), pair.bob.run.report(0.0, pair.bobs_now()).unwrap()];
    assert_ne!(reports[0].run, reports[1].run);
    assert!(reports.iter().all(|report| report.sides.len() == 2));
}

#[test]
fn a_log_that_was_not_delivered_is_sent_again_after_the_reconnection() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(3);
    pair.is_connected = false;
    pair.ada.run.stop(pair.now);
    pair.deliver();
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().sides.len(), 1);
    pair.is_connected = true;
    pair.open();
    assert_eq!(pair.ada.run.report(0.0, pair.now).unwrap().sides.len(), 2);
}

#[test]
fn a_second_run_contains_nothing_of_the_first() {
    let mut pair = Pair::new();
    pair.start_at_bobs(5, None);
    pair.play(3);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    pair.start_at_bobs(9, None);
    assert_eq!(pair.bob.run.state(), RunState::Waiting);
    assert!(pair.bob.run.report(0.0, pair.bobs_now()).is_none());
    pair.play(2);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    let report = pair.bob.run.report(0.0, pair.bobs_now()).unwrap();
    assert!(report.duration_s < 2.5, "{}", report.duration_s);
}

#[test]
fn a_receiver_that_reloads_is_absent_in_the_report_and_the_run_keeps_its_length() {
    let mut pair = Pair::new();
    pair.start(1, Some(Duration::from_secs(30)));
    pair.play(10);
    pair.reload_bob(Duration::from_secs(4));
    pair.play(20);
    assert_eq!(pair.ada.run.state(), RunState::Ended);
    let report = pair.ada.run.report(0.0, pair.now).unwrap();
    assert_eq!(report.ended_by, EndReason::TimeLimit);
    assert!((report.duration_s - 30.0).abs() < 1.1, "{}", report.duration_s);
    let told = |absence: &AbsenceEntry| (absence.from_s.round(), absence.to_s.round(), absence.reason);
    let [own, theirs] = report.sides.as_slice() else { panic!("{:?}", report.sides) };
    let away = (10.0, 14.0, AbsenceReason::Away);
    assert_eq!(own.absences.iter().map(told).collect::<Vec<_>>(), [away]);
    let before = (0.0, 10.0, AbsenceReason::NotRecorded);
    assert_eq!(theirs.absences.iter().map(told).collect::<Vec<_>>(), [before, away]);
    assert_eq!(Report::parse(&report.to_json()).as_ref(), Ok(&report));
}

#[test]
fn a_socket_that_closes_while_the_connection_stays_up_is_no_absence() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.play(3);
    for is_away in [true, false] {
        for recorder in pair.ada.run.recorders(&id("bob")) {
            recorder.handle_away(is_away, pair.now);
        }
        pair.play(2);
    }
    pair.ada.run.stop(pair.now);
    pair.deliver();
    let report = pair.ada.run.report(0.0, pair.now).unwrap();
    assert!(report.sides.iter().all(|side| side.absences.is_empty()), "{:?}", report.sides[0].absences);
}

#[test]
fn a_run_whose_member_is_away_ends_at_its_limit_all_the_same() {
    let mut pair = Pair::new();
    pair.start_at_bobs(1, Some(Duration::from_secs(10)));
    pair.play(5);
    let deadline = pair.bob.run.deadline().unwrap();
    pair.bob.run.handle_overdue(pair.bobs_now());
    assert_eq!(pair.bob.run.state(), RunState::Running);
    pair.stop_for(Duration::from_secs(9));
    assert!(deadline < pair.bobs_now());
    pair.bob.run.handle_overdue(pair.bobs_now());
    let report = pair.bob.run.report(0.0, pair.bobs_now()).unwrap();
    assert_eq!((report.duration_s, report.ended_by), (10.0, EndReason::TimeLimit));
}

#[test]
fn a_provider_that_was_killed_is_gone_at_the_limit_before_the_connection_notices() {
    let mut pair = Pair::new();
    pair.start_at_bobs(1, Some(Duration::from_secs(10)));
    pair.play(7);
    for recorder in pair.bob.run.recorders(&id("ada")) {
        recorder.handle_away(true, pair.now + crate::pair::AHEAD);
    }
    pair.stop_for(Duration::from_secs(5));
    pair.bob.run.handle_overdue(pair.bobs_now());
    assert_eq!(pair.bob.run.report(0.0, pair.bobs_now()).unwrap().ended_by, EndReason::ConnectionGone);
    // Only its socket closed: its picture goes on.
    let mut pair = Pair::new();
    pair.start_at_bobs(1, Some(Duration::from_secs(10)));
    pair.play(7);
    for recorder in pair.bob.run.recorders(&id("ada")) {
        recorder.handle_away(true, pair.now + crate::pair::AHEAD);
    }
    pair.play(4);
    assert_eq!(pair.bob.run.report(0.0, pair.bobs_now()).unwrap().ended_by, EndReason::TimeLimit);
}

#[test]
fn the_report_names_the_file_that_was_measured() {
    let mut pair = Pair::new();
    pair.start(1, None);
    pair.start_at_bobs(2, None);
    pair.play(3);
    let file = FileEntry {
        name: "holi\u{202e}day.mp4".to_owned(),
        size_bytes: 19_519.0,
        sha256: Some("0f".repeat(32)),
        frames_per_second: Some(25.000_025),
        duration_s: Some(8.0),
        stamped: false,
    };
    for run in [&mut pair.ada.run] {
        for recorder in run.recorders(&id("bob")) {
            recorder.handle_own_file(&file);
        }
    }
    pair.play(2);
    pair.ada.run.stop(pair.now);
    pair.bob.run.stop(pair.bobs_now());
    pair.deliver();
    let reports =
        [pair.ada.run.report(0.0, pair.now).unwrap(), pair.bob.run.report(0.0, pair.bobs_now()).unwrap()];
    for report in reports {
        let named: Vec<_> = report.sides.iter().filter_map(|side| side.file.clone()).collect();
        let [named] = named.as_slice() else { panic!("{named:?}") };
        assert_eq!((named.name.as_str(), named.frames_per_second), ("holiday.mp4", Some(25.0)));
        assert_eq!(named.sha256, file.sha256);
        assert_eq!(Report::parse(&report.to_json()).as_ref(), Ok(&report));
        // A digest that is none is refused, and a report of before has no file.
        let broken = report.to_json().replace(&"0f".repeat(32), "not a digest");
        assert_eq!(Report::parse(&broken), Err(ReportInvalid::Impossible));
        let mut older: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        for side in older["sides"].as_array_mut().unwrap() {
            side.as_object_mut().unwrap().remove("file");
        }
        assert!(Report::parse(&older.to_string()).unwrap().sides.iter().all(|side| side.file.is_none()));
    }
}
