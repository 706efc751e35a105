//! How often the source has a frame, where that is known: by the stamps in the frames, or by what the sender tells.

use std::{collections::VecDeque, time::Duration};

use super::{
    SenderInterval,
    frame::Gap,
    interval::{NormalInterval, typical},
};
use crate::Timestamp;

/// Intervals of the sender before a gap that say how often the source has a frame.
const BEFORE: usize = 5;
/// Longest that a gap waits for the sender's word of the time after it.
const WAITS: Duration = Duration::from_millis(3500);
/// How much of the time after a gap the sender's word must cover: a rate that falls shows in the next of its intervals.
const AFTER: Duration = Duration::from_secs(1);
/// What the sender told longer ago says nothing of now.
const HOLDS: Duration = Duration::from_secs(10);
const MAX_TOLD: usize = 40;
/// An interval of the sender without a frame.
const NONE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy)]
struct Told {
    from: Timestamp,
    to: Timestamp,
    interval: Duration,
}

/// Knows the time from one frame of the source to its next.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceRate {
    told: VecDeque<Told>,
    stamped: NormalInterval,
}

impl SourceRate {
    pub(super) fn handle_sender(&mut self, sender: &SenderInterval) {
        let Some(frames) = sender.source_frames else { return };
        let interval = (sender.to - sender.from).checked_div(frames).unwrap_or(NONE).min(NONE);
        self.told.push_back(Told { from: sender.from, to: sender.to, interval });
        if self.told.len() > MAX_TOLD {
            self.told.pop_front();
        }
    }

    /// Takes a gap that was judged.
    pub(super) fn handle_judged(&mut self, gap: &Gap) {
        if let Some(interval) = gap.source_interval() {
            self.stamped.handle_interval(interval);
        }
    }

    /// From one frame of the source to the next around a gap, given the gaps that followed; `None` where it is not known. The greater
    /// of before and after, so that a rate that falls is no stall.
    pub(super) fn around<'a>(&self, gap: &'a Gap, after: impl Iterator<Item = &'a Gap>) -> Option<Duration> {
        let after = std::iter::once(gap).chain(after).filter_map(Gap::source_interval);
        self.stamped.known_around(after).or_else(|| self.told_around(gap.to))
    }

    /// Whether the sender may still tell of the time after a gap.
    pub(super) fn is_awaited(&self, gap: &Gap, now: Timestamp) -> bool {
        gap.source_interval().is_none()
            && now - gap.to < WAITS
            && self.told.back().is_some_and(|last| last.to < gap.to + AFTER)
    }

    fn told_around(&self, at: Timestamp) -> Option<Duration> {
        let is_near = |told: &&Told| at - told.to <= HOLDS && told.from - at <= HOLDS;
        let before = self.told.iter().rev().filter(is_near).filter(|told| told.to <= at);
        let before = typical(before.take(BEFORE).map(|told| told.interval));
        let after = self.told.iter().filter(|told| told.to > at && told.from < at + AFTER);
        before.max(after.map(|told| told.interval).max())
    }
}
