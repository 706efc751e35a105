//! Which charts there are, and what each draws.

use sightline_core::measure::Metric;

use crate::{language::Sentence, sentence};

/// One chart: its lines share an axis of values.
#[derive(Clone, Copy)]
pub(super) struct Chart {
    pub(super) name: &'static str,
    pub(super) title: Sentence,
    pub(super) lines: &'static [(Metric, Sentence)],
    /// The axis reaches at least so far, so that what is next to nothing does not look like much.
    pub(super) smallest_top: f64,
}

/// All of them, from the top down.
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
