//! Determines which gaps between frames are stalls, and their lengths.

use std::{collections::VecDeque, time::Duration};

use super::{
    cause::StallCause,
    frame::Gap,
    interval::{AFTER, JUDGED_AFTER, LONGEST, NormalInterval, shortest},
    marks::Marks,
    reported_source::ReportedSource,
    source_rate::SourceRate,
};
use crate::{Timestamp, short_list};

/// A silence that lasts this long is reported as a stall before it ends.
const NOTICED_AFTER: Duration = Duration::from_secs(1);

/// A frame on time is shown at most this much earlier or later than its place among the source's frames says.
const PLACED_WITHIN: Duration = Duration::from_millis(160);

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
    pub(super) fn poll_judged(
        &mut self,
        marks: &Marks,
        reported: &ReportedSource,
        now: Timestamp,
    ) -> Option<Judged> {
        let front = self.waiting.front()?;
        if self.waiting.len() <= AFTER && now - front.to < JUDGED_AFTER {
            return None;
        }
        // If the gap may be a stall by the source's rate only, it waits for the sender's report.
        let Intervals { usual, normal, of_source } =
            self.around(front, self.waiting.iter().skip(1), reported);
        let may_differ = normal < usual && excess(front, normal) >= shortest(normal);
        if may_differ && self.source.is_awaited(front, now) {
            return None;
        }
        if let Some(known) = &front.reported {
            let captured = known.between.to;
            let may_be_stall = excess(front, normal) >= shortest(normal) || stood(front, of_source).is_some();
            if may_be_stall && !reported.covers_after(captured) && reported.is_awaited(front.to, now) {
                return None;
            }
        }
        let gap = self.waiting.pop_front()?;
        Some(self.judge(gap, marks, reported))
    }

    /// Judges the next waiting gap without waiting for further evidence.
    pub(super) fn poll_rest(&mut self, marks: &Marks, reported: &ReportedSource) -> Option<Judged> {
        let gap = self.waiting.pop_front()?;
        Some(self.judge(gap, marks, reported))
    }

    /// The stalls in a silence that has not ended.
    pub(super) fn running(
        &self,
        last_shown: Timestamp,
        marks: &Marks,
        reported: &ReportedSource,
        now: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let gap = Gap::silence(last_shown, now);
        let Intervals { normal, .. } = self.around(&gap, self.waiting.iter(), reported);
        if gap.length() < normal + NOTICED_AFTER { Vec::new() } else { stalls(&gap, normal, None, marks) }
    }

    fn judge(&mut self, gap: Gap, marks: &Marks, reported: &ReportedSource) -> Judged {
        let Intervals { usual, normal, of_source } = self.around(&gap, self.waiting.iter(), reported);
        let usual_stalls = stalls(&gap, usual, of_source, marks);
        let stalls =
            if normal == usual { usual_stalls.clone() } else { stalls(&gap, normal, of_source, marks) };
        // Neither a stall nor a pause counts towards the normal interval.
        if excess(&gap, usual) < shortest(usual) && stood(&gap, of_source).is_none() {
            self.normal.handle_interval(gap.interval());
        }
        self.source.handle_judged(&gap);
        Judged { gap, normal, stalls, usual_stalls }
    }

    /// The intervals around a gap. The normal one is the source's own if it is known and clearly differs. The margin allows for the
    /// unevenness of a display and of counts that are reported once a second.
    fn around<'a>(
        &self,
        gap: &'a Gap,
        after: impl Iterator<Item = &'a Gap> + Clone,
        reported: &ReportedSource,
    ) -> Intervals {
        let after = after.take_while(|next| next.to - gap.to <= JUDGED_AFTER);
        let usual = self.normal.around(after.clone().map(Gap::interval));
        let of_source = gap.reported.and_then(|known| reported.interval_around(known.between.to));
        if let Some(interval) = of_source.map(|interval| interval.min(LONGEST)) {
            // The sender may repeat pictures, so frames here may come more often than the source has any.
            let usual = usual.max(interval);
            let normal = if usual > interval * 5 / 4 { interval } else { usual };
            return Intervals { usual, normal, of_source: Some(interval) };
        }
        let source =
            self.source.around(gap, after).filter(|source| !self.has_no_rate && usual > *source * 5 / 4);
        Intervals { usual, normal: source.unwrap_or(usual), of_source: None }
    }
}

/// The times between two frames around a gap.
#[derive(Debug, Clone, Copy)]
struct Intervals {
    /// By the frames that were shown here.
    usual: Duration,
    /// With which the gap is compared.
    normal: Duration,
    /// By the frames that the source's page reported.
    of_source: Option<Duration>,
}

/// The length of the gap minus the normal time for its number of frames.
fn excess(gap: &Gap, normal: Duration) -> Duration {
    gap.length().saturating_sub(normal * gap.frames)
}

/// How much longer than due the source showed nothing new in the gap, if that is a stall. If the first frame was shown late, as after
/// a cut, the display stood still for less time than the source.
fn stood(gap: &Gap, of_source: Option<Duration>) -> Option<Duration> {
    let stood = gap.reported?.between.stood.filter(|stood| *stood <= gap.length() + PLACED_WITHIN)?;
    let stood = stood.saturating_sub(of_source?);
    (stood >= shortest(of_source?)).then_some(stood)
}

fn stalls(
    gap: &Gap,
    normal: Duration,
    of_source: Option<Duration>,
    marks: &Marks,
) -> Vec<(Timestamp, Timestamp)> {
    let excess = excess(gap, normal);
    let due = gap.to - excess;
    let mut parts = match &gap.reported {
        _ if excess < shortest(normal) => Vec::new(),
        Some(reported) => marks.undeclared(due, gap.to, reported.declared),
        None => marks.uncovered(due, gap.to),
    };
    parts.retain(|(from, to)| *to - *from >= shortest(normal));
    // With frames on time, the display cannot stand still for less time than the source. Frames near the beginning of a standstill
    // count as new, so the source's clock is the better one.
    if let (Some(reported), Some(stood)) = (&gap.reported, stood(gap, of_source)) {
        let to = reported.declared.map_or(gap.to, |(declared_from, _)| declared_from);
        let from = to - stood;
        let is_longer = parts.iter().all(|(from, to)| *to - *from < stood);
        if is_longer && marks.undeclared(from, to, None) == [(from, to)] {
            parts.retain(|part| part.1 <= from || to <= part.0);
            parts.push((from, to));
            short_list::sort(&mut parts);
        }
    }
    parts
}
