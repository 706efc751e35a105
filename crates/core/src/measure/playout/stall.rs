//! Which gaps between frames are stalls, and how long they are.

use std::{collections::VecDeque, time::Duration};

use super::{
    cause::StallCause,
    frame::Gap,
    interval::{AFTER, NormalInterval},
    marks::Marks,
    source_rate::SourceRate,
};
use crate::Timestamp;

/// What a picture may stand still longer than it normally does, before it is called a stall: between the two frames that
/// may be missing of thirty a second (67 ms, and 17 of a display of 60 Hz) and three.
const SHORTEST: Duration = Duration::from_millis(90);
/// A gap is judged when this has passed since its end, even where fewer than [`AFTER`] gaps followed it.
const JUDGED_AFTER: Duration = Duration::from_secs(2);
/// A silence that lasts is called a stall when it is this long, before it is over.
const NOTICED_AFTER: Duration = Duration::from_secs(1);

/// A time in which the picture stood still although nobody meant it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// When the next frame was due.
    pub start: Timestamp,
    /// From then until a frame was shown.
    pub duration: Duration,
    /// The most likely reason.
    pub cause: StallCause,
}

impl Stall {
    /// When a frame was shown again.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.start + self.duration
    }
}

/// A gap that was judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) gap: Gap,
    /// What it was judged against.
    pub(super) normal: Duration,
    /// The stalls in it, from when until when; none in most.
    pub(super) stalls: Vec<(Timestamp, Timestamp)>,
    /// Those by what was usual, whatever the source's rate.
    pub(super) usual_stalls: Vec<(Timestamp, Timestamp)>,
}

/// Judges each gap once it is known what came after it.
#[derive(Debug, Clone, Default)]
pub(super) struct StallDetector {
    normal: NormalInterval,
    pub(super) source: SourceRate,
    /// The source delivers a picture only when it is another than before, so it has no rate.
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
        // By the source's rate it may be a stall and by the usual one it is none, or a shorter one.
        let (usual, normal) = self.around(front, self.waiting.iter().skip(1));
        let may_differ = normal < usual && excess(front, normal) >= shortest(normal);
        if may_differ && self.source.is_awaited(front, now) {
            return None;
        }
        let gap = self.waiting.pop_front()?;
        Some(self.judge(gap, marks))
    }

    /// What waits is judged by what is known.
    pub(super) fn poll_rest(&mut self, marks: &Marks) -> Option<Judged> {
        let gap = self.waiting.pop_front()?;
        Some(self.judge(gap, marks))
    }

    /// The stalls of a silence that is not over yet.
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
        // A pause says as little of what is normal as a stall does.
        if excess(&gap, usual) < shortest(usual) {
            self.normal.handle_interval(gap.interval());
        }
        self.source.handle_judged(&gap);
        Judged { gap, normal, stalls, usual_stalls }
    }

    /// What was usual around a gap, and what it is judged against: the source's own interval, where it is known and shorter by more
    /// than the unevenness of a display and of a count that is told once a second.
    fn around<'a>(&self, gap: &'a Gap, after: impl Iterator<Item = &'a Gap> + Clone) -> (Duration, Duration) {
        let usual = self.normal.around(after.clone().map(Gap::interval));
        let source =
            self.source.around(gap, after).filter(|source| !self.has_no_rate && usual > *source * 5 / 4);
        (usual, source.unwrap_or(usual))
    }
}

/// How much longer it took than so many frames normally take.
fn excess(gap: &Gap, normal: Duration) -> Duration {
    gap.length().saturating_sub(normal * gap.frames)
}

/// At low rates a single frame that is shown for almost two is no stall.
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
