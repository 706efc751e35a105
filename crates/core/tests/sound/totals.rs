use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use sightline_core::{
    Timestamp,
    measure::{Metric, StatsEntry, sound::SoundMeter},
};

use crate::listener::{EVERYTHING, Listener, PACKETS_A_SECOND, Packet};

fn s(seconds: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_secs(seconds))
}

fn report(packets: u64, concealed: u64, id: &str) -> Vec<StatsEntry> {
    let entry = json!({
        "type": "inbound-rtp", "kind": "audio", "id": id, "packetsReceived": packets,
        "totalSamplesReceived": packets * 960, "concealedSamples": concealed, "silentConcealedSamples": 0,
    });
    serde_json::from_value(json!([entry])).unwrap()
}

#[test]
fn sound_before_a_run_is_not_counted_and_the_first_sound_in_it_is() {
    let mut meter = SoundMeter::new(true);
    meter.handle_report(&report(500, 9600, "A"), s(10));
    assert_eq!(meter.summary().concealed_samples, Some(0.0));
    meter.handle_report(&report(550, 10_560, "A"), s(11));
    assert_eq!(meter.summary().concealed_samples, Some(960.0));
    let mut meter = SoundMeter::new(true);
    meter.handle_report(&[], s(10));
    meter.handle_report(&report(50, 960, "A"), s(11));
    assert_eq!(meter.summary().concealed_samples, Some(960.0), "the microphone was switched on in the run");
}

#[test]
fn the_totals_continue_on_another_connection() {
    let mut meter = SoundMeter::new(false);
    meter.handle_report(&report(50, 960, "A"), s(10));
    meter.handle_report(&report(100, 1920, "A"), s(11));
    meter.handle_report(&report(40, 480, "B"), s(12));
    let summary = meter.summary();
    assert_eq!((summary.concealed_samples, summary.samples_received), (Some(2400.0), Some(140.0 * 960.0)));
}

#[test]
fn samples_before_the_first_packet_are_not_counted() {
    let mut meter = SoundMeter::new(false);
    meter.handle_report(&report(0, 48_000, "A"), s(10));
    assert_eq!(meter.summary(), sightline_core::measure::sound::SoundSummary::default());
}

#[test]
fn the_metrics_are_the_browsers_totals_and_the_ratio_of_the_last_second() {
    let mut listener = Listener::new(EVERYTHING);
    listener.seconds(10, Packet::Played);
    listener.play((0..PACKETS_A_SECOND).map(|at| if at % 10 == 0 { Packet::Lost } else { Packet::Played }));
    let summary = listener.meter.summary();
    let value = |metric| summary.value(metric).unwrap();
    assert!((value(Metric::ConcealedRatio) - 0.1).abs() < 1e-9, "of the last second");
    assert!(summary.concealed_ratio.unwrap() < 0.011, "of the whole");
    assert!((value(Metric::JitterBufferDelay) - 0.06).abs() < 1e-9);
    assert_eq!((value(Metric::InsertedSamples), value(Metric::RemovedSamples)), (1090.0, 545.0));
    assert_eq!(value(Metric::ConcealmentEvents), 5.0);
}

proptest! {
    #[test]
    fn the_totals_equal_the_counters_for_any_packets(
        packets in prop::collection::vec(
            prop::sample::select(vec![Packet::Played, Packet::Played, Packet::Lost, Packet::Late, Packet::NotSent]),
            1..2000,
        ),
    ) {
        let mut listener = Listener::new(EVERYTHING);
        listener.play(std::iter::once(Packet::Played).chain(packets));
        // Continues to the next report.
        listener.seconds(1, Packet::Played);
        let (before, summary) = (listener.samples, listener.meter.summary());
        prop_assert!(summary.samples_received.unwrap() <= before as f64);
        listener.seconds(2, Packet::Played);
        let summary = listener.meter.summary();
        prop_assert_eq!(summary.concealed_samples, Some(listener.concealed as f64));
        prop_assert_eq!(summary.silent_concealed_samples, Some(listener.silent as f64));
        let ratio = summary.concealed_ratio.unwrap();
        prop_assert!((0.0..=1.0).contains(&ratio), "{ratio}");
        prop_assert_eq!(summary.burst_count.unwrap() as usize, listener.bursts().len());
    }

    #[test]
    fn the_summary_is_within_bounds_for_any_browser_report(
        reports in prop::collection::vec((any::<f64>(), any::<f64>(), any::<f64>(), any::<f64>(), 0_u64..5000), 0..50),
    ) {
        let mut meter = SoundMeter::new(false);
        let mut now = Duration::from_secs(1);
        for (samples, concealed, silent, packets, step) in reports {
            now += Duration::from_millis(step);
            let entry = StatsEntry {
                entry_type: "inbound-rtp".to_owned(),
                kind: Some("audio".to_owned()),
                packets_received: Some(packets),
                total_samples_received: Some(samples),
                concealed_samples: Some(concealed),
                silent_concealed_samples: Some(silent),
                ..StatsEntry::default()
            };
            meter.handle_report(&[entry], Timestamp::from_origin(now));
            let summary = meter.summary();
            let is_ratio = |ratio: Option<f64>| ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio));
            prop_assert!(is_ratio(summary.concealed_ratio) && is_ratio(summary.recent_concealed_ratio), "{summary:?}");
            prop_assert!(meter.bursts().all(|burst| burst.concealed <= burst.duration));
        }
    }
}
