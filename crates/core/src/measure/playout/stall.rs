//! Determines which gaps between frames are stalls, and their lengths.

use std::{collections::VecDeque, time::Duration};

use super::{
    cause::StallCause,
    frame::Gap,
    interval::{AFTER, NormalInterval},
    marks::Marks,
    source_rate::SourceRate,
};
use crate::Timestamp;

/// Shortest stall, in addition to the normal interval. At 30 frames per second two frames may be missing (67 ms, plus 17 ms for
/// a refresh of a 60 Hz display), and three may not.
const SHORTEST: Duration = Duration::from_millis(90);
/// A gap is judged after this time, even if fewer than [`AFTER`] gaps followed it.
const JUDGED_AFTER: Duration = Duration::from_secs(2);
/// A silence that lasts this long is reported as a stall before it ends.
const NOTICED_AFTER: Duration = Duration::from_secs(1);

/// A time in which the picture stood still unintentionally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// The time at which the next frame was due.
    pub start: Timestamp,
    /// The time from `start` until a frame was shown.
    pub duration: Duration,
    /// The most likely cause.
    pub cause: StallCause,
    /// How certain the cause is, in percent.
    pub confidence: u8,
}

impl Stall {
    /// The time at which a frame was shown again.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.start + self.duration
    }
}

/// A judged gap.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) gap: Gap,
    /// The normal interval that the gap was compared with.
    pub(super) normal: Duration,
    /// The stalls in the gap, as start and end times; most gaps have none.
    pub(super) stalls: Vec<(Timestamp, Timestamp)>,
    /// The stalls relative to the usual interval, regardless of the source's rate.
    pub(super) usual_stalls: Vec<(Timestamp, Timestamp)>,
}

/// Judges each gap once the following gaps are known.
#[derive(Debug, Clone, Default)]
pub(super) struct StallDetector {
    normal: NormalInterval,
    pub(super) source: SourceRate,
    /// Whether the source delivers a picture only when it changes, and so has no rate.
    pub(super) has_no_rate: bool,
    waiting: VecDeque<Gap>,
}

impl StallDetector {
    pub(super) fn handle_gap(&mut self, gap: Gap) {
        self.waiting.push_back(gap);
    }

    /// The gaps that are not judged yet.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Gap> {
        self.waiting.iter()
    }

    /// The next gap that can be judged.
    pub(super) fn poll_judged(&mut self, marks: &Marks, now: Timestamp) -> Option<Judged> {
        let front = self.waiting.front()?;
        if self.waiting.len() <= AFTER && now - front.to < JUDGED_AFTER {
            return None;
        }
        // If the gap may be a stall by the source's rate only, it waits for the sender's report.
        let (usual, normal) = self.around(front, self.waiting.iter().skip(1));
        let may_differ = normal < usual && excess(front, normal) >= shortest(normal);
        if may_differ && self.source.is_awaited(front, now) {
            return None;
        }
        let gap = self.waiting.pop_front()?;
        Some(self.judge(gap, marks))
    }

    /// Judges the next waiting gap without waiting for further evidence.
    pub(super) fn poll_rest(&mut self, marks: &Marks) -> Option<Judged> {
        let gap = self.waiting.pop_front()?;
        Some(self.judge(gap, marks))
    }

    /// The stalls in a silence that has not ended.
    pub(super) fn running(
        &self,
        last_shown: Timestamp,
        marks: &Marks,
        now: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let gap = Gap { from: last_shown, to: now, frames: 1, captured: None, received: None, source: None };
        let (_, normal) = self.around(&gap, self.waiting.iter());
        if gap.length() < normal + NOTICED_AFTER { Vec::new() } else { stalls(&gap, normal, marks) }
    }

    fn judge(&mut self, gap: Gap, marks: &Marks) -> Judged {
        let (usual, normal) = self.around(&gap, self.waiting.iter());
        let usual_stalls = stalls(&gap, usual, marks);
        let stalls = if normal == usual { usual_stalls.clone() } else { stalls(&gap, normal, marks) };
        // Neither a stall nor a pause counts towards the normal interval.
        if excess(&gap, usual) < shortest(usual) {
            self.normal.handle_interval(gap.interval());
        }
        self.source.handle_judged(&gap);
        Judged { gap, normal, stalls, usual_stalls }
    }

    /// The usual interval around a gap, and the normal one: the source's own interval if it is known and clearly shorter. The
    /// margin allows for the unevenness of a display and of counts that are reported once a second.
    fn around<'a>(&self, gap: &'a Gap, after: impl Iterator<Item = &'a Gap> + Clone) -> (Duration, Duration) {
        let usual = self.normal.around(after.clone().map(Gap::interval));
        let source =
            self.source.around(gap, after).filter(|source| !self.has_no_rate && usual > *source * 5 / 4);
        (usual, source.unwrap_or(usual))
    }
}

/// The length of the gap minus the normal time for its number of frames.
fn excess(gap: &Gap, normal: Duration) -> Duration {
    gap.length().saturating_sub(normal * gap.frames)
}

/// At low rates, one frame that is shown for almost two intervals is no stall.
fn shortest(normal: Duration) -> Duration {
    SHORTEST.max(normal * 3 / 4)
}

fn stalls(gap: &Gap, normal: Duration, marks: &Marks) -> Vec<(Timestamp, Timestamp)> {
    let excess = excess(gap, normal);
    if excess < shortest(normal) {
        return Vec::new();
    }
    let due = Timestamp::from_origin(gap.to.since_origin().saturating_sub(excess));
    let mut parts = marks.uncovered(due, gap.to);
    parts.retain(|(from, to)| *to - *from >= shortest(normal));
    parts
}
