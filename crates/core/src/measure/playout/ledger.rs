//! The ledger of one member's stalls, and the evidence for their causes.
//!
//! A cause may change for [`CAUSE_SETTLES`] after its stall. The totals include the stalls that the list no longer keeps.

use std::{collections::VecDeque, time::Duration};

use super::{
    SenderInterval, Stall, StallCause, cause::Verdict, counters::Step, facts::Evidence, frame::Gap,
    transit::Transits,
};
use crate::{Timestamp, measure::frame::ShownFrame};

/// Maximum number of stalls in the ledger; the totals include all stalls.
pub const MAX_STALLS: usize = 2000;
/// Number of reports, and of the sender's intervals, that serve as evidence for causes: one comes each second.
const MAX_EVIDENCE: usize = 40;
/// Time after a stall in which its cause may still change, since the evidence arrives up to a second later.
const CAUSE_SETTLES: Duration = Duration::from_secs(5);

/// Times of which the last one may be open.
type Times = Vec<(Timestamp, Option<Timestamp>)>;

/// The stalls and their evidence.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    stalls: VecDeque<Kept>,
    pub(super) count: u32,
    pub(super) time: Duration,
    pub(super) longest: Duration,
    steps: Vec<Step>,
    sender: Vec<SenderInterval>,
    transits: Transits,
    /// Times in which this page had no time for its work.
    busy: Vec<(Timestamp, Timestamp)>,
    /// Times in which the connection was down.
    cuts: Times,
    /// Times in which the source had failed, by the sender's declaration.
    failures: Times,
}

/// A stall and the gap that contains it.
#[derive(Debug, Clone)]
struct Kept {
    stall: Stall,
    gap: Gap,
    normal: Duration,
    /// Whether the stall is dropped if its source had nothing to show.
    may_be_unchanged: bool,
}

impl Ledger {
    pub(super) fn handle_frame(&mut self, frame: &ShownFrame) {
        if !is_open(&self.failures) {
            self.transits.handle_frame(frame);
        }
    }

    pub(super) fn handle_step(&mut self, step: Step) {
        push_bounded(&mut self.steps, step);
    }

    pub(super) fn handle_sender(&mut self, interval: SenderInterval) {
        push_bounded(&mut self.sender, interval);
    }

    pub(super) fn handle_busy(&mut self, from: Timestamp, to: Timestamp) {
        push_bounded(&mut self.busy, (from, to));
    }

    pub(super) fn handle_connected(&mut self, is_connected: bool, at: Timestamp) {
        note_time(&mut self.cuts, !is_connected, at);
    }

    pub(super) fn handle_failed(&mut self, has_failed: bool, at: Timestamp) {
        note_time(&mut self.failures, has_failed, at);
    }

    /// Whether the source had failed at a time.
    pub(super) fn had_failed(&self, at: Timestamp) -> bool {
        self.failures.iter().any(|(from, to)| *from <= at && to.is_none_or(|to| at < to))
    }

    /// The steps between the last reports, oldest first.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The stalls, oldest first.
    pub(super) fn stalls(&self) -> impl DoubleEndedIterator<Item = Stall> + '_ {
        self.stalls.iter().map(|kept| kept.stall)
    }

    /// Adds a stall that has ended.
    pub(super) fn keep(
        &mut self,
        start: Timestamp,
        end: Timestamp,
        gap: Gap,
        normal: Duration,
        may_be_unchanged: bool,
    ) {
        let duration = end - start;
        self.count = self.count.saturating_add(1);
        self.time += duration;
        self.longest = self.longest.max(duration);
        let Verdict { cause, confidence } = self.verdict(start, end, Some(&gap), normal, may_be_unchanged);
        let stall = Stall { start, duration, cause, confidence };
        self.stalls.push_back(Kept { stall, gap, normal, may_be_unchanged });
        if self.stalls.len() > MAX_STALLS {
            self.stalls.pop_front();
        }
    }

    /// Judges the causes of the latest stalls again. Removes and returns the stalls whose screen turns out not to have changed.
    pub(super) fn update_causes(&mut self, now: Timestamp) -> Vec<Stall> {
        let is_unsettled = |kept: &&Kept| now - kept.stall.end() <= CAUSE_SETTLES;
        let unsettled = self.stalls.iter().rev().take_while(is_unsettled).count();
        for at in self.stalls.len() - unsettled..self.stalls.len() {
            let Kept { stall, gap, normal, may_be_unchanged } = &self.stalls[at];
            let verdict = self.verdict(stall.start, stall.end(), Some(gap), *normal, *may_be_unchanged);
            self.stalls[at].stall.cause = verdict.cause;
            self.stalls[at].stall.confidence = verdict.confidence;
        }
        let is_unchanged = |kept: &Kept| kept.may_be_unchanged && kept.stall.cause == StallCause::Source;
        let unchanged: Vec<_> =
            self.stalls.iter().filter(|kept| is_unchanged(kept)).map(|kept| kept.stall).collect();
        if !unchanged.is_empty() {
            self.stalls.retain(|kept| !is_unchanged(kept));
            self.count = self.count.saturating_sub(u32::try_from(unchanged.len()).unwrap_or(u32::MAX));
            self.time = self.time.saturating_sub(unchanged.iter().map(|stall| stall.duration).sum());
            self.longest = self.stalls().map(|stall| stall.duration).max().unwrap_or_default();
        }
        unchanged
    }

    /// The cause of a stall by the evidence so far. `gap` contains the stall; `None` while the stall lasts.
    pub(super) fn verdict(
        &self,
        start: Timestamp,
        end: Timestamp,
        gap: Option<&Gap>,
        normal: Duration,
        may_be_unchanged: bool,
    ) -> Verdict {
        let overlaps =
            |times: &Times| times.iter().any(|(from, to)| *from <= end && to.is_none_or(|to| start <= to));
        Evidence {
            start,
            end,
            gap,
            normal,
            steps: &self.steps,
            sender: &self.sender,
            transits: &self.transits,
            busy: &self.busy,
            has_source_failed: overlaps(&self.failures),
            was_disconnected: overlaps(&self.cuts),
            may_be_unchanged,
        }
        .verdict()
    }
}

/// Opens or closes a time in the list.
fn note_time(times: &mut Times, is_on: bool, at: Timestamp) {
    match (times.last_mut().filter(|(_, to)| to.is_none()), is_on) {
        (Some(open), false) => open.1 = Some(at),
        (None, true) => push_bounded(times, (at, None)),
        _ => {}
    }
}

fn is_open(times: &Times) -> bool {
    times.last().is_some_and(|(_, to)| to.is_none())
}

pub(super) fn push_bounded<T>(kept: &mut Vec<T>, value: T) {
    if kept.len() == MAX_EVIDENCE {
        kept.remove(0);
    }
    kept.push(value);
}
