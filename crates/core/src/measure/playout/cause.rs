//! The likely cause of a stall, from the frames' own clocks, the browser's counters and the sender's reports. The most certain
//! evidence is examined first.

use std::time::Duration;

use sightline_protocol::telemetry::Limitation;

use super::{counters::Step, frame::Gap};
use crate::Timestamp;

/// Time before and after a stall whose evidence counts: reports come once a second, and a loss shows slightly earlier or later.
const BEFORE: Duration = Duration::from_millis(500);
const AFTER: Duration = Duration::from_millis(1500);
/// A smaller share of lost packets is normal and explains no stall.
const NOTABLE_LOSS: f64 = 0.005;

/// The most likely reason of a stall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StallCause {
    /// Packets were lost in the network.
    Loss,
    /// Packets arrived late: the path has too little bandwidth.
    Bandwidth,
    /// The sender's computer encoded too slowly.
    SenderCpu,
    /// The sender held frames back because its upload was full.
    SenderBandwidth,
    /// The sender's source delivered no frames.
    Source,
    /// The path changed, or the connection was down.
    PathChange,
    /// The frames arrived in time and were shown late.
    Receiver,
    /// There is no evidence for any other cause.
    #[default]
    Unknown,
}

impl StallCause {
    /// All causes, in the order of their declaration.
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

    /// The stable word for tests and exports.
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

    /// The cause with this word; [`Self::Unknown`] for any other word.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word).unwrap_or_default()
    }
}

/// The sender's report about the time between two of its messages, on the local clock.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SenderInterval {
    /// Start of the interval.
    pub from: Timestamp,
    /// End of the interval.
    pub to: Timestamp,
    /// Number of frames that the sender's source delivered; `None` if its browser does not report it.
    pub source_frames: Option<u32>,
    /// Number of frames that the sender sent.
    pub frames_sent: Option<u32>,
    /// Number of sound packets that the sender sent.
    pub sound_packets: Option<u32>,
    /// `qualityLimitationReason` at the end of the interval.
    pub limitation: Limitation,
}

/// The evidence about a stall.
pub(super) struct Evidence<'a> {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// The gap that contains the stall; `None` while the stall lasts.
    pub(super) gap: Option<&'a Gap>,
    /// The normal time between two frames.
    pub(super) normal: Duration,
    pub(super) steps: &'a [Step],
    pub(super) sender: &'a [SenderInterval],
    /// Whether the sender declared during the stall that its source had failed.
    pub(super) has_source_failed: bool,
    /// Whether the connection was down during the stall.
    pub(super) was_disconnected: bool,
    /// Whether the source delivers a picture only when it changes, and so has no usual rate.
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
        // The sender's own counts are the best evidence: did it have frames, and did it send them?
        let (source, sent) = (
            self.shortfall(|interval| interval.source_frames),
            self.shortfall(|interval| interval.frames_sent),
        );
        match (source, sent) {
            (Some(true), _) => return StallCause::Source,
            (source, Some(true)) => match self.limitation() {
                Limitation::Cpu => return StallCause::SenderCpu,
                Limitation::Bandwidth => return StallCause::SenderBandwidth,
                // The sender held frames back because the lost packets were not acknowledged.
                _ if is_lossy => return StallCause::Loss,
                // The sender had frames and sent none, and gave no reason.
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
            // Frames that were captured this much later did not exist before. Without reports of the sender, its source is the
            // likely cause.
            (Some(true), _) if sent.is_none() => StallCause::Source,
            (Some(true), _) => StallCause::Bandwidth,
            (Some(false) | None, Some(true)) => StallCause::Bandwidth,
            (_, Some(false)) => StallCause::Receiver,
            (_, None) if self.steps.is_empty() => StallCause::Unknown,
            // No packet arrived.
            (_, None) if sum(|step| step.packets) < 1.0 && sent.is_none() => StallCause::Source,
            (_, None) if sum(|step| step.packets) < 1.0 => StallCause::Bandwidth,
            (_, None) => StallCause::Unknown,
        }
    }

    fn overlaps(&self, from: Timestamp, to: Timestamp) -> bool {
        from <= self.end + AFTER && self.start <= to + BEFORE
    }

    /// Whether the sender had too few frames during the stall, by at least half of the missing ones; `None` without reports.
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

    /// The usual frames per second: the upper quartile of the intervals outside of the stall. Without such intervals, and for a
    /// screen, the rate follows from the normal interval of the viewer.
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

    /// The limitation that the sender reported during the stall; its CPU takes precedence.
    fn limitation(&self) -> Limitation {
        let named = |limitation| {
            self.sender.iter().any(|interval| {
                interval.limitation == limitation && interval.from < self.end && self.start < interval.to
            })
        };
        [Limitation::Cpu, Limitation::Bandwidth].into_iter().find(|word| named(*word)).unwrap_or_default()
    }
}
