//! The figures of a report, one in each row.

use sightline_core::measure::{Metric, Unit, report::Side, sound::SOUND_METRICS};

use crate::{
    components::figures::{figure_text, metric_help::metric_help, metric_text::metric_text},
    language::Sentence,
    sentence,
};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row {
    Score,
    Total(Metric),
    Watched,
}

/// All rows, the most important first.
pub(super) const ROWS: [Row; 40] = [
    Row::Score,
    Row::Total(Metric::StallRatio),
    Row::Total(Metric::StallCount),
    Row::Total(Metric::StallTime),
    Row::Total(Metric::LongestStall),
    Row::Total(Metric::StallsPerMinute),
    Row::Total(Metric::UsualStallRatio),
    Row::Total(Metric::SourceFrames),
    Row::Total(Metric::SourceFramesPresented),
    Row::Total(Metric::SourceFramesPerSecond),
    Row::Total(Metric::LowerRateRatio),
    Row::Total(Metric::FreezeCount),
    Row::Total(Metric::TotalFreezesDuration),
    Row::Total(Metric::MeanReceiveBitrate),
    Row::Total(Metric::BytesReceived),
    Row::Total(Metric::FramesPerSecond),
    Row::Total(Metric::FramesPresented),
    Row::Total(Metric::FramesReceived),
    Row::Total(Metric::FramesDecoded),
    Row::Total(Metric::FramesDropped),
    Row::Total(Metric::LossRatio),
    Row::Total(Metric::TimeToFirstFrame),
    Row::Total(Metric::ConcealedRatio),
    Row::Total(Metric::SoundBursts),
    Row::Total(Metric::JitterBufferDelay),
    Row::Total(Metric::ConcealedSamples),
    Row::Total(Metric::SilentConcealedSamples),
    Row::Total(Metric::ConcealmentEvents),
    Row::Total(Metric::InsertedSamples),
    Row::Total(Metric::RemovedSamples),
    Row::Total(Metric::SamplesReceived),
    Row::Total(Metric::StampedFramesShown),
    Row::Total(Metric::StampedFramesLost),
    Row::Total(Metric::StampedFramesRepeated),
    Row::Total(Metric::StampedFramesLate),
    Row::Total(Metric::StampedFramesUnreadable),
    Row::Total(Metric::StampedDelayMean),
    Row::Total(Metric::StampedDelayLongest),
    Row::Total(Metric::ClockError),
    Row::Watched,
];

impl Row {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Total(metric) => metric.name(),
            Self::Watched => "watched",
        }
    }

    pub(super) fn title(self) -> Sentence {
        match self {
            Self::Score => sentence!(report.score),
            Self::Total(metric) => metric_text(metric),
            Self::Watched => sentence!(report.watched),
        }
    }

    /// The definition of the figure.
    pub(super) fn help(self) -> Sentence {
        match self {
            Self::Score => sentence!(score.help),
            Self::Total(metric) => metric_help(metric),
            Self::Watched => sentence!(report.watched_help),
        }
    }

    pub(super) fn unit(self) -> Unit {
        match self {
            Self::Score => Unit::PerMinute,
            Self::Total(metric) => metric.unit(),
            Self::Watched => Unit::Seconds,
        }
    }

    pub(super) fn value(self, side: &Side) -> Option<f64> {
        match self {
            Self::Score => side.playout.as_ref()?.score.as_ref().map(|score| score.value),
            Self::Total(metric) => side.total(metric),
            Self::Watched => side.playout.as_ref().map(|playout| playout.watched_s),
        }
    }

    /// Whether the row is about sound.
    pub(super) fn is_of_sound(self) -> bool {
        matches!(self, Self::Total(metric) if SOUND_METRICS.contains(&metric))
    }

    /// Whether the row is about stamps: without values it is left out, since most sources are not stamped.
    pub(super) fn is_of_stamps(self) -> bool {
        matches!(
            self,
            Self::Total(
                Metric::StampedFramesShown
                    | Metric::StampedFramesLost
                    | Metric::StampedFramesRepeated
                    | Metric::StampedFramesLate
                    | Metric::StampedFramesUnreadable
                    | Metric::StampedDelayMean
                    | Metric::StampedDelayLongest
                    | Metric::ClockError
            )
        )
    }
}

/// A value with its unit; a dash without a value.
pub(super) fn text(unit: Unit, value: Option<f64>) -> String {
    value.map_or_else(|| "\u{2013}".to_owned(), |value| figure_text::of_number(unit, value))
}

/// The difference between two values, with a sign.
pub(super) fn difference(unit: Unit, value: Option<f64>, from: Option<f64>) -> String {
    let Some((value, from)) = value.zip(from) else { return String::new() };
    let by = value - from;
    if by == 0.0 {
        return "=".to_owned();
    }
    let sign = if by < 0.0 { "\u{2212}" } else { "+" };
    [sign, &figure_text::of_number(unit, by.abs())].concat()
}
