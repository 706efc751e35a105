use std::time::Duration;

use sightline_core::measure::playout::{Declaration, MarkKind};

use crate::viewer::{Viewer, assert_one};

#[test]
fn a_declared_interruption_is_a_mark_and_not_a_stall() {
    for declaration in [Declaration::Paused, Declaration::Seeking, Declaration::Ended, Declaration::NoPicture]
    {
        let mut viewer = Viewer::at_fps(30);
        viewer.play(5000);
        viewer.meter.handle_declaration(declaration, viewer.now());
        viewer.stop_for(8000);
        viewer.meter.handle_declaration(Declaration::Playing, viewer.now());
        viewer.play(5000);
        let summary = viewer.meter.summary(viewer.now());
        assert_eq!(viewer.stalls(), [], "{declaration:?}");
        assert_eq!(viewer.meter.marks().count(), 1);
        assert!(summary.marked.abs_diff(Duration::from_secs(8)) < Duration::from_millis(2));
        assert!((summary.frames_per_second.unwrap() - 30.0).abs() < 0.5, "{summary:?}");
    }
}

#[test]
fn time_in_a_hidden_page_is_not_a_stall() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.meter.handle_visibility(false, viewer.now());
    viewer.stall_for(60_000);
    viewer.meter.handle_visibility(true, viewer.now());
    viewer.stall_for(300);
    viewer.play(5000);
    assert_eq!(viewer.stalls(), []);
    let mark = *viewer.meter.marks().next().unwrap();
    assert_eq!((mark.kind, mark.to.unwrap() - mark.from), (MarkKind::Hidden, Duration::from_secs(60)));
}

#[test]
fn a_pause_may_be_declared_shortly_after_its_silence_began() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.stop_for(600);
    viewer.meter.handle_declaration(Declaration::Paused, viewer.now());
    viewer.stop_for(5000);
    viewer.meter.handle_declaration(Declaration::Playing, viewer.now());
    viewer.stop_for(600);
    viewer.play(5000);
    assert_eq!(viewer.stalls(), []);
}

#[test]
fn an_ended_pause_excuses_at_most_one_more_second() {
    let mut viewer = Viewer::at_fps(30);
    viewer.play(5000);
    viewer.meter.handle_declaration(Declaration::Paused, viewer.now());
    viewer.stop_for(5000);
    viewer.meter.handle_declaration(Declaration::Playing, viewer.now());
    viewer.stop_for(4000);
    viewer.play(5000);
    assert_one(&viewer.stalls(), 3000);
}

#[test]
fn an_undeclared_silence_after_a_declared_one_is_a_stall() {
    let mut viewer = Viewer::at_fps(15);
    viewer.play(5000);
    viewer.meter.handle_declaration(Declaration::Paused, viewer.now());
    viewer.stop_for(3000);
    viewer.meter.handle_declaration(Declaration::Playing, viewer.now());
    viewer.play(5000);
    viewer.stop_for(700);
    viewer.play(5000);
    assert_one(&viewer.stalls(), 700);
}

#[test]
fn before_there_is_a_source_no_first_frame_is_expected() {
    let mut viewer = Viewer::at_fps(30);
    viewer.meter.handle_declaration(Declaration::NoPicture, sightline_core::Timestamp::ZERO);
    viewer.stop_for(20_000);
    viewer.meter.handle_declaration(Declaration::Playing, viewer.now());
    viewer.stop_for(500);
    viewer.play(1000);
    let first = viewer.meter.summary(viewer.now()).time_to_first_frame.unwrap();
    assert!(first.abs_diff(Duration::from_millis(500)) <= Duration::from_millis(17), "{first:?}");
}
