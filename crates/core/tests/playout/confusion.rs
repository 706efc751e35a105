//! Which causes the ledger names for faults that are known, over many seeds and magnitudes of each.

use sightline_core::measure::playout::StallCause::{self, *};

use crate::model::{Fault, Sender, named};

const SEEDS: u64 = 12;

/// Checks a row of the confusion matrix for each sender: at least nine of ten stalls have a right cause.
fn assert_row(faults: &[Fault], right: &[StallCause]) {
    for sender in [Sender::Chromium, Sender::Firefox] {
        let row = named(faults, sender, SEEDS);
        let all: u32 = row.values().sum();
        let hits: u32 = right.iter().map(|cause| row.get(cause.as_str()).copied().unwrap_or_default()).sum();
        let unknown = row.get("unknown").copied().unwrap_or_default();
        let least = u32::try_from(faults.len()).unwrap() * u32::try_from(SEEDS).unwrap() / 2;
        assert!(all >= least, "the model shows too few stalls to judge: {row:?}");
        assert!(f64::from(hits) >= 0.9 * f64::from(all), "{faults:?} from {sender:?}: {row:?}");
        assert!(
            f64::from(all - hits - unknown) <= 0.05 * f64::from(all),
            "unknown is better than wrong: {sender:?}: {row:?}"
        );
    }
}

#[test]
fn a_source_that_stops_is_named() {
    assert_row(&[300, 600, 1000, 1500, 4000].map(Fault::SourceStop), &[Source]);
}

#[test]
fn an_encoder_that_is_too_slow_is_named() {
    assert_row(&[20, 30, 60, 100].map(Fault::SlowEncoder), &[SenderCpu]);
}

#[test]
fn a_narrow_link_is_named_at_either_end_of_its_queue() {
    assert_row(&[120_000, 180_000, 250_000, 400_000].map(Fault::Narrow), &[Bandwidth, SenderBandwidth]);
}

#[test]
fn lost_packets_are_named() {
    assert_row(&[5, 10, 20, 30].map(Fault::Lossy), &[Loss]);
}

#[test]
fn a_path_that_becomes_longer_is_named_as_delay() {
    assert_row(&[200, 320, 400, 600].map(Fault::Longer), &[Delay]);
}

#[test]
fn a_cut_is_named_as_a_path_change() {
    assert_row(&[300, 500, 1000, 2500].map(Fault::Cut), &[PathChange]);
}

#[test]
fn a_busy_viewer_is_named() {
    assert_row(&[300, 500, 800, 1500].map(Fault::BusyViewer), &[Receiver]);
}
