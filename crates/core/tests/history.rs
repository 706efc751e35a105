//! The history of a call, in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use sightline_core::{
    Timestamp,
    measure::{
        Figure, FigureValue, Metric,
        connection::{HISTORY_SPAN, History, PLOTTED, Subject},
    },
};

fn ms(milliseconds: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(milliseconds))
}

fn number(metric: Metric, number: f64) -> Figure {
    Figure { metric, value: Some(FigureValue::Number(number)) }
}

fn word(metric: Metric, word: &str) -> Figure {
    Figure { metric, value: Some(FigureValue::Word(word.to_owned())) }
}

/// The seconds and values of a line; `-` for a gap.
fn line(history: &History, metric: Metric) -> String {
    let points = history.line(metric);
    let texts = points.iter().map(|point| {
        point.map_or("-".to_owned(), |(at, value)| format!("{}:{value}", at.since_origin().as_secs()))
    });
    texts.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_second_without_a_value_is_a_gap_and_not_zero() {
    let mut history = History::default();
    let rates = [Some(30.0), None, None, Some(0.0), Some(15.0)];
    for (second, rate) in (1..).zip(rates) {
        let rows: Vec<_> = rate.map(|rate| number(Metric::FramesPerSecond, rate)).into_iter().collect();
        history.handle_figures(&rows, ms(second * 1000));
    }
    assert_eq!(line(&history, Metric::FramesPerSecond), "1:30 - 4:0 5:15");
    assert_eq!(
        line(&history, Metric::AvailableOutgoingBitrate),
        "",
        "a metric that is never reported has no line"
    );
    assert_eq!(history.summary(Metric::AvailableOutgoingBitrate), None);
}

#[test]
fn time_without_reports_is_a_gap() {
    let mut history = History::default();
    for second in [1, 2, 3, 20, 21] {
        history.handle_figures(&[number(Metric::Jitter, 0.5)], ms(second * 1000));
    }
    assert_eq!(line(&history, Metric::Jitter), "1:0.5 2:0.5 3:0.5 - 20:0.5 21:0.5");
    assert_eq!(history.value_at(Metric::Jitter, ms(3100)), Some(0.5));
    assert_eq!(history.value_at(Metric::Jitter, ms(11_000)), None, "nothing was measured then");
}

#[test]
fn a_history_is_bounded_in_time_and_in_number() {
    let mut history = History::default();
    for tick in 0..10_000 {
        history.handle_figures(&[number(Metric::RoundTripTime, 0.1)], ms(tick * 100));
        history.handle_state(
            Subject::Ice,
            Some(if tick % 2 == 0 { "checking" } else { "connected" }),
            ms(tick * 100),
        );
    }
    assert!(history.len() <= 330, "{}", history.len());
    assert!(history.events().count() <= 200);
    let mut history = History::default();
    for second in 0..1000 {
        history.handle_figures(&[number(Metric::RoundTripTime, 0.1)], ms(second * 1000));
    }
    assert_eq!(history.last_at().unwrap() - history.first_at().unwrap(), HISTORY_SPAN);
}

#[test]
fn each_change_is_recorded_as_one_event() {
    let mut history = History::default();
    let rows = |codec: &str, width: f64| {
        [word(Metric::Codec, codec), number(Metric::FrameWidth, width), number(Metric::FrameHeight, 360.0)]
    };
    history.handle_state(Subject::Connection, Some("connecting"), ms(500));
    history.handle_figures(&rows("VP8", 640.0), ms(1000));
    history.handle_figures(&rows("VP8", 640.0), ms(2000));
    history.handle_figures(&rows("AV1", 1280.0), ms(3000));
    history.handle_state(Subject::Connection, Some("connecting"), ms(3500));
    history.handle_figures(&[], ms(4000));
    let told: Vec<_> = history
        .events()
        .map(|event| {
            let word = |word: &Option<String>| word.clone().unwrap_or("-".to_owned());
            let (name, at) = (event.subject.name(), event.at.since_origin().as_millis());
            format!("{at} {name} {} {}", word(&event.before), word(&event.now))
        })
        .collect();
    assert_eq!(
        told,
        [
            "500 connection_state - connecting",
            "1000 codec - VP8",
            "1000 resolution - 640x360",
            "3000 codec VP8 AV1",
            "3000 resolution 640x360 1280x360",
            "4000 codec AV1 -",
            "4000 resolution 1280x360 -",
        ]
    );
}

#[test]
fn a_freeze_starts_its_duration_before_the_report_that_counted_it() {
    let mut history = History::default();
    for (second, frozen_s) in [(1, 0.0), (2, 0.0), (5, 0.0), (6, 3.5), (7, 4.5), (9, 5.0), (60, 50.0)] {
        history.handle_figures(&[number(Metric::TotalFreezesDuration, frozen_s)], ms(second * 1000));
    }
    let freezes: Vec<_> = history.freezes().map(|freeze| (freeze.from, freeze.to)).collect();
    assert_eq!(
        freezes,
        [(ms(2500), ms(7000)), (ms(8500), ms(9000))],
        "adjacent freezes are merged; freezes counted in a hidden page are dropped"
    );
}

#[test]
fn a_new_connection_starts_its_freeze_count_at_zero() {
    let mut history = History::default();
    for (second, frozen_s) in [(1, 4.0), (2, 0.0), (3, 0.0)] {
        history.handle_figures(&[number(Metric::TotalFreezesDuration, frozen_s)], ms(second * 1000));
    }
    assert_eq!(history.freezes().count(), 0);
}

#[test]
fn a_summary_has_least_greatest_and_latest() {
    let mut history = History::default();
    for (second, rate) in [(1, 30.0), (2, 12.0), (3, 25.0)] {
        history.handle_figures(&[number(Metric::FramesPerSecond, rate)], ms(second * 1000));
    }
    let summary = history.summary(Metric::FramesPerSecond).unwrap();
    assert_eq!((summary.least, summary.greatest, summary.latest), (12.0, 30.0, Some(25.0)));
    history.handle_figures(&[], ms(4000));
    assert_eq!(history.summary(Metric::FramesPerSecond).unwrap().latest, None);
    assert!(PLOTTED.contains(&Metric::FramesPerSecond));
}

#[test]
fn each_failure_is_an_event_and_its_text_is_bounded() {
    let mut history = History::default();
    for second in 1..=2 {
        history.handle_failure(Subject::Negotiation, "InvalidStateError: closed", ms(second * 1000));
    }
    history.handle_failure(Subject::Negotiation, &"ä".repeat(10_000), ms(3000));
    let causes: Vec<_> = history.events().filter_map(|event| event.now.clone()).collect();
    assert_eq!(causes[..2], ["InvalidStateError: closed", "InvalidStateError: closed"]);
    assert_eq!(causes[2].len(), 500);
}

#[test]
fn endless_failed_calls_displace_no_other_events() {
    let mut history = History::default();
    history.handle_state(Subject::Connection, Some("connected"), ms(1000));
    for number in 1..=1_000 {
        let cause = format!("addIceCandidate: {number}");
        assert!(history.handle_failure(Subject::FailedCall, &cause, ms(number * 1000)));
    }
    let causes: Vec<_> = history.events().filter_map(|event| event.now.as_deref()).collect();
    assert_eq!(causes.first(), Some(&"connected"));
    assert_eq!(causes.len(), 41);
    assert_eq!(causes.last(), Some(&"addIceCandidate: 1000"));
}

#[test]
fn failed_calls_add_at_most_forty_events_and_one_a_second() {
    let mut history = History::default();
    // 400 per second for a minute, as the budget for candidates of bulk links allows.
    let kept = (0..24_000)
        .filter(|number| history.handle_failure(Subject::FailedCall, "OperationError", ms(number * 5 / 2)))
        .count();
    assert!((40..=100).contains(&kept), "{kept}");
    // Another subject has a separate budget.
    assert!(history.handle_failure(Subject::Negotiation, "InvalidStateError", ms(60_000)));
}
