//! The frame rate of the source if it is known: from the stamps in the frames, or from the sender's reports.

use std::{collections::VecDeque, time::Duration};

use super::{
    SenderInterval,
    frame::Gap,
    interval::{NormalInterval, typical},
};
use crate::Timestamp;

/// Number of the sender's intervals before a gap that determine the source's rate.
const BEFORE: usize = 5;
/// Longest time that the judgement of a gap waits for the sender's report about the time after the gap.
const WAITS: Duration = Duration::from_millis(3500);
/// Time after a gap that the sender's report must cover: a decreasing rate shows in the next interval.
const AFTER: Duration = Duration::from_secs(1);
/// Age from which on a report of the sender is outdated.
const HOLDS: Duration = Duration::from_secs(10);
const MAX_REPORTS: usize = 40;
/// The value for an interval of the sender without frames.
const NONE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
struct Reported {
    from: Timestamp,
    to: Timestamp,
    interval: Duration,
}

/// Determines the time between two frames of the source.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceRate {
    reports: VecDeque<Reported>,
    stamped: NormalInterval,
}

impl SourceRate {
    pub(super) fn handle_sender(&mut self, sender: &SenderInterval) {
        let Some(frames) = sender.source_frames else { return };
        let interval = (sender.to - sender.from).checked_div(frames).unwrap_or(NONE).min(NONE);
        self.reports.push_back(Reported { from: sender.from, to: sender.to, interval });
        if self.reports.len() > MAX_REPORTS {
            self.reports.pop_front();
        }
    }

    /// Takes a judged gap.
    pub(super) fn handle_judged(&mut self, gap: &Gap) {
        if let Some(interval) = gap.source_interval() {
            self.stamped.handle_interval(interval);
        }
    }

    /// The time between two frames of the source around a gap, given the gaps that followed; `None` if it is unknown. The
    /// greater of the values before and after, so that a decreasing rate is no stall.
    pub(super) fn around<'a>(&self, gap: &'a Gap, after: impl Iterator<Item = &'a Gap>) -> Option<Duration> {
        let after = std::iter::once(gap).chain(after).filter_map(Gap::source_interval);
        self.stamped.known_around(after).or_else(|| self.reported_around(gap.to))
    }

    /// Whether a report of the sender about the time after a gap may still arrive.
    pub(super) fn is_awaited(&self, gap: &Gap, now: Timestamp) -> bool {
        gap.source_interval().is_none()
            && now - gap.to < WAITS
            && self.reports.back().is_some_and(|last| last.to < gap.to + AFTER)
    }

    /// Frames per second by the sender's reports that end after `from`.
    pub(super) fn reported_since(&self, from: Timestamp) -> Option<f64> {
        let reports = || self.reports.iter().filter(|report| report.to > from);
        let length = |report: &Reported| (report.to - report.from).as_secs_f64();
        let frames: f64 = reports().map(|report| length(report) / report.interval.as_secs_f64()).sum();
        let seconds: f64 = reports().map(length).sum();
        (seconds > 0.0 && frames.is_finite()).then(|| frames / seconds)
    }

    fn reported_around(&self, at: Timestamp) -> Option<Duration> {
        let is_near = |report: &&Reported| at - report.to <= HOLDS && report.from - at <= HOLDS;
        let before = self.reports.iter().rev().filter(is_near).filter(|report| report.to <= at);
        let before = typical(before.take(BEFORE).map(|report| report.interval));
        let after = self.reports.iter().filter(|report| report.to > at && report.from < at + AFTER);
        before.max(after.map(|report| report.interval).max())
    }
}
