use std::time::Duration;

use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame,
        playout::{Declaration, StallCause},
    },
};

use crate::viewer::{Viewer, assert_one, ms};

#[test]
fn a_picture_that_plays_evenly_has_no_stall_at_any_rate() {
    for fps in [5, 7, 10, 12, 15, 24, 25, 30, 50, 60] {
        let mut viewer = Viewer::at_fps(fps);
        viewer.play(20_000);
        assert_eq!(viewer.stalls(), [], "{fps}");
        let summary = viewer.meter.summary(viewer.now());
        let rate = summary.frames_per_second.unwrap();
        assert!((rate - fps as f64).abs() < 0.5, "{fps}: {rate}");
        assert_eq!(summary.stall_ratio, Some(0.0));
    }
}

#[test]
fn a_stall_begins_when_the_next_frame_was_due_and_lasts_until_it_is_shown() {
    for fps in [7, 15, 25, 30, 60] {
        for duration in [200, 300, 500, 1000, 2000, 7000] {
            let mut viewer = Viewer::at_fps(fps);
            viewer.play(5000);
            let due = viewer.now();
            viewer.stop_for(duration);
            viewer.play(5000);
            let stalls = viewer.stalls();
            assert_one(&stalls, duration);
            let off = stalls[0].start.since(due).max(due.since(stalls[0].start));
            assert!(off <= Duration::from_millis(34), "{fps} fps: due {due:?}, {stalls:?}");
        }
    }
}

#[test]
fn at_30_frames_a_second_three_missing_frames_are_a_stall_and_two_are_not() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.stop_for(67);
    viewer.play(5000);
    viewer.stop_for(100);
    viewer.play(5000);
    assert_one(&viewer.stalls(), 100);
}

#[test]
fn a_change_of_the_rate_is_not_a_stall() {
    let mut viewer = Viewer::at_fps(30);
    for fps in [30, 15, 7, 30, 5, 60, 24, 7, 10] {
        viewer.set_fps(fps);
        viewer.play(6000);
    }
    assert_eq!(viewer.stalls(), []);
}

#[test]
fn several_stalls_in_close_succession_are_not_taken_for_a_lower_rate() {
    let mut viewer = Viewer::at_fps(15);
    viewer.play(5000);
    for _ in 0..5 {
        viewer.stop_for(233);
        viewer.play(67);
    }
    viewer.play(5000);
    let stalls = viewer.stalls();
    assert_eq!(stalls.len(), 5, "{stalls:?}");
}

#[test]
fn a_stall_at_a_change_of_the_rate_is_found() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.stop_for(1000);
    viewer.set_fps(10);
    viewer.play(5000);
    let stalls = viewer.stalls();
    // The last frame was due after the old interval or after the new one, which cannot be known.
    let [stall] = stalls.as_slice() else { panic!("{stalls:?}") };
    assert!((900..=1020).contains(&stall.duration.as_millis()), "{stall:?}");
}

#[test]
fn a_picture_with_less_than_two_frames_a_second_stalls_between_its_frames() {
    let mut viewer = Viewer::at_fps(1);
    viewer.play(10_000);
    assert_eq!(viewer.stalls().len(), 9);
}

#[test]
fn frames_that_the_page_was_too_busy_to_see_are_not_a_stall() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.play_unseen(40);
    viewer.play(5000);
    assert_eq!(viewer.stalls(), []);
    let presented = viewer.meter.summary(viewer.now()).frames_presented.unwrap();
    assert!((340..=342).contains(&presented), "{presented}");
}

#[test]
fn a_lasting_silence_is_reported_once_before_it_ends() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    let due = viewer.now();
    assert_eq!(viewer.meter.stalls(due + Duration::from_millis(900)), []);
    let while_it_lasts = viewer.meter.summary(due + Duration::from_secs(3));
    assert_eq!(while_it_lasts.stall_count, 1);
    assert!(while_it_lasts.stall_time.abs_diff(Duration::from_secs(3)) < Duration::from_millis(34));
    viewer.stop_for(4000);
    viewer.play(5000);
    assert_eq!(viewer.meter.summary(viewer.now()).stall_count, 1);
    assert_one(&viewer.stalls(), 4000);
}

#[test]
fn a_picture_that_stands_still_at_the_end_is_a_stall_until_the_end() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.stop_for(3000);
    assert_one(&viewer.stalls(), 3000);
    let later = viewer.now() + Duration::from_secs(60);
    assert_eq!(viewer.meter.summary(later).stall_count, 1);
}

#[test]
fn the_totals_are_those_of_the_ledger() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(9000);
    for duration in [300, 1500, 600] {
        viewer.stop_for(duration);
        viewer.play(10_000);
    }
    let stalls = viewer.stalls();
    let summary = viewer.meter.summary(viewer.now());
    assert_eq!(summary.stall_count, 3);
    assert_eq!(summary.stall_time, stalls.iter().map(|stall| stall.duration).sum());
    assert_eq!(summary.longest_stall, stalls[1].duration);
    let ratio = summary.stall_time.as_secs_f64() / summary.watched.unwrap().as_secs_f64();
    assert_eq!(summary.stall_ratio, Some(ratio));
    assert!(summary.gaps.total() > 1100 && summary.gaps.counts[9..].iter().sum::<u32>() == 3, "{summary:?}");
    // 2.4 s of 41.4 s are 5.8 %, and there are 4.3 stalls per minute: 5 - 1.4 - 0.4.
    assert_eq!(summary.score.unwrap().tenths, 32);
}

#[test]
fn without_a_frame_the_totals_are_empty() {
    let viewer = Viewer::at_fps(30);
    let summary = viewer.meter.summary(ms(60_000));
    assert_eq!((summary.stall_ratio, summary.score, summary.frames_presented), (None, None, None));
    assert_eq!(summary.time_to_first_frame, None);
}

#[test]
fn the_time_to_the_first_frame_counts_from_the_start() {
    let mut viewer = Viewer::at_fps(60);
    viewer.play(1000);
    let summary = viewer.meter.summary(viewer.now());
    assert!(
        summary.time_to_first_frame.unwrap().abs_diff(Duration::from_secs(1)) <= Duration::from_millis(17)
    );
}

#[test]
fn frames_of_a_new_element_are_counted_from_its_first_one() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    let at = viewer.now();
    viewer.meter.handle_frame(ShownFrame { shown_at: at, presented_frames: 1, ..ShownFrame::default() }, at);
    let before = viewer.meter.summary(at).frames_presented.unwrap();
    // A frame that is not later than the last one is ignored.
    viewer.meter.handle_frame(ShownFrame { shown_at: at, presented_frames: 9, ..ShownFrame::default() }, at);
    viewer.meter.handle_frame(
        ShownFrame { shown_at: Timestamp::ZERO, presented_frames: 10, ..ShownFrame::default() },
        at,
    );
    assert_eq!(viewer.meter.summary(at).frames_presented, Some(before));
    assert_eq!(viewer.stalls(), []);
}

#[test]
fn a_file_that_failed_is_one_stall_of_the_source_until_the_next_plays() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    let failed = viewer.now();
    viewer.meter.handle_declaration(Declaration::Failed, failed);
    viewer.stop_for(10_000);
    // A member joins: the standing picture is sent to everyone for a while.
    viewer.set_fps(10);
    viewer.play(3000);
    viewer.set_fps(30);
    viewer.stop_for(7000);
    let stalls = viewer.meter.stalls(viewer.now());
    assert_eq!(stalls.len(), 1, "while it lasts: {stalls:?}");
    assert_eq!(stalls[0].cause, StallCause::Source);
    let next = viewer.now();
    viewer.meter.handle_declaration(Declaration::Playing, next);
    viewer.play(5000);
    let stalls = viewer.stalls();
    assert_one(&stalls, 20_000);
    assert_eq!(stalls[0].cause, StallCause::Source);
}

#[test]
fn a_paused_picture_that_is_repeated_for_a_late_joiner_is_not_a_stall() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.meter.handle_declaration(Declaration::Paused, viewer.now());
    for _ in 0..3 {
        viewer.stop_for(30_000);
        viewer.set_fps(10);
        viewer.play(3000);
        viewer.set_fps(30);
    }
    viewer.meter.handle_declaration(Declaration::Playing, viewer.now());
    viewer.play(5000);
    assert_eq!(viewer.stalls(), []);
}
