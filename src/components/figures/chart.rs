//! The list of charts and the lines of each.

use sightline_core::measure::Metric;

use crate::{language::Sentence, sentence};

/// One chart, whose lines share a value axis.
#[derive(Clone, Copy)]
pub(super) struct Chart {
    pub(super) name: &'static str,
    pub(super) title: Sentence,
    pub(super) lines: &'static [(Metric, Sentence)],
    /// The axis reaches at least this value, so that tiny values do not look large.
    pub(super) smallest_top: f64,
}

/// All charts, from top to bottom.
pub(super) const fn charts() -> [Chart; 5] {
    [
        Chart {
            name: "bitrate",
            title: sentence!(charts.bitrate),
            lines: &[
                (Metric::ReceiveBitrate, sentence!(charts.received)),
                (Metric::SendBitrate, sentence!(charts.sent)),
                (Metric::AvailableOutgoingBitrate, sentence!(charts.available)),
            ],
            smallest_top: 100_000.0,
        },
        Chart {
            name: "frames_per_second",
            title: sentence!(charts.frame_rate),
            lines: &[
                (Metric::FramesPerSecond, sentence!(charts.received)),
                (Metric::FramesPerSecondSent, sentence!(charts.sent)),
            ],
            smallest_top: 30.0,
        },
        Chart {
            name: "round_trip_time",
            title: sentence!(charts.round_trip),
            lines: &[(Metric::RoundTripTime, sentence!(charts.round_trip))],
            smallest_top: 0.02,
        },
        Chart {
            name: "loss_ratio",
            title: sentence!(charts.loss),
            lines: &[(Metric::LossRatio, sentence!(charts.loss))],
            smallest_top: 0.02,
        },
        Chart {
            name: "jitter",
            title: sentence!(charts.jitter),
            lines: &[(Metric::Jitter, sentence!(charts.jitter))],
            smallest_top: 0.02,
        },
    ]
}
