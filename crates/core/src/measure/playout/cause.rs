//! Why a picture stood still: what the frames' own clocks, the counters and the sender say, in the order of how sure
//! each of them is.

use std::time::Duration;

use sightline_protocol::telemetry::Limitation;

use super::{counters::Step, frame::Gap};
use crate::Timestamp;

/// What is looked at around a stall: reports come once a second, and a loss shows a moment before and after.
const BEFORE: Duration = Duration::from_millis(500);
const AFTER: Duration = Duration::from_millis(1500);
/// Loss that is always there explains nothing.
const NOTABLE_LOSS: f64 = 0.005;

/// The most likely reason of a stall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StallCause {
    /// Packets were lost on the way.
    Loss,
    /// Packets came late: the way takes no more.
    Bandwidth,
    /// The sender's computer encodes no faster.
    SenderCpu,
    /// The sender held frames back because its upload is full.
    SenderBandwidth,
    /// The sender's source delivered no frames.
    Source,
    /// The way between the two became another, or was gone.
    PathChange,
    /// The frames came in time and were shown late.
    Receiver,
    /// Nothing speaks for any of them.
    #[default]
    Unknown,
}

impl StallCause {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Loss,
        Self::Bandwidth,
        Self::SenderCpu,
        Self::SenderBandwidth,
        Self::Source,
        Self::PathChange,
        Self::Receiver,
        Self::Unknown,
    ];

    /// The word as tests and exports read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Bandwidth => "bandwidth",
            Self::SenderCpu => "sender_cpu",
            Self::SenderBandwidth => "sender_bandwidth",
            Self::Source => "source",
            Self::PathChange => "path_change",
            Self::Receiver => "receiver",
            Self::Unknown => "unknown",
        }
    }

    /// The cause of that word; [`Self::Unknown`] for any other.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word).unwrap_or_default()
    }
}

/// What the sender did between two of its reports, in this side's time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SenderInterval {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// Frames that its source delivered, where its browser tells.
    pub source_frames: Option<u32>,
    /// Frames that it sent.
    pub frames_sent: Option<u32>,
    /// Packets of sound that it sent.
    pub sound_packets: Option<u32>,
    /// `qualityLimitationReason` at its end.
    pub limitation: Limitation,
}

/// What is known around a stall.
pub(super) struct Evidence<'a> {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// The gap it is a part of; `None` while it lasts.
    pub(super) gap: Option<&'a Gap>,
    /// How long a frame is normally shown.
    pub(super) normal: Duration,
    pub(super) steps: &'a [Step],
    pub(super) sender: &'a [SenderInterval],
    /// Whether the sender declared at some time of it that its source failed.
    pub(super) has_source_failed: bool,
    /// Whether the connection was down at some time of it.
    pub(super) was_disconnected: bool,
    /// The source delivers a picture only when it is another than before: it has no usual rate.
    pub(super) may_be_unchanged: bool,
}

impl Evidence<'_> {
    pub(super) fn cause(&self) -> StallCause {
        if self.has_source_failed {
            return StallCause::Source;
        }
        let steps = || self.steps.iter().filter(|step| self.overlaps(step.from, step.to));
        if self.was_disconnected || steps().any(|step| step.has_new_path) {
            return StallCause::PathChange;
        }
        let sum = |of: fn(&Step) -> f64| steps().map(of).sum::<f64>();
        let lost = sum(|step| step.lost);
        let is_lossy = lost >= 1.0 && lost / (lost + sum(|step| step.packets)) >= NOTABLE_LOSS;
        // The sender knows whether it had frames, and whether it sent them.
        let (source, sent) = (
            self.shortfall(|interval| interval.source_frames),
            self.shortfall(|interval| interval.frames_sent),
        );
        match (source, sent) {
            (Some(true), _) => return StallCause::Source,
            (source, Some(true)) => match self.limitation() {
                Limitation::Cpu => return StallCause::SenderCpu,
                Limitation::Bandwidth => return StallCause::SenderBandwidth,
                // Nobody told it that packets arrive, so it held back.
                _ if is_lossy => return StallCause::Loss,
                // It had frames and sent none, for no reason that it knows of.
                _ if source == Some(false) => return StallCause::SenderCpu,
                _ => return StallCause::Source,
            },
            _ if is_lossy => return StallCause::Loss,
            _ => {}
        }
        let stall = self.end - self.start;
        let is_late =
            |clock: Option<Duration>| clock.map(|passed| passed.saturating_sub(self.normal) * 2 >= stall);
        let (captured, received) = self.gap.map_or((None, None), |gap| (gap.captured, gap.received));
        match (is_late(captured), is_late(received)) {
            // What was captured so much later was not there before; where the sender says nothing, that is its source.
            (Some(true), _) if sent.is_none() => StallCause::Source,
            (Some(true), _) => StallCause::Bandwidth,
            (Some(false) | None, Some(true)) => StallCause::Bandwidth,
            (_, Some(false)) => StallCause::Receiver,
            (_, None) if self.steps.is_empty() => StallCause::Unknown,
            // Nothing came at all.
            (_, None) if sum(|step| step.packets) < 1.0 && sent.is_none() => StallCause::Source,
            (_, None) if sum(|step| step.packets) < 1.0 => StallCause::Bandwidth,
            (_, None) => StallCause::Unknown,
        }
    }

    fn overlaps(&self, from: Timestamp, to: Timestamp) -> bool {
        from <= self.end + AFTER && self.start <= to + BEFORE
    }

    /// Whether the sender had at least half of the frames fewer that the stall lacks in the time that it tells of; `None` where
    /// it does not tell.
    fn shortfall(&self, of: fn(&SenderInterval) -> Option<u32>) -> Option<bool> {
        let usual = self.usual_rate(of)?;
        let (mut lacking, mut told) = (0.0, Duration::ZERO);
        for interval in
            self.sender.iter().filter(|interval| interval.from < self.end && self.start < interval.to)
        {
            let expected = usual * (interval.to - interval.from).as_secs_f64();
            lacking += expected - f64::from(of(interval)?);
            told += interval.to.min(self.end) - interval.from.max(self.start);
        }
        let missing = told.as_secs_f64() / self.normal.as_secs_f64().max(0.001);
        (told > Duration::ZERO).then_some(lacking >= missing / 2.0)
    }

    /// Frames a second, in the upper half of the intervals that are known outside of the stall; where there is none, and of a
    /// screen, what is normal for the viewer.
    fn usual_rate(&self, of: fn(&SenderInterval) -> Option<u32>) -> Option<f64> {
        let rate = |interval: &SenderInterval| {
            let seconds = (interval.to - interval.from).as_secs_f64();
            Some(f64::from(of(interval)?) / seconds).filter(|rate| rate.is_finite())
        };
        let is_outside = |interval: &&SenderInterval| interval.to <= self.start || self.end <= interval.from;
        let mut rates: Vec<f64> = self.sender.iter().filter(is_outside).filter_map(rate).collect();
        rates.sort_unstable_by(f64::total_cmp);
        let usual = rates.get(rates.len() * 3 / 4).copied().filter(|_| !self.may_be_unchanged);
        let is_told = self.sender.iter().any(|interval| of(interval).is_some());
        usual.or_else(|| is_told.then(|| 1.0 / self.normal.as_secs_f64().max(0.001)))
    }

    /// Any of the words that the sender named meanwhile; its computer's first.
    fn limitation(&self) -> Limitation {
        let named = |limitation| {
            self.sender.iter().any(|interval| {
                interval.limitation == limitation && interval.from < self.end && self.start < interval.to
            })
        };
        [Limitation::Cpu, Limitation::Bandwidth].into_iter().find(|word| named(*word)).unwrap_or_default()
    }
}
