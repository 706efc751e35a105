//! The measurements of one member's sound: counters, bursts and causes together.

use std::{collections::VecDeque, time::Duration};

use super::{
    SoundBurst, SoundSummary,
    burst::{Kept, MAX_BURSTS},
    counters::{Counters, Step},
};
use crate::{Timestamp, measure::entry::StatsEntry};

/// Number of reports, and of the sender's intervals, that serve as evidence for causes: one comes each second.
const MAX_EVIDENCE: usize = 40;
/// Time after a burst in which its cause may still change, since the evidence arrives up to a second later.
const CAUSE_SETTLES: Duration = Duration::from_secs(5);

/// Number of sound packets that the sender sent between two of its reports, on the local clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentSound {
    /// Start of the interval.
    pub from: Timestamp,
    /// End of the interval.
    pub to: Timestamp,
    /// Number of packets that were sent.
    pub packets: u32,
}

/// Measures how one member's sound arrives. The meter belongs to the session and outlives a rebuilt peer connection.
#[derive(Debug, Clone)]
pub struct SoundMeter {
    counters: Counters,
    steps: VecDeque<Step>,
    sent: VecDeque<SentSound>,
    bursts: VecDeque<Kept>,
    burst_count: u32,
    /// Number of audible concealed samples and of all samples, while sound was expected.
    expected: Option<(f64, f64)>,
    /// Times in which the member declared that it sends no sound; the last one may be open.
    silences: VecDeque<(Timestamp, Option<Timestamp>)>,
    /// Times in which the connection was down; the last one may be open.
    cuts: VecDeque<(Timestamp, Option<Timestamp>)>,
}

impl SoundMeter {
    /// A meter for sound that starts now, or that may have been arriving (`began_within`). In the latter case the first report
    /// is the base of the counts.
    #[must_use]
    pub fn new(began_within: bool) -> Self {
        Self {
            counters: Counters::new(began_within),
            steps: VecDeque::new(),
            sent: VecDeque::new(),
            bursts: VecDeque::new(),
            burst_count: 0,
            expected: None,
            silences: VecDeque::new(),
            cuts: VecDeque::new(),
        }
    }

    /// Takes the next stats report.
    pub fn handle_report(&mut self, entries: &[StatsEntry], now: Timestamp) {
        let Some(step) = self.counters.handle_report(entries, now) else { return };
        push_bounded(&mut self.steps, step);
        let is_declared = is_within(&self.silences, step.from, step.to);
        if let Some((concealed, samples)) = step.audible().zip(step.samples).filter(|_| !is_declared) {
            let (all_concealed, all) = self.expected.unwrap_or_default();
            self.expected = Some((all_concealed + concealed.min(samples), all + samples));
        }
        if let Some(next) = Kept::of(&step, is_declared)
            && !self.bursts.back_mut().is_some_and(|last| last.extend(&next))
        {
            self.burst_count = self.burst_count.saturating_add(1);
            self.bursts.push_back(next);
            if self.bursts.len() > MAX_BURSTS {
                self.bursts.pop_front();
            }
        }
        self.update_causes();
    }

    /// Takes whether the member declares that it sends sound.
    pub fn handle_declared(&mut self, is_sent: bool, at: Timestamp) {
        note_time(&mut self.silences, !is_sent, at);
    }

    /// Takes whether the connection is up.
    pub fn handle_connected(&mut self, is_connected: bool, at: Timestamp) {
        note_time(&mut self.cuts, !is_connected, at);
    }

    /// Takes the sender's report about its sound.
    pub fn handle_sent(&mut self, sent: SentSound) {
        if sent.from < sent.to {
            push_bounded(&mut self.sent, sent);
            self.update_causes();
        }
    }

    /// The bursts, oldest first.
    pub fn bursts(&self) -> impl Iterator<Item = SoundBurst> + '_ {
        self.bursts.iter().map(Kept::burst)
    }

    /// The totals of the sound so far.
    #[must_use]
    pub fn summary(&self) -> SoundSummary {
        let totals = &self.counters.totals;
        let last = self.steps.back();
        let of_whole = |(part, whole): (f64, f64)| (whole > 0.0).then(|| part / whole);
        SoundSummary {
            samples_received: totals.samples,
            concealed_samples: totals.concealed,
            silent_concealed_samples: totals.silent,
            concealment_events: totals.events,
            inserted_samples: totals.inserted,
            removed_samples: totals.removed,
            concealed_ratio: self.expected.and_then(of_whole),
            recent_concealed_ratio: last.and_then(|step| self.expected_part(step)).and_then(of_whole),
            jitter_buffer_delay_s: totals.buffer_s.zip(totals.emitted).and_then(of_whole),
            recent_jitter_buffer_delay_s: last.and_then(Step::buffer_delay_s),
            burst_count: totals.concealed.and(totals.samples).map(|_| self.burst_count),
        }
    }

    /// Audible concealed samples since `from` divided by the expected ones; covers the last reports only.
    #[must_use]
    pub fn concealed_ratio_since(&self, from: Timestamp) -> Option<f64> {
        let parts =
            self.steps.iter().filter(|step| step.to > from).filter_map(|step| self.expected_part(step));
        let sums = parts.reduce(|(a, b), (concealed, samples)| (a + concealed, b + samples));
        sums.filter(|(_, samples)| *samples > 0.0).map(|(concealed, samples)| concealed / samples)
    }

    /// Number of audible concealed samples and of all samples; `None` if the browser does not report them, or no sound was
    /// expected.
    fn expected_part(&self, step: &Step) -> Option<(f64, f64)> {
        let part = step.audible().zip(step.samples);
        let part = part.filter(|_| !is_within(&self.silences, step.from, step.to));
        part.map(|(concealed, samples)| (concealed.min(samples), samples))
    }

    fn update_causes(&mut self) {
        let Some(latest) = self.steps.back().map(|step| step.to) else { return };
        let (steps, sent) = (self.steps.make_contiguous(), self.sent.make_contiguous());
        for burst in self.bursts.iter_mut().rev().take_while(|burst| latest - burst.end <= CAUSE_SETTLES) {
            burst.update_cause(steps, sent, is_within(&self.cuts, burst.start, burst.end));
        }
    }
}

/// Opens or closes a time in the list.
fn note_time(times: &mut VecDeque<(Timestamp, Option<Timestamp>)>, is_on: bool, at: Timestamp) {
    match (times.back_mut().filter(|(_, to)| to.is_none()), is_on) {
        (Some(open), false) => open.1 = Some(at),
        (None, true) => push_bounded(times, (at, None)),
        _ => {}
    }
}

/// Whether any time in the list overlaps the given one.
fn is_within(times: &VecDeque<(Timestamp, Option<Timestamp>)>, from: Timestamp, to: Timestamp) -> bool {
    times.iter().any(|(begin, end)| *begin <= to && end.is_none_or(|end| from <= end))
}

fn push_bounded<T>(kept: &mut VecDeque<T>, value: T) {
    if kept.len() == MAX_EVIDENCE {
        kept.pop_front();
    }
    kept.push_back(value);
}
