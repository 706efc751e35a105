//! The figures of a report, row by row.

use sightline_core::{
    report::PlayoutEntry,
    stats::{Metric, Unit},
};

use crate::{
    components::{figure_text, metric_text},
    language::Sentence,
    sentence,
};

/// One figure.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) title: Sentence,
    pub(super) unit: Unit,
    pub(super) value: fn(&PlayoutEntry) -> Option<f64>,
}

/// All of them, the most telling first.
pub(super) fn rows() -> [Row; 17] {
    let row = |metric: Metric, value| Row {
        name: metric.name(),
        title: metric_text::metric_text(metric),
        unit: metric.unit(),
        value,
    };
    [
        Row {
            name: "score",
            title: sentence!(report.score),
            unit: Unit::PerMinute,
            value: |playout| playout.score.as_ref().map(|score| score.value),
        },
        row(Metric::StallRatio, |playout| Some(playout.stall_ratio)),
        row(Metric::StallCount, |playout| Some(f64::from(playout.stall_count))),
        row(Metric::StallTime, |playout| Some(playout.stall_time_s)),
        row(Metric::LongestStall, |playout| Some(playout.longest_stall_s)),
        row(Metric::StallsPerMinute, |playout| Some(playout.stalls_per_minute)),
        row(Metric::FreezeCount, |playout| playout.freeze_count),
        row(Metric::TotalFreezesDuration, |playout| playout.total_freezes_duration_s),
        row(Metric::MeanReceiveBitrate, |playout| playout.mean_receive_bitrate_bps),
        row(Metric::BytesReceived, |playout| playout.bytes_received),
        row(Metric::FramesPerSecond, |playout| playout.frames_per_second),
        row(Metric::FramesPresented, |playout| playout.frames_presented.map(f64::from)),
        row(Metric::FramesDecoded, |playout| playout.frames_decoded),
        row(Metric::FramesDropped, |playout| playout.frames_dropped),
        row(Metric::LossRatio, |playout| playout.loss_ratio),
        row(Metric::TimeToFirstFrame, |playout| playout.time_to_first_frame_s),
        Row {
            name: "watched",
            title: sentence!(report.watched),
            unit: Unit::Seconds,
            value: |playout| Some(playout.watched_s),
        },
    ]
}

/// A value with its unit; a dash where there is none.
pub(super) fn text(unit: Unit, value: Option<f64>) -> String {
    value.map_or_else(|| "\u{2013}".to_owned(), |value| figure_text::of_number(unit, value))
}

/// How much one differs from another, with a sign.
pub(super) fn difference(unit: Unit, value: Option<f64>, from: Option<f64>) -> String {
    let Some((value, from)) = value.zip(from) else { return String::new() };
    let by = value - from;
    if by == 0.0 {
        return "=".to_owned();
    }
    let sign = if by < 0.0 { "\u{2212}" } else { "+" };
    [sign, &figure_text::of_number(unit, by.abs())].concat()
}
