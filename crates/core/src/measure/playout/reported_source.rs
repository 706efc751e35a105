//! The frames of a member's video file as its own page reports them, and the place of each frame that is shown here among them.
//!
//! Without stamps the picture of a frame is unknown. A frame is placed by the time at which it was captured, which is wrong by up to
//! [`UNCERTAIN`]. So this module never decides which picture a frame shows; it knows only that a frame well within a standstill of
//! the source repeats the last one.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    control::Playback,
    telemetry::{MAX_SOURCE_BREAKS, MAX_SOURCE_FRAMES, PageTime, SourceFrames},
};

use super::{
    interval::{AFTER, typical},
    interval::{JUDGED_AFTER, shortest},
    marks::MarkKind,
};
use crate::{
    Timestamp,
    measure::{
        clock::ClockEstimate,
        frame::{ShownFrame, rtp_step_us},
    },
};

/// Maximum error of the time at which a frame was captured, by its RTP timestamp and the shortest transit.
const UNCERTAIN: Duration = Duration::from_millis(80);
/// From composing a frame at the sender until it was captured and encoded, at least.
const CAPTURING: Duration = Duration::from_millis(15);
/// Most time between two frames of a browser that captures at an even rate and so repeats a picture that stands still (Chromium).
const REPEATED_WITHIN: Duration = Duration::from_millis(100);
/// A frame of such a browser was captured at most this much later than estimated.
const PROMPT: Duration = Duration::from_millis(20);
/// Time from the arrival of a frame to its display if the browser does not report the arrival.
const BUFFERED: Duration = Duration::from_millis(50);
/// Number of frames that determine the shortest transit.
const TRANSITS: usize = 300;
/// Longest time for which a frame waits for the message about its time.
const MAX_WAIT: Duration = Duration::from_millis(3500);
/// Time without messages after which none is awaited. They are sent once a second.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// Longest time that a message may cover.
const LONGEST_MESSAGE: Duration = Duration::from_secs(10);
/// A message farther from the present, by the estimated clock, is ignored.
const FAR: Duration = Duration::from_secs(15);
/// Time for which frames and breaks are kept.
const KEPT: Duration = Duration::from_secs(60);
const MAX_FRAMES: usize = 60 * 130;
const MAX_SPANS: usize = 100;
/// Number of steps before a time that determine the usual one.
const BEFORE: usize = 30;
/// The time between two frames while nothing is known.
const UNKNOWN: Duration = Duration::from_micros(33_333);
/// Two times that differ by less are the same: messages have times in milliseconds.
const SAME: Duration = Duration::from_millis(2);

/// A time without due frames, on the source's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Break {
    pub(super) kind: MarkKind,
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
}

/// What the source did between two frames that were shown here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Between {
    /// When the two frames were captured, on the source's clock.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Number of frames that the source showed between them.
    pub(super) frames: u32,
    /// The longest time in which the source showed nothing new although frames were due.
    pub(super) stood: Option<Duration>,
    /// When no frame was due, on the source's clock.
    pub(super) declared: Option<(Timestamp, Timestamp)>,
}

/// The frames of a member's file, on the clock of its page.
#[derive(Debug, Clone, Default)]
pub(super) struct ReportedSource {
    frames: VecDeque<Timestamp>,
    breaks: VecDeque<Break>,
    /// The times in which the list of frames is complete, in order.
    covered: VecDeque<(Timestamp, Timestamp)>,
    clock: Option<ClockEstimate>,
    /// When the last message came, or one was first to be expected.
    heard_at: Option<Timestamp>,
    capture: CaptureClock,
}

/// Estimates when a frame was captured.
#[derive(Debug, Clone, Default)]
struct CaptureClock {
    /// The last RTP timestamp, unwrapped, in microseconds, and when its frame was shown.
    last: Option<(u32, i64, Timestamp)>,
    /// For each of the last frames, the arrival on the source's clock minus the RTP time.
    offsets_us: VecDeque<i64>,
}

impl ReportedSource {
    /// Takes a message, and the estimate of the source's clock. Returns false for an impossible message, which is ignored.
    pub(super) fn handle(
        &mut self,
        message: &SourceFrames,
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) -> bool {
        let (Some(clock), Some(parsed)) = (clock, Parsed::new(message)) else { return false };
        let there = clock.theirs(now);
        if parsed.to > there + FAR || there > parsed.to + FAR {
            return false;
        }
        // The page was loaded again, so its clock started again.
        if self.covered.back().is_some_and(|(_, last)| *last > parsed.to + KEPT) {
            *self = Self::default();
        }
        self.clock = Some(clock);
        self.heard_at = Some(now);
        let Parsed { from, to, frames, breaks } = parsed;
        let begin = self.frames.partition_point(|at| *at < from);
        let end = self.frames.partition_point(|at| *at <= to);
        let after = self.frames.split_off(end);
        self.frames.truncate(begin);
        self.frames.extend(frames);
        self.frames.extend(after);
        self.cover(from, to);
        // An open break that this message does not continue ended in a time that no message covered.
        let continues =
            |known: &Break| breaks.iter().any(|new| new.kind == known.kind && new.from <= from + SAME);
        for known in self.breaks.iter_mut().filter(|known| known.to.is_none() && known.from < from) {
            known.to = (!continues(known)).then_some(from);
        }
        breaks.into_iter().for_each(|new| self.take_break(new));
        self.forget();
        true
    }

    /// Notes that a file is the source from now on, so messages are expected.
    pub(super) fn expect(&mut self, now: Timestamp) {
        self.heard_at = Some(now);
    }

    /// Whether the message about a frame that was shown at `shown_at` may still come.
    pub(super) fn is_awaited(&self, shown_at: Timestamp, now: Timestamp) -> bool {
        now - shown_at < MAX_WAIT && self.heard_at.is_some_and(|heard_at| now - heard_at < SILENT_AFTER)
    }

    /// Takes a frame in the order of display. Returns its RTP time, which [`Self::captured`] needs.
    pub(super) fn handle_shown(&mut self, frame: &ShownFrame) -> Option<i64> {
        self.capture.handle_shown(frame, self.clock)
    }

    /// When a frame was captured, on the source's clock; `None` without a clock.
    pub(super) fn captured(&self, frame: &ShownFrame, rtp_us: Option<i64>) -> Option<Timestamp> {
        let clock = self.clock?;
        let transit = clock.error.min(UNCERTAIN) + CAPTURING;
        let shortest = rtp_us.zip(self.capture.offsets_us.iter().min().copied());
        let arrived = match shortest {
            Some((rtp_us, offset_us)) => u64::try_from(rtp_us.saturating_add(offset_us)).ok().map(micros)?,
            None => clock.theirs(arrival(frame)),
        };
        Some(arrived - transit)
    }

    /// Whether everything that decides about a frame captured at this time is known.
    pub(super) fn covers(&self, captured: Timestamp) -> bool {
        self.span(captured).is_some_and(|(_, to)| captured + UNCERTAIN <= to)
    }

    /// Whether it is known what followed in the two seconds after a time.
    pub(super) fn covers_after(&self, captured: Timestamp) -> bool {
        self.span(captured).is_some_and(|(_, to)| captured + JUDGED_AFTER <= to)
    }

    /// Whether a frame captured at this time repeats the picture of the one before: it is well within a standstill, or anywhere in it if
    /// the browser repeats pictures evenly.
    pub(super) fn is_repeat(&self, captured: Timestamp, repetitions: &Repetitions) -> bool {
        let Some((covered_from, covered_to)) = self.span(captured) else { return false };
        let at = self.frames.partition_point(|frame| *frame <= captured);
        let Some(from) = at.checked_sub(1).and_then(|at| self.frames.get(at)).copied() else { return false };
        let to =
            self.frames.get(at).copied().filter(|to| *to <= covered_to).unwrap_or(covered_to + UNCERTAIN);
        let usual = self.usual_before(at - 1).unwrap_or(UNKNOWN);
        let margin = if repetitions.are_even_at(captured) { PROMPT } else { UNCERTAIN };
        from >= covered_from
            && to - from >= usual + shortest(usual)
            && from + UNCERTAIN <= captured
            && captured + margin <= to
    }

    /// Whether the picture of a frame captured at `captured` is newer for sure than that of one captured at `last`. If the frames between
    /// them were lost, a repetition is the first to show it.
    pub(super) fn is_newer(&self, last: Timestamp, captured: Timestamp) -> bool {
        let at = self.frames.partition_point(|frame| *frame <= captured);
        at.checked_sub(1).and_then(|at| self.frames.get(at)).is_some_and(|shown| last + UNCERTAIN <= *shown)
    }

    /// The time between two frames of the source around a time: the greater of the typical values before and after it.
    pub(super) fn interval_around(&self, captured: Timestamp) -> Option<Duration> {
        self.span(captured)?;
        let at = self.frames.partition_point(|frame| *frame <= captured);
        let last = self.frames.iter().skip(at).take_while(|frame| **frame - captured <= JUDGED_AFTER).count();
        let after = typical(self.steps(at, at + last).take(AFTER));
        self.usual_before(at.saturating_sub(1)).max(after)
    }

    /// What the source did between two captured frames; `None` if not all of it is known.
    pub(super) fn between(&self, from: Timestamp, to: Timestamp) -> Option<Between> {
        let (_, covered_to) = self.span(from)?;
        if covered_to < to {
            return None;
        }
        let begin = self.frames.partition_point(|frame| *frame <= from);
        let end = self.frames.partition_point(|frame| *frame <= to);
        let declared = self.breaks.iter().filter(|known| self.overlap(known, from, to).is_some());
        let declared = declared.fold(None, |hull: Option<(Timestamp, Timestamp)>, known| {
            let known = (known.from, known.to.unwrap_or(covered_to));
            Some(hull.map_or(known, |hull| (hull.0.min(known.0), hull.1.max(known.1))))
        });
        // A standstill belongs to the frames around its middle. If its picture was first shown here when it had stood for a while,
        // only the rest belongs to it. If it goes on for long, the second of the two frames shows it for the first time.
        let first = begin.saturating_sub(1);
        let stood = (first..=end)
            .filter_map(|at| {
                let (a, b) = (*self.frames.get(at)?, *self.frames.get(at + 1)?);
                let seen_from = if a + UNCERTAIN < from { from } else { a };
                let middle = seen_from + (b - seen_from) / 2;
                let (covered_from, covered_to) = self.span(a)?;
                let is_between = from < middle && middle <= to && b <= to + UNCERTAIN;
                (is_between && covered_from <= a && b <= covered_to)
                    .then(|| (b - seen_from).saturating_sub(self.declared_within(seen_from, b)))
            })
            .max();
        let frames = u32::try_from(end.saturating_sub(begin)).unwrap_or(u32::MAX);
        Some(Between { from, to, frames, stood, declared })
    }

    /// The breaks, oldest first.
    pub(super) fn breaks(&self) -> impl Iterator<Item = &Break> {
        self.breaks.iter()
    }

    fn declared_within(&self, from: Timestamp, to: Timestamp) -> Duration {
        let parts = self.breaks.iter().filter_map(|known| self.overlap(known, from, to));
        parts.map(|(from, to)| to - from).sum()
    }

    fn overlap(&self, known: &Break, from: Timestamp, to: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let (from, to) = (known.from.max(from), known.to.map_or(to, |known_to| known_to.min(to)));
        (from < to).then_some((from, to))
    }

    fn usual_before(&self, at: usize) -> Option<Duration> {
        typical(self.steps(at.saturating_sub(BEFORE), at + 1))
    }

    /// The steps between the frames of a range, without those over a break or a time that is not covered.
    fn steps(&self, from: usize, to: usize) -> impl Iterator<Item = Duration> + '_ {
        let frames = self.frames.range(from.min(self.frames.len())..to.min(self.frames.len()));
        frames.clone().zip(frames.skip(1)).filter_map(|(a, b)| {
            let (_, covered_to) = self.span(*a)?;
            let is_declared = || self.breaks.iter().any(|known| self.overlap(known, *a, *b).is_some());
            (*b <= covered_to && !is_declared()).then(|| *b - *a)
        })
    }

    /// The covered time around a time.
    fn span(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        self.covered.iter().rev().find(|(from, to)| *from <= at && at <= *to).copied()
    }

    fn cover(&mut self, from: Timestamp, to: Timestamp) {
        let (mut from, mut to) = (from, to);
        self.covered.retain(|(known_from, known_to)| {
            let touches = *known_from <= to + SAME && from <= *known_to + SAME;
            if touches {
                from = from.min(*known_from);
                to = to.max(*known_to);
            }
            !touches
        });
        let at = self.covered.partition_point(|(known_from, _)| *known_from < from);
        self.covered.insert(at, (from, to));
    }

    fn take_break(&mut self, new: Break) {
        let touches = |known: &&mut Break| {
            known.kind == new.kind
                && known.from <= new.to.map_or(new.from, |to| to.max(new.from)) + SAME
                && known.to.is_none_or(|known_to| new.from <= known_to + SAME)
        };
        if let Some(known) = self.breaks.iter_mut().find(touches) {
            known.from = known.from.min(new.from);
            known.to = match (known.to, new.to) {
                (Some(known), Some(new)) => Some(known.max(new)),
                // Messages may arrive out of order: a known end stays.
                (known, new) => known.or(new),
            };
            return;
        }
        let at = self.breaks.partition_point(|known| known.from <= new.from);
        self.breaks.insert(at, new);
    }

    fn forget(&mut self) {
        let Some((_, last)) = self.covered.back().copied() else { return };
        let oldest = last - KEPT;
        let is_old = |at: Option<&Timestamp>| at.is_some_and(|at| *at < oldest);
        while is_old(self.frames.front()) || self.frames.len() > MAX_FRAMES {
            self.frames.pop_front();
        }
        while is_old(self.covered.front().map(|(_, to)| to)) || self.covered.len() > MAX_SPANS {
            self.covered.pop_front();
        }
        while is_old(self.breaks.front().and_then(|known| known.to.as_ref())) || self.breaks.len() > MAX_SPANS
        {
            self.breaks.pop_front();
        }
    }
}

/// The repetitions of pictures that were shown here.
#[derive(Debug, Clone, Default)]
pub(super) struct Repetitions {
    /// When the last one was captured, on the source's clock.
    last: Option<Timestamp>,
    /// Whether one followed another at once. A cut may then hide those right before the end of a standstill.
    were_even: bool,
}

impl Repetitions {
    pub(super) fn handle_repeated(&mut self, captured: Timestamp) {
        self.were_even |= self.follows(captured);
        self.last = Some(captured);
    }

    fn are_even_at(&self, captured: Timestamp) -> bool {
        self.were_even || self.follows(captured)
    }

    fn follows(&self, captured: Timestamp) -> bool {
        self.last.is_some_and(|last| captured - last <= REPEATED_WITHIN)
    }
}

impl CaptureClock {
    fn handle_shown(&mut self, frame: &ShownFrame, clock: Option<ClockEstimate>) -> Option<i64> {
        let ticks = frame.rtp_timestamp?;
        let rtp_us = match self.last {
            Some((last_ticks, last_us, last_shown_at)) => {
                let step_us = rtp_step_us(last_ticks, ticks);
                let passed_us =
                    i64::try_from((frame.shown_at - last_shown_at).as_micros()).unwrap_or(i64::MAX);
                // Another stream has another origin.
                if step_us.abs_diff(passed_us) > 5_000_000 {
                    self.offsets_us.clear();
                }
                last_us.saturating_add(step_us)
            }
            None => 0,
        };
        self.last = Some((ticks, rtp_us, frame.shown_at));
        if let Some(clock) = clock {
            let arrived = clock.theirs(arrival(frame));
            let arrived_us = i64::try_from(arrived.since_origin().as_micros()).unwrap_or(i64::MAX);
            self.offsets_us.push_back(arrived_us.saturating_sub(rtp_us));
            if self.offsets_us.len() > TRANSITS {
                self.offsets_us.pop_front();
            }
        }
        Some(rtp_us)
    }
}

/// A message with times on the source's clock.
struct Parsed {
    from: Timestamp,
    to: Timestamp,
    frames: Vec<Timestamp>,
    breaks: Vec<Break>,
}

impl Parsed {
    /// `None` for a message that is too long, and for times that are out of order or outside of the covered time.
    fn new(message: &SourceFrames) -> Option<Self> {
        let (from, to) = (page_time(message.from_us), page_time(message.to_us));
        let is_too_long = message.frames_ms.len() > MAX_SOURCE_FRAMES
            || message.breaks.len() > MAX_SOURCE_BREAKS
            || to - from > LONGEST_MESSAGE;
        if to <= from || is_too_long {
            return None;
        }
        let mut at = from;
        let mut frames = Vec::with_capacity(message.frames_ms.len());
        for step in &message.frames_ms {
            at = at + Duration::from_millis(step.get());
            frames.push(at);
        }
        let breaks = message.breaks.iter().map(|entry| {
            let after = |ms: u64| from + Duration::from_millis(ms);
            let kind = match entry.kind {
                Playback::Paused => MarkKind::Paused,
                Playback::Seeking => MarkKind::Seeking,
                Playback::Ended => MarkKind::Ended,
                _ => return None,
            };
            let (begin, end) = (after(entry.from_ms.get()), entry.to_ms.map(|ms| after(ms.get())));
            (begin <= to && end.is_none_or(|end| begin <= end && end <= to)).then_some(Break {
                kind,
                from: begin,
                to: end,
            })
        });
        let breaks: Vec<_> = breaks.collect::<Option<_>>()?;
        let is_ordered = frames.iter().all(|at| *at <= to) && frames.is_sorted_by(|a, b| a <= b);
        is_ordered.then_some(Self { from, to, frames, breaks })
    }
}

/// When a frame arrived, on the local clock.
fn arrival(frame: &ShownFrame) -> Timestamp {
    frame.received_at.unwrap_or(frame.shown_at - BUFFERED)
}

fn page_time(time: PageTime) -> Timestamp {
    micros(time.get())
}

fn micros(us: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_micros(us))
}
