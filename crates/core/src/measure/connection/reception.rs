//! The messages in which each side reports its reception to the other.

use sightline_protocol::{
    bounded::UpTo,
    telemetry::{Limitation, Milliseconds, Permille, Reception},
};

use super::Quality;
use crate::measure::metric::{Figure, FigureValue, Metric};

/// The report to send after a stats report.
pub(super) fn of(
    rows: &[Figure],
    quality: Quality,
    frozen_ratio: Option<f64>,
    limitation: Limitation,
) -> Reception {
    let number = |metric| number(rows, metric);
    let (bitrate, width, height) = (Metric::ReceiveBitrate, Metric::FrameWidth, Metric::FrameHeight);
    Reception {
        sequence: 0,
        bars: UpTo::saturating(quality.bars.into()),
        cause: quality.cause,
        limitation,
        bitrate_bps: number(bitrate).map(whole),
        frame_width: number(width).map(UpTo::rounded),
        frame_height: number(height).map(UpTo::rounded),
        frames_per_second: number(Metric::FramesPerSecond).map(UpTo::rounded),
        loss_permille: number(Metric::LossRatio).map(permille),
        jitter_ms: number(Metric::Jitter).map(milliseconds),
        frozen_permille: frozen_ratio.map(permille),
        ..Reception::default()
    }
}

/// Adds the figures of playout and the quality to a report.
pub(super) fn add_playout(reception: &mut Reception, rows: &[Figure], quality: Quality) {
    reception.bars = UpTo::saturating(quality.bars.into());
    reception.cause = quality.cause;
    reception.stall_count = number(rows, Metric::StallCount).map(whole);
    reception.stall_permille = number(rows, Metric::StallRatio).map(permille);
    reception.stamped_lost = number(rows, Metric::StampedFramesLost).map(whole);
    reception.stamped_delay_ms = number(rows, Metric::StampedDelay).map(milliseconds);
}

fn number(rows: &[Figure], metric: Metric) -> Option<f64> {
    match &rows.iter().find(|row| row.metric == metric)?.value {
        Some(FigureValue::Number(number)) => Some(*number),
        Some(FigureValue::Word(_)) | None => None,
    }
}

/// The value of a figure that the other side reports; `None` for every other metric, and if the other side does not report it.
pub(super) fn value(metric: Metric, reception: Option<&Reception>) -> Option<FigureValue> {
    let reception = reception?;
    let permille = |of: Option<Permille>| of.map(|permille| f64::from(permille) / 1e3);
    let number = match metric {
        Metric::RemoteReceiveBitrate => reception.bitrate_bps.map(f64::from),
        Metric::RemoteFrameWidth => reception.frame_width.map(f64::from),
        Metric::RemoteFrameHeight => reception.frame_height.map(f64::from),
        Metric::RemoteFramesPerSecond => reception.frames_per_second.map(f64::from),
        Metric::RemoteLossRatio => permille(reception.loss_permille),
        Metric::RemoteJitter => reception.jitter_ms.map(|milliseconds| f64::from(milliseconds) / 1e3),
        Metric::RemoteFrozenRatio => permille(reception.frozen_permille),
        _ => None,
    };
    number.map(FigureValue::Number)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
fn whole(number: f64) -> u32 {
    number.round() as u32
}

fn permille(ratio: f64) -> Permille {
    UpTo::rounded(ratio * 1e3)
}

fn milliseconds(seconds: f64) -> Milliseconds {
    UpTo::rounded(seconds * 1e3)
}
