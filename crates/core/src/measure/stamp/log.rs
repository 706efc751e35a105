//! What is true of a stamped stream, from the stamps of the frames that were shown.

use std::{collections::VecDeque, time::Duration};

use super::{Stamp, Unreadable};
use crate::{
    Timestamp,
    measure::{clock::ClockEstimate, frame::ShownFrame, metric::Metric},
    median::median,
};

/// Most frames whose stamps are kept: ten minutes of sixty a second. Totals go on.
pub const MAX_LOGGED_FRAMES: usize = 36_000;

/// Delays that say what is usual.
const USUAL: usize = 90;
/// Readings that the cost is the mean of: about a second of them.
const COST_READINGS: u32 = 30;
/// A number that is so much behind the last belongs to another source that began anew, and so does one that is so far
/// ahead: a minute at sixty a second.
const SAME_SOURCE: u32 = 3600;

/// A delay that is longer is a wrong clock, or a wrong stamp.
const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// A stamped frame that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownStamp {
    /// Of the frame, as it was stamped.
    pub number: u32,
    /// When it was stamped, on the sender's clock.
    pub painted_at: Timestamp,
    /// When it was shown, on the receiver's clock.
    pub shown_at: Timestamp,
    /// From the one to the other; `None` while the clocks are not aligned. Wrong by at most
    /// [`FrameTruth::clock`]'s error.
    pub delay: Option<Duration>,
}

/// What is true of the frames of a stamped source. Every total counts from the first stamp that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrameTruth {
    /// Frames with a stamp that were shown, each once.
    pub shown: u32,
    /// Frames that were stamped between two that were shown, and never were themselves.
    pub lost: u32,
    /// How often a frame was shown again after it had been.
    pub repeated: u32,
    /// Frames that took longer than usual by more than the time from one frame to the next.
    pub late: u32,
    /// Frames that were shown and whose stamp could not be read, or that the page was too busy to look at. They count
    /// neither as shown nor as lost.
    pub unreadable: u32,
    /// From the sender's canvas to this display, of the last frame.
    pub delay: Option<Duration>,
    /// The shortest.
    pub shortest_delay: Option<Duration>,
    /// The longest.
    pub longest_delay: Option<Duration>,
    /// The mean.
    pub mean_delay: Option<Duration>,
    /// How the clocks stand to each other.
    pub clock: Option<ClockEstimate>,
    /// What reading a stamp takes of the receiver's page, on average of the last second.
    pub read_cost: Option<Duration>,
}

impl FrameTruth {
    /// The number of a row, in its base unit; `None` for every other metric, and where there is none.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        match metric {
            Metric::StampedFramesShown => Some(f64::from(self.shown)),
            Metric::StampedFramesLost => Some(f64::from(self.lost)),
            Metric::StampedFramesRepeated => Some(f64::from(self.repeated)),
            Metric::StampedFramesLate => Some(f64::from(self.late)),
            Metric::StampedFramesUnreadable => Some(f64::from(self.unreadable)),
            Metric::StampedDelay => seconds(self.delay),
            Metric::StampedDelayMean => seconds(self.mean_delay),
            Metric::StampedDelayLongest => seconds(self.longest_delay),
            Metric::ClockOffset => self.clock.map(|clock| clock.offset_us as f64 / 1e6),
            Metric::ClockError => seconds(self.clock.map(|clock| clock.error)),
            Metric::StampReadCost => seconds(self.read_cost),
            _ => None,
        }
    }
}

/// Takes the stamps of the frames as they are shown.
#[derive(Debug, Clone, Default)]
pub struct FrameLog {
    frames: VecDeque<ShownStamp>,
    truth: FrameTruth,
    last: Option<ShownStamp>,
    /// Frames without a readable stamp since the last with one: they are not lost, although their numbers are missing.
    unreadable_since: u32,
    /// The delays and the steps between paintings of the last frames.
    usual: VecDeque<(Duration, Duration)>,
    delays: (Duration, u32),
    /// `presentedFrames` of the last frame that was looked at.
    presented: Option<u32>,
}

impl FrameLog {
    /// Takes what was read of a frame that was shown at `shown_at`.
    pub fn handle_frame(
        &mut self,
        read: Result<Stamp, Unreadable>,
        shown_at: Timestamp,
        clock: Option<ClockEstimate>,
    ) {
        self.truth.clock = clock;
        let Ok(stamp) = read else {
            // Before the first stamp there may be frames of the time before it was switched on.
            self.handle_unseen(1);
            return;
        };
        let near = clock.map_or(shown_at, |clock| clock.theirs(shown_at));
        let painted_at = stamp.painted_at(near);
        let delay = clock.map(|clock| clock.theirs(shown_at) - painted_at);
        let delay = delay.filter(|delay| *delay <= LONGEST_DELAY);
        let frame = ShownStamp { number: stamp.number, painted_at, shown_at, delay };
        let unreadable = std::mem::take(&mut self.unreadable_since);
        let step =
            self.last.map(|last| (stamp.number.wrapping_sub(last.number), painted_at - last.painted_at));
        match step {
            Some((0, _)) => {
                self.truth.repeated = self.truth.repeated.saturating_add(1);
                return;
            }
            Some((ahead @ 1..SAME_SOURCE, step)) => {
                self.truth.lost = self.truth.lost.saturating_add((ahead - 1).saturating_sub(unreadable));
                self.note_delay(delay, step / ahead);
            }
            // Another source, or the first.
            _ => self.usual.clear(),
        }
        self.truth.shown = self.truth.shown.saturating_add(1);
        self.note_total(delay);
        self.last = Some(frame);
        self.frames.push_back(frame);
        if self.frames.len() > MAX_LOGGED_FRAMES {
            self.frames.pop_front();
        }
    }

    /// Takes a frame that was shown, what was read of it, and what reading it took.
    pub fn handle_shown(
        &mut self,
        read: Result<Stamp, Unreadable>,
        cost: Duration,
        shown: &ShownFrame,
        clock: Option<ClockEstimate>,
    ) {
        self.handle_cost(cost);
        self.handle_presented(shown.presented_frames);
        self.handle_frame(read, shown.seen_at, clock);
    }

    /// Takes `presentedFrames` of a frame, before what was read of it: it grows by more than one where the page was too busy to
    /// be called for each.
    fn handle_presented(&mut self, presented: u32) {
        let before = self.presented.replace(presented);
        self.handle_unseen(before.map_or(0, |before| presented.saturating_sub(before).saturating_sub(1)));
    }

    /// Takes what reading a stamp took.
    fn handle_cost(&mut self, cost: Duration) {
        let mean = self.truth.read_cost.unwrap_or(cost);
        self.truth.read_cost = Some((mean * (COST_READINGS - 1) + cost) / COST_READINGS);
    }

    /// So many frames were shown meanwhile and nobody looked at them: they count as unreadable.
    pub fn handle_unseen(&mut self, frames: u32) {
        if self.last.is_some() {
            self.truth.unreadable = self.truth.unreadable.saturating_add(frames);
            self.unreadable_since = self.unreadable_since.saturating_add(frames);
        }
    }

    /// What is true so far; `None` before the first stamp.
    #[must_use]
    pub fn known(&self) -> Option<FrameTruth> {
        self.last.is_some().then_some(self.truth)
    }

    /// What is true so far.
    #[must_use]
    pub fn truth(&self) -> FrameTruth {
        self.truth
    }

    /// The frames that were shown, oldest first, each once.
    pub fn frames(&self) -> impl Iterator<Item = &ShownStamp> {
        self.frames.iter()
    }

    fn note_delay(&mut self, delay: Option<Duration>, step: Duration) {
        let Some(delay) = delay else { return };
        if let Some((usual, interval)) = self.usual()
            && delay > usual + interval
        {
            self.truth.late = self.truth.late.saturating_add(1);
        }
        self.usual.push_back((delay, step));
        if self.usual.len() > USUAL {
            self.usual.pop_front();
        }
    }

    /// The medians, once there are enough to speak of.
    fn usual(&self) -> Option<(Duration, Duration)> {
        if self.usual.len() < USUAL / 3 {
            return None;
        }
        let delay = median(self.usual.iter().map(|(delay, _)| *delay))?;
        Some((delay, median(self.usual.iter().map(|(_, step)| *step))?))
    }

    fn note_total(&mut self, delay: Option<Duration>) {
        let truth = &mut self.truth;
        truth.delay = delay;
        let Some(delay) = delay else { return };
        self.delays = (self.delays.0.saturating_add(delay), self.delays.1.saturating_add(1));
        truth.mean_delay = Some(self.delays.0 / self.delays.1);
        truth.shortest_delay = Some(truth.shortest_delay.map_or(delay, |shortest| shortest.min(delay)));
        truth.longest_delay = Some(truth.longest_delay.map_or(delay, |longest| longest.max(delay)));
    }
}
