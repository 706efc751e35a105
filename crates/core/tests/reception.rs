//! Two meters that report their reception to each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::{Value, json};
use sightline_core::{
    Timestamp, decode,
    measure::{
        FigureValue, Metric, StatsEntry,
        connection::{Cause, ConnectionMeter, ConnectionStates, ExpectedPicture, Figures},
    },
};
use sightline_protocol::telemetry::TelemetryMessage;

fn at(second: u32) -> Timestamp {
    Timestamp::from_origin(Duration::from_secs(second.into()))
}

/// One second of a good call at 640x360 and 24 frames per second, with `limitation` on the sent picture, and 5 % of the incoming
/// packets lost if `loses`.
fn report(second: u32, limitation: &str, loses: bool) -> Vec<StatsEntry> {
    let stamp = 1_000.0 * f64::from(second);
    let lost = if loses { 5 * second } else { 0 };
    let entries: Value = json!([
        {"type": "inbound-rtp", "id": "IV", "timestamp": stamp, "kind": "video", "bytesReceived": 50_000 * second,
         "packetsReceived": 95 * second, "packetsLost": lost, "jitter": 0.004, "framesPerSecond": 24,
         "framesDecoded": 24 * second, "frameWidth": 640, "frameHeight": 360, "totalFreezesDuration": 0, "framesDropped": 0},
        {"type": "outbound-rtp", "id": "OV", "timestamp": stamp, "kind": "video", "bytesSent": 50_000 * second,
         "qualityLimitationReason": limitation},
    ]);
    serde_json::from_value(entries).unwrap()
}

fn measure(meter: &mut ConnectionMeter, second: u32, limitation: &str, loses: bool) -> Figures {
    meter.handle_report(
        &report(second, limitation, loses),
        &ConnectionStates::default(),
        ExpectedPicture::Moving,
        at(second),
    )
}

/// Decodes a text of the `telemetry` channel and hands it to a meter.
fn hear(meter: &mut ConnectionMeter, text: &str) {
    if let Ok(TelemetryMessage::Reception(reception)) = decode::telemetry_message(text) {
        meter.handle_reception(reception, at(1));
    }
}

fn number(figures: &Figures, metric: Metric) -> Option<f64> {
    let row = figures.rows.iter().find(|row| row.metric == metric).expect("every metric has a row");
    match row.value {
        Some(FigureValue::Number(number)) => Some(number),
        _ => None,
    }
}

/// Runs a call of this many seconds and returns the last figures of both sides: the local sender has `limitation`, and packets to
/// the other side are lost if `loses`.
fn call(seconds: u32, limitation: &str, loses: bool) -> (Figures, Figures) {
    let (mut here, mut there) = (ConnectionMeter::default(), ConnectionMeter::default());
    let mut last = None;
    for second in 1..=seconds {
        let figures =
            (measure(&mut here, second, limitation, false), measure(&mut there, second, "none", loses));
        let (from_here, from_there) = (here.poll_reception().unwrap(), there.poll_reception().unwrap());
        there.handle_reception(from_here, at(second));
        here.handle_reception(from_there, at(second));
        last = Some(figures);
    }
    last.expect("at least a second")
}

#[test]
fn the_sender_learns_the_quality_that_the_receiver_measured() {
    let (here, _) = call(3, "none", false);
    let quality = here.sent_quality.expect("the receiver sent its quality");
    assert_eq!((quality.bars, quality.cause), (4, Cause::Good));
    assert_eq!(number(&here, Metric::RemoteFrameWidth), Some(640.0));
    assert_eq!(number(&here, Metric::RemoteFrameHeight), Some(360.0));
    assert_eq!(number(&here, Metric::RemoteFramesPerSecond), Some(24.0));
    assert_eq!(number(&here, Metric::RemoteReceiveBitrate), Some(400_000.0));
    assert_eq!(number(&here, Metric::RemoteLossRatio), Some(0.0));
    assert_eq!(number(&here, Metric::RemoteJitter), Some(0.004));
    assert_eq!(number(&here, Metric::RemoteFrozenRatio), Some(0.0));
}

#[test]
fn the_sender_sees_packets_lost_on_the_way_to_the_receiver() {
    let (here, there) = call(5, "none", true);
    assert_eq!((there.quality.bars, there.quality.cause), (2, Cause::Loss));
    assert_eq!(here.sent_quality, Some(there.quality));
    assert_eq!(here.quality.cause, Cause::Good, "the way here loses nothing");
    assert_eq!(number(&here, Metric::RemoteLossRatio), Some(0.05));
}

#[test]
fn a_limited_sender_is_the_cause_on_both_sides_after_the_start() {
    for (limitation, cause) in [("cpu", Cause::SenderBusy), ("bandwidth", Cause::UploadFull)] {
        let (here, there) = call(10, limitation, false);
        assert_eq!((here.sent_quality.unwrap().cause, there.quality.cause), (Cause::Good, Cause::Good));
        let (here, there) = call(20, limitation, false);
        assert_eq!((here.sent_quality.unwrap().cause, there.quality.cause), (cause, cause));
        assert_eq!(
            here.quality.cause,
            Cause::Good,
            "the local limitation does not affect the received media"
        );
    }
}

#[test]
fn an_old_reception_message_does_not_count() {
    let (mut here, mut there) = (ConnectionMeter::default(), ConnectionMeter::default());
    measure(&mut there, 1, "none", false);
    measure(&mut here, 1, "none", false);
    assert_eq!(measure(&mut here, 2, "none", false).sent_quality, None, "no message arrived yet");
    here.handle_reception(there.poll_reception().unwrap(), at(2));
    assert!(measure(&mut here, 7, "none", false).sent_quality.is_some());
    let late = measure(&mut here, 8, "none", false);
    assert_eq!((late.sent_quality, late.reception.clone()), (None, None));
    assert_eq!(number(&late, Metric::RemoteFrameWidth), None);
}

#[test]
fn a_message_that_comes_late_does_not_undo_a_newer_one() {
    let mut meter = ConnectionMeter::default();
    let told = |sequence: u32, bars: u8| {
        format!(r#"{{"type":"reception","sequence":{sequence},"bars":{bars},"cause":"good"}}"#)
    };
    hear(&mut meter, &told(5, 1));
    hear(&mut meter, &told(4, 4));
    hear(&mut meter, &told(5, 4));
    let figures = measure(&mut meter, 1, "none", false);
    assert_eq!(figures.sent_quality.map(|quality| quality.bars), Some(1));
}

#[test]
fn an_invalid_or_oversized_reception_message_is_ignored() {
    let mut meter = ConnectionMeter::default();
    let long =
        format!(r#"{{"type":"reception","sequence":1,"bars":1,"cause":"good","x":"{}"}}"#, "x".repeat(2000));
    for text in ["", "{}", "[]", r#"{"type":"clock"}"#, r#"{"type":"reception","bars":-1}"#, long.as_str()] {
        hear(&mut meter, text);
    }
    assert_eq!(measure(&mut meter, 1, "none", false).reception, None);
}

#[test]
fn each_stats_report_gives_one_reception_message() {
    let mut meter = ConnectionMeter::default();
    assert_eq!(meter.poll_reception(), None);
    measure(&mut meter, 1, "none", false);
    assert_eq!(meter.poll_reception().unwrap().sequence, 0);
    assert_eq!(meter.poll_reception(), None);
    measure(&mut meter, 2, "none", false);
    assert_eq!(meter.poll_reception().unwrap().sequence, 1);
}

#[test]
fn no_rate_is_computed_across_a_long_gap_between_reports() {
    let mut meter = ConnectionMeter::default();
    measure(&mut meter, 1, "none", false);
    measure(&mut meter, 2, "none", false);
    let back = measure(&mut meter, 60, "none", true);
    assert_eq!(back.quality.cause, Cause::Good);
    assert_eq!(number(&back, Metric::ReceiveBitrate), None);
}
