//! Stats reports of Chromium and Firefox, and the rows that follow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use sightline_core::{
    Timestamp,
    measure::{
        FigureValue, Metric, StatsEntry,
        connection::{Cause, ConnectionMeter, ConnectionStates, ExpectedPicture, Figures, LinkPath},
    },
};

fn report(entries: Value) -> Vec<StatsEntry> {
    serde_json::from_value(entries).unwrap()
}

fn row(figures: &Figures, metric: Metric) -> Option<FigureValue> {
    figures.rows.iter().find(|row| row.metric == metric).expect("every metric has a row").value.clone()
}

fn number(figures: &Figures, metric: Metric) -> Option<f64> {
    match row(figures, metric) {
        Some(FigureValue::Number(number)) => Some(number),
        None => None,
        Some(FigureValue::Word(word)) => panic!("{metric:?} is the word {word}"),
    }
}

fn word(figures: &Figures, metric: Metric) -> Option<String> {
    match row(figures, metric) {
        Some(FigureValue::Word(word)) => Some(word),
        None => None,
        Some(FigureValue::Number(number)) => panic!("{metric:?} is the number {number}"),
    }
}

/// Chromium's report at a second: 125 kB of video and 5 kB of sound per second.
fn chromium(second: u32) -> Vec<StatsEntry> {
    let at = 1_000.0 * f64::from(second) + 1.7e12;
    report(json!([
        {"type": "inbound-rtp", "id": "IV", "timestamp": at, "kind": "video", "codecId": "CV", "bytesReceived": 125_000 * second,
         "packetsReceived": 100 * second, "packetsLost": 0, "jitter": 0.004, "framesPerSecond": 30, "framesDecoded": 30 * second,
         "frameWidth": 1280, "frameHeight": 720, "freezeCount": 0, "totalFreezesDuration": 0, "framesDropped": 1},
        {"type": "inbound-rtp", "id": "IA", "timestamp": at, "kind": "audio", "codecId": "CA", "bytesReceived": 5_000 * second,
         "packetsReceived": 50 * second, "packetsLost": 0, "jitter": 0.001, "audioLevel": 0.25},
        {"type": "codec", "id": "CV", "timestamp": at, "mimeType": "video/VP8"},
        {"type": "codec", "id": "CA", "timestamp": at, "mimeType": "audio/opus"},
        {"type": "outbound-rtp", "id": "OV", "timestamp": at, "kind": "video", "codecId": "CV", "bytesSent": 62_500 * second,
         "framesPerSecond": 24, "frameWidth": 640, "frameHeight": 360, "qualityLimitationReason": "cpu"},
        {"type": "transport", "id": "T", "timestamp": at, "selectedCandidatePairId": "P2", "dtlsState": "connected"},
        {"type": "candidate-pair", "id": "P1", "timestamp": at, "state": "succeeded", "nominated": true, "currentRoundTripTime": 9},
        {"type": "candidate-pair", "id": "P2", "timestamp": at, "state": "succeeded", "nominated": true, "currentRoundTripTime": 0.025,
         "availableOutgoingBitrate": 2_000_000, "localCandidateId": "L", "remoteCandidateId": "R"},
        {"type": "local-candidate", "id": "L", "timestamp": at, "candidateType": "host", "protocol": "udp"},
        {"type": "remote-candidate", "id": "R", "timestamp": at, "candidateType": "prflx", "protocol": "udp"},
    ]))
}

fn states() -> ConnectionStates {
    ConnectionStates { connection: Some("connected".into()), ice: Some("completed".into()), signaling: None }
}

#[test]
fn encode_and_decode_times_are_means_of_the_frames_since_the_previous_report() {
    let at = |second: u32, more: u32| {
        let (timestamp, frames) = (1_000.0 * f64::from(second) + 1.7e12, 25 * second + more);
        report(json!([
            {"type": "inbound-rtp", "id": "IV", "timestamp": timestamp, "kind": "video", "framesDecoded": frames, "qpSum": frames * 40,
             "totalDecodeTime": f64::from(frames) * 0.003, "retransmittedPacketsReceived": 7, "keyFramesDecoded": 2},
            {"type": "outbound-rtp", "id": "OV", "timestamp": timestamp, "kind": "video", "framesEncoded": frames, "qpSum": frames * 20,
             "totalEncodeTime": f64::from(frames) * 0.005, "retransmittedPacketsSent": 9, "keyFramesEncoded": 3,
             "targetBitrate": 1_700_000},
        ]))
    };
    let mut meter = ConnectionMeter::default();
    let first = meter.handle_report(&at(1, 0), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    assert_eq!(number(&first, Metric::EncodeTime), None, "one report has no mean");
    let figures = meter.handle_report(&at(2, 0), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    let near = |metric: Metric, value: f64| (number(&figures, metric).unwrap() - value).abs() < 1e-9;
    assert!(near(Metric::EncodeTime, 0.005) && near(Metric::DecodeTime, 0.003), "{:?}", figures.rows);
    assert_eq!(
        (number(&figures, Metric::Quantizer), number(&figures, Metric::QuantizerSent)),
        (Some(40.0), Some(20.0))
    );
    assert_eq!(number(&figures, Metric::TargetBitrate), Some(1_700_000.0));
    assert_eq!(number(&figures, Metric::RetransmittedPacketsReceived), Some(7.0));
    assert_eq!(number(&figures, Metric::RetransmittedPacketsSent), Some(9.0));
    assert_eq!(
        (number(&figures, Metric::KeyFramesDecoded), number(&figures, Metric::KeyFramesEncoded)),
        (Some(2.0), Some(3.0))
    );
    // No frame since the report before has no mean, which is not zero.
    let none = meter.handle_report(
        &at(3, 0)
            .into_iter()
            .map(|entry| StatsEntry { frames_encoded: Some(50.0), ..entry })
            .collect::<Vec<_>>(),
        &states(),
        ExpectedPicture::Moving,
        Timestamp::ZERO,
    );
    assert_eq!(number(&none, Metric::EncodeTime), None);
}

#[test]
fn rates_come_from_the_growth_between_two_reports() {
    let mut meter = ConnectionMeter::default();
    let first = meter.handle_report(&chromium(1), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    assert_eq!(number(&first, Metric::ReceiveBitrate), None, "one report has no rate");
    let figures = meter.handle_report(&chromium(2), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    assert_eq!(number(&figures, Metric::ReceiveBitrate), Some(1_040_000.0));
    assert_eq!(number(&figures, Metric::SendBitrate), Some(500_000.0));
    assert_eq!(number(&figures, Metric::FramesPerSecond), Some(30.0));
    assert_eq!(number(&figures, Metric::FrameWidth), Some(1280.0));
    assert_eq!(number(&figures, Metric::FrameHeightSent), Some(360.0));
    assert_eq!(number(&figures, Metric::RoundTripTime), Some(0.025));
    assert_eq!(number(&figures, Metric::Jitter), Some(0.004));
    assert_eq!(number(&figures, Metric::LossRatio), Some(0.0));
    assert_eq!(number(&figures, Metric::AudioLevel), Some(0.25));
    assert_eq!(word(&figures, Metric::Codec).as_deref(), Some("VP8"));
    assert_eq!(word(&figures, Metric::AudioCodec).as_deref(), Some("opus"));
    assert_eq!(word(&figures, Metric::DtlsState).as_deref(), Some("connected"));
    assert_eq!(word(&figures, Metric::Protocol).as_deref(), Some("udp"));
    assert_eq!(word(&figures, Metric::SignalingState), None);
    assert_eq!(figures.path, Some(LinkPath::Direct));
}

#[test]
fn a_report_that_was_seen_before_changes_no_rate() {
    let mut meter = ConnectionMeter::default();
    meter.handle_report(&chromium(1), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    meter.handle_report(&chromium(2), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    let figures = meter.handle_report(&chromium(2), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    assert_eq!(number(&figures, Metric::ReceiveBitrate), Some(1_040_000.0));
}

#[test]
fn a_metric_that_firefox_does_not_report_is_absent_and_not_zero() {
    let mut meter = ConnectionMeter::default();
    let firefox = |second: u32| {
        let at = 1_000.0 * f64::from(second);
        report(json!([
            {"type": "inbound-rtp", "id": "v", "timestamp": at, "kind": "video", "bytesReceived": 1000 * second,
             "packetsReceived": 10 * second, "packetsLost": 0, "framesDecoded": 15 * second},
            {"type": "candidate-pair", "id": "p", "timestamp": at, "state": "succeeded", "selected": true, "nominated": true,
             "localCandidateId": "l", "remoteCandidateId": "r"},
            {"type": "local-candidate", "id": "l", "timestamp": at, "candidateType": "relay", "protocol": "udp", "relayProtocol": "tcp"},
            {"type": "remote-candidate", "id": "r", "timestamp": at, "candidateType": "host"},
            {"type": "remote-inbound-rtp", "id": "rr", "timestamp": at, "kind": "video", "roundTripTime": 0.1},
        ]))
    };
    meter.handle_report(&firefox(1), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    let figures = meter.handle_report(&firefox(2), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    for metric in [
        Metric::AvailableOutgoingBitrate,
        Metric::QualityLimitationReason,
        Metric::SendBitrate,
        Metric::FreezeCount,
        Metric::DtlsState,
        Metric::FrameWidth,
    ] {
        assert_eq!(row(&figures, metric), None, "{metric:?}");
    }
    assert_eq!(number(&figures, Metric::FramesPerSecond), Some(15.0));
    assert_eq!(number(&figures, Metric::RoundTripTime), Some(0.1));
    assert_eq!(word(&figures, Metric::Path).as_deref(), Some("relay"));
    assert_eq!(word(&figures, Metric::Protocol).as_deref(), Some("tcp"));
}

#[test]
fn a_picture_that_stops_coming_takes_all_bars() {
    let mut meter = ConnectionMeter::default();
    meter.handle_report(&chromium(1), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    let good = meter.handle_report(&chromium(2), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    assert_eq!((good.quality.bars, good.quality.cause), (4, Cause::Good));
    let bad = (3..=4).map(|second| {
        let mut silent = chromium(2);
        for entry in &mut silent {
            entry.timestamp = chromium(second)[0].timestamp;
        }
        meter.handle_report(&silent, &states(), ExpectedPicture::Moving, Timestamp::ZERO)
    });
    let bad = bad.last().expect("two reports");
    assert_eq!((bad.quality.bars, bad.quality.cause), (0, Cause::NothingArrives));
}

#[test]
fn an_empty_report_gives_rows_without_values() {
    let mut meter = ConnectionMeter::default();
    let figures =
        meter.handle_report(&[], &ConnectionStates::default(), ExpectedPicture::None, Timestamp::ZERO);
    assert!(figures.rows.iter().all(|row| row.value.is_none()));
    assert_eq!(figures.path, None);
}

#[test]
fn a_stream_that_starts_again_gives_no_negative_rate() {
    let mut meter = ConnectionMeter::default();
    meter.handle_report(&chromium(5), &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    let mut restarted = chromium(6);
    for entry in &mut restarted {
        entry.bytes_received = entry.bytes_received.map(|_| 10.0);
    }
    let figures = meter.handle_report(&restarted, &states(), ExpectedPicture::Moving, Timestamp::ZERO);
    assert_eq!(number(&figures, Metric::ReceiveBitrate), None);
}

#[test]
fn an_unchanging_screen_does_not_lower_the_quality() {
    for (expected, cause) in
        [(ExpectedPicture::OnlyChanges, Cause::Good), (ExpectedPicture::Moving, Cause::NothingArrives)]
    {
        let mut meter = ConnectionMeter::default();
        meter.handle_report(&chromium(1), &states(), expected, Timestamp::ZERO);
        let mut figures = meter.handle_report(&chromium(2), &states(), expected, Timestamp::ZERO);
        for second in 3..10 {
            let mut entries = chromium(second);
            // The sound continues, and no more bytes of the picture arrive.
            entries[0].bytes_received = Some(250_000.0);
            figures = meter.handle_report(&entries, &states(), expected, Timestamp::ZERO);
        }
        assert_eq!(figures.quality.cause, cause);
    }
}
