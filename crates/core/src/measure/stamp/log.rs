//! The totals of a stamped stream, from the stamps of the shown frames.

use std::{collections::VecDeque, time::Duration};

use super::{Stamp, Unreadable};
use crate::{
    Timestamp,
    measure::{clock::ClockEstimate, frame::ShownFrame, metric::Metric},
    median::median,
};

/// Maximum number of frames whose stamps are kept: ten minutes at 60 frames per second. The totals include all frames.
pub const MAX_LOGGED_FRAMES: usize = 36_000;

/// Number of delays that determine the usual delay.
const USUAL: usize = 90;
/// Number of readings in the mean cost: about a second's.
const COST_READINGS: u32 = 30;
/// A step of the frame number by this or more, in either direction, means another source: a minute at 60 frames per second.
const SAME_SOURCE: u32 = 3600;

/// A longer delay is an error of the clock or of the stamp.
const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// A stamped frame that was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownStamp {
    /// Number in the stamp.
    pub number: u32,
    /// The time of painting, on the sender's clock.
    pub painted_at: Timestamp,
    /// The time of display, on the receiver's clock.
    pub shown_at: Timestamp,
    /// Time from painting to display; `None` while the clock offset is unknown. The error is at most that of [`Self::clock`].
    pub delay: Option<Duration>,
    /// The estimate of the sender's clock with which the delay was computed.
    pub clock: Option<ClockEstimate>,
}

/// The totals of a stamped source, from the first readable stamp on.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrameTruth {
    /// Number of stamped frames that were shown, each counted once.
    pub shown: u32,
    /// Number of frames that were never shown although they were stamped between two shown ones.
    pub lost: u32,
    /// Number of times that a frame was shown again.
    pub repeated: u32,
    /// Number of frames whose delay exceeded the usual delay by more than the interval between two frames.
    pub late: u32,
    /// Number of shown frames with an unreadable stamp, or that the page was too busy to read. They count neither as shown nor
    /// as lost.
    pub unreadable: u32,
    /// Delay of the last frame, from the sender's canvas to this display.
    pub delay: Option<Duration>,
    /// The shortest delay.
    pub shortest_delay: Option<Duration>,
    /// The longest delay.
    pub longest_delay: Option<Duration>,
    /// The mean delay.
    pub mean_delay: Option<Duration>,
    /// The present estimate of the sender's clock.
    pub clock: Option<ClockEstimate>,
    /// The greatest error of the estimates with which the delays were computed: no delay is wrong by more.
    pub delay_error: Option<Duration>,
    /// Mean time that the receiver's page takes to read a stamp, over the last second.
    pub read_cost: Option<Duration>,
}

impl FrameTruth {
    /// The number for a row, in its base unit; `None` for metrics of other sources, and if there is no value.
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
            Metric::ClockError => seconds(self.delay_error.or(self.clock.map(|clock| clock.error))),
            Metric::StampReadCost => seconds(self.read_cost),
            _ => None,
        }
    }
}

/// Takes the stamps of the frames in the order in which they are shown.
#[derive(Debug, Clone, Default)]
pub struct FrameLog {
    frames: VecDeque<ShownStamp>,
    truth: FrameTruth,
    last: Option<ShownStamp>,
    /// Number of frames without a readable stamp since the last readable one. They are not lost although their numbers are
    /// missing.
    unreadable_since: u32,
    /// For each of the last frames, the delay and the time since the previous painting.
    usual: VecDeque<(Duration, Duration)>,
    delays: (Duration, u32),
    /// `presentedFrames` of the last frame that was read.
    presented: Option<u32>,
}

impl FrameLog {
    /// Takes the result of reading a frame that was shown at `shown_at`.
    pub fn handle_frame(
        &mut self,
        read: Result<Stamp, Unreadable>,
        shown_at: Timestamp,
        clock: Option<ClockEstimate>,
    ) {
        self.truth.clock = clock;
        let Ok(stamp) = read else {
            // The frame may be from before the mode was switched on: before the first stamp it does not count.
            self.handle_unseen(1);
            return;
        };
        let near = clock.map_or(shown_at, |clock| clock.theirs(shown_at));
        let painted_at = stamp.painted_at(near);
        let delay = clock.map(|clock| clock.theirs(shown_at) - painted_at);
        let delay = delay.filter(|delay| *delay <= LONGEST_DELAY);
        let frame = ShownStamp { number: stamp.number, painted_at, shown_at, delay, clock };
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
            // The first frame, or one of another source.
            _ => self.usual.clear(),
        }
        self.truth.shown = self.truth.shown.saturating_add(1);
        self.note_total(delay);
        if delay.is_some() {
            self.truth.delay_error = self.truth.delay_error.max(clock.map(|clock| clock.error));
        }
        self.last = Some(frame);
        self.frames.push_back(frame);
        if self.frames.len() > MAX_LOGGED_FRAMES {
            self.frames.pop_front();
        }
    }

    /// Takes a frame that was shown, the result of reading its stamp, and the cost of reading it.
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

    /// Takes `presentedFrames` of a frame before its stamp: the number grows by more than one if the page was too busy for a
    /// callback per frame.
    fn handle_presented(&mut self, presented: u32) {
        let before = self.presented.replace(presented);
        self.handle_unseen(before.map_or(0, |before| presented.saturating_sub(before).saturating_sub(1)));
    }

    /// Takes the cost of reading a stamp.
    fn handle_cost(&mut self, cost: Duration) {
        let mean = self.truth.read_cost.unwrap_or(cost);
        self.truth.read_cost = Some((mean * (COST_READINGS - 1) + cost) / COST_READINGS);
    }

    /// Takes the number of frames that were shown without being read: they count as unreadable.
    pub fn handle_unseen(&mut self, frames: u32) {
        if self.last.is_some() {
            self.truth.unreadable = self.truth.unreadable.saturating_add(frames);
            self.unreadable_since = self.unreadable_since.saturating_add(frames);
        }
    }

    /// The totals so far; `None` before the first stamp.
    #[must_use]
    pub fn known(&self) -> Option<FrameTruth> {
        self.last.is_some().then_some(self.truth)
    }

    /// The totals so far.
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

    /// The median delay and painting interval, once there are enough frames.
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
