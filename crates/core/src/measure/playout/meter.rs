//! The playout of one member's picture: puts frames, the source's reports, counters, marks and stalls together.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::telemetry::SourceFrames;

use super::{
    Declaration, GapHistogram, Mark, SenderInterval, Stall, StallCause,
    cause::Verdict,
    counters::Counters,
    frame::{Gap, ReportedGap},
    ledger::{Ledger, push_bounded},
    marks::Marks,
    reported_source::{Between, Repetitions, ReportedSource},
    stall::{Judged, StallDetector},
};
use crate::{
    Timestamp,
    measure::{
        clock::ClockEstimate,
        entry::StatsEntry,
        frame::ShownFrame,
        sound::{SentSound, SoundBurst, SoundMeter},
    },
};

/// Stamps whose numbers differ by more belong to two sources: a minute at 60 frames per second.
const SAME_SOURCE: u32 = 3600;
/// Two stamps that are further apart in time do not determine the rate.
const SAME_SOURCE_WITHIN: Duration = Duration::from_secs(60);
/// Assumed time between two frames while the normal one is unknown.
const UNKNOWN_INTERVAL: Duration = Duration::from_millis(33);
/// Maximum number of frames that wait for their source's report. Of more frames, the oldest are judged without a report.
const MAX_PENDING: usize = 1024;
/// Number of the source's frames that may be shown later than in their own gap, since the times of both are uneven.
const MAX_OWED: u32 = 1;

/// Measures how one member's picture is shown. The meter belongs to the session and outlives a rebuilt peer connection.
#[derive(Debug, Clone)]
pub struct PlayoutMeter {
    pub(super) expected_since: Timestamp,
    /// End of the measurement; later inputs are ignored.
    pub(super) finished: Option<Timestamp>,
    pub(super) first_shown: Option<Timestamp>,
    pub(super) last: Option<ShownFrame>,
    pub(super) presented: u32,
    /// Number of frames in judged gaps, except for the parts that marks cover.
    in_view: f64,
    /// Frames shown before this time do not count.
    counts_from: Timestamp,
    pub(super) has_callbacks: bool,
    /// Whether the source delivers a picture only when it changes.
    pub(super) shows_only_changes: bool,
    pub(super) detector: StallDetector,
    pub(super) marks: Marks,
    pub(super) gaps: GapHistogram,
    pub(super) ledger: Ledger,
    /// The frames of the source as its page reports them.
    pub(super) reported: ReportedSource,
    /// Frames that wait for the source's report about their time.
    pending: VecDeque<Pending>,
    /// When the last frame was captured, on the source's clock.
    last_captured: Option<Timestamp>,
    repetitions: Repetitions,
    /// Number of frames that the source reported and that were not shown yet.
    owed: u32,
    /// Number of frames that the source's page reported, the time of these, and how many of them were shown at most.
    pub(super) reported_frames: (f64, Duration),
    pub(super) reported_shown: f64,
    /// Number and total length of the stalls relative to the usual interval.
    pub(super) usual: (u32, Duration),
    /// Number of frames in the source's unmarked time, and that time: by stamps, and by the sender's counts.
    pub(super) stamped_source: (f64, Duration),
    pub(super) counted_source: (f64, Duration),
    /// The stamps of the next frame and of the frame before it.
    next_stamp: Option<(u32, Timestamp)>,
    last_stamp: Option<(u32, Timestamp)>,
    pub(super) counters: Counters,
    /// For each of the last reports, the number of frames in view up to then.
    pub(super) presented_at: Vec<(Timestamp, f64)>,
    pub(super) sound: SoundMeter,
}

/// A frame that waits for its source's report.
#[derive(Debug, Clone, Copy)]
struct Pending {
    frame: ShownFrame,
    stamp: Option<(u32, Timestamp)>,
    rtp_us: Option<i64>,
}

impl PlayoutMeter {
    /// A measurement of a picture that is expected from now on.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self::counting(false, now)
    }

    /// A measurement of a picture that has already been arriving: the counters in the first report are the base of the counts.
    #[must_use]
    pub fn within(now: Timestamp) -> Self {
        Self::counting(true, now)
    }

    fn counting(began_within: bool, now: Timestamp) -> Self {
        Self {
            expected_since: now,
            finished: None,
            first_shown: None,
            last: None,
            presented: 0,
            in_view: 0.0,
            counts_from: if began_within { now } else { Timestamp::ZERO },
            has_callbacks: false,
            shows_only_changes: false,
            detector: StallDetector::default(),
            marks: Marks::default(),
            gaps: GapHistogram::default(),
            ledger: Ledger::default(),
            reported: ReportedSource::default(),
            pending: VecDeque::new(),
            last_captured: None,
            repetitions: Repetitions::default(),
            owed: 0,
            reported_frames: (0.0, Duration::ZERO),
            reported_shown: 0.0,
            usual: (0, Duration::ZERO),
            stamped_source: (0.0, Duration::ZERO),
            counted_source: (0.0, Duration::ZERO),
            next_stamp: None,
            last_stamp: None,
            counters: Counters::new(began_within),
            presented_at: Vec::new(),
            sound: SoundMeter::new(began_within),
        }
    }

    /// Notes that the browser supports frame callbacks. Otherwise missing frames mean nothing.
    pub fn handle_callbacks_supported(&mut self) {
        self.has_callbacks = true;
    }

    /// Takes the number of the frame that the next [`Self::handle_frame`] is about, and the time at which it was painted, on
    /// the sender's clock.
    pub fn handle_stamp(&mut self, number: u32, painted_at: Timestamp) {
        self.next_stamp = Some((number, painted_at));
    }

    /// Takes the next frame that was shown. A frame that is not later than the last one is ignored.
    pub fn handle_frame(&mut self, frame: ShownFrame, now: Timestamp) {
        self.has_callbacks = true;
        let stamp = self.next_stamp.take();
        let is_later = self.pending.back().is_none_or(|last| last.frame.shown_at < frame.shown_at);
        if self.finished.is_some() || self.is_before(&frame) || !is_later {
            return;
        }
        self.ledger.handle_frame(&frame);
        let rtp_us = self.reported.handle_shown(&frame);
        self.first_shown.get_or_insert(frame.shown_at);
        self.pending.push_back(Pending { frame, stamp, rtp_us });
        self.take_frames(now, false);
        self.judge(now);
    }

    /// Notes that a video file is the source from now on. Its page may report its frames, so the first frames wait for that.
    pub fn handle_file(&mut self, now: Timestamp) {
        self.reported.expect(now);
    }

    /// Takes the member's report about the frames of its file, and the estimate of the member's clock. An impossible report is
    /// ignored.
    pub fn handle_source_frames(
        &mut self,
        message: &SourceFrames,
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) {
        if self.finished.is_none() && self.reported.handle(message, clock, now) {
            self.take_frames(now, false);
            self.judge(now);
        }
    }

    /// Takes the waiting frames for which the source's report has arrived; all of them if `is_last`.
    fn take_frames(&mut self, now: Timestamp, is_last: bool) {
        while let Some(front) = self.pending.front() {
            let captured = self.captured(front);
            let is_known = captured.is_some_and(|captured| self.reported.covers(captured));
            let may_wait = !is_last && self.pending.len() <= MAX_PENDING;
            if !is_known && may_wait && self.reported.is_awaited(front.frame.shown_at, now) {
                return;
            }
            let Some(front) = self.pending.pop_front() else { return };
            self.take_frame(front, captured.filter(|_| is_known));
        }
    }

    fn captured(&self, pending: &Pending) -> Option<Timestamp> {
        let painted = pending.stamp.map(|(_, painted_at)| painted_at);
        painted.or_else(|| self.reported.captured(&pending.frame, pending.rtp_us))
    }

    /// Takes a frame, and when it was captured if the source reported that time.
    fn take_frame(&mut self, Pending { frame, stamp, .. }: Pending, captured: Option<Timestamp>) {
        let has_failed = self.ledger.had_failed(frame.shown_at);
        let Some(last) = self.last.as_mut() else {
            self.presented = 1;
            (self.last, self.last_stamp, self.last_captured) = (Some(frame), stamp, captured);
            return;
        };
        // The last picture of a failed source is repeated for members that join, which does not end the stall. Browsers also repeat
        // it while a file stands still.
        let repeated = captured.filter(|captured| {
            let is_new = self.last_captured.is_some_and(|last| self.reported.is_newer(last, *captured));
            self.reported.is_repeat(*captured, &self.repetitions) && !is_new
        });
        if let Some(captured) = repeated {
            self.repetitions.handle_repeated(captured);
        }
        if has_failed || repeated.is_some() {
            let frames = frame.presented_frames.saturating_sub(last.presented_frames);
            last.presented_frames = frame.presented_frames;
            self.presented = self.presented.saturating_add(if has_failed { 0 } else { frames });
            return;
        }
        let Some(mut gap) = Gap::between(last, &frame) else { return };
        gap.source = source_step(self.last_stamp, stamp);
        gap.reported =
            self.last_captured.zip(captured).and_then(|(from, to)| self.reported_gap(&gap, from, to));
        self.presented = self.presented.saturating_add(gap.frames);
        self.detector.handle_gap(gap);
        (self.last, self.last_stamp, self.last_captured) = (Some(frame), stamp, captured);
    }

    /// What the source reported about the time between two captured frames.
    fn reported_gap(&mut self, gap: &Gap, from: Timestamp, to: Timestamp) -> Option<ReportedGap> {
        let between = self.reported.between(from, to)?;
        let available = self.owed.saturating_add(between.frames);
        let shown = gap.frames.min(available);
        self.owed = (available - shown).min(MAX_OWED);
        let here = |at: Timestamp| (gap.from + (at - from)).min(gap.to);
        for known in self.reported.breaks().filter(|known| known.from < to) {
            if let Some(end) = known.to.filter(|end| from < *end) {
                self.marks.handle_exact(known.kind, here(known.from), here(end));
            }
        }
        let declared = between.declared.map(|(from, to)| (here(from), here(to)));
        Some(ReportedGap { between, shown, declared })
    }

    /// Whether a frame was shown before the measurement began.
    #[must_use]
    pub fn is_before(&self, frame: &ShownFrame) -> bool {
        frame.shown_at < self.counts_from
    }

    /// Takes the next stats report.
    pub fn handle_report(&mut self, entries: &[StatsEntry], now: Timestamp) {
        if self.finished.is_some() {
            return;
        }
        if let Some(step) = self.counters.handle_report(entries, now) {
            self.ledger.handle_step(step);
        }
        self.sound.handle_report(entries, now);
        let shown = self.frames_in_view();
        push_bounded(&mut self.presented_at, (now, shown));
        self.take_frames(now, false);
        self.judge(now);
        self.update_causes(now);
    }

    /// Takes the sender's declaration about its main source, and the time of the declaration.
    pub fn handle_declaration(&mut self, declaration: Declaration, at: Timestamp) {
        if declaration == Declaration::Playing && self.first_shown.is_none() {
            // Nothing was expected before there was a source.
            if self.marks.covers(at) {
                self.expected_since = at;
            }
        }
        self.marks.handle_declaration(declaration, at);
        self.ledger.handle_failed(declaration == Declaration::Failed, at);
    }

    /// Takes whether the sender declares that it sends sound.
    pub fn handle_sound_declared(&mut self, is_sent: bool, at: Timestamp) {
        self.sound.handle_declared(is_sent, at);
    }

    /// Takes whether the source delivers a picture only when it changes, as a screen does. If so, a still picture is no stall
    /// while the source delivered nothing.
    pub fn handle_shows_only_changes(&mut self, shows_only_changes: bool) {
        self.shows_only_changes = shows_only_changes;
        self.detector.has_no_rate = shows_only_changes;
    }

    /// Takes whether this page is visible.
    pub fn handle_visibility(&mut self, is_visible: bool, at: Timestamp) {
        self.marks.handle_visibility(is_visible, at);
    }

    /// Takes whether the connection is up.
    pub fn handle_connected(&mut self, is_connected: bool, at: Timestamp) {
        self.ledger.handle_connected(is_connected, at);
        self.sound.handle_connected(is_connected, at);
    }

    /// Takes a time in which this page had no time for its work.
    pub fn handle_busy(&mut self, from: Timestamp, to: Timestamp) {
        self.ledger.handle_busy(from, to);
    }

    /// Takes the sender's report about itself.
    pub fn handle_sender(&mut self, interval: SenderInterval, now: Timestamp) {
        self.ledger.handle_sender(interval);
        self.detector.source.handle_sender(&interval);
        if let Some(frames) = interval.source_frames.filter(|_| self.is_in_view(interval.from, interval.to)) {
            add(&mut self.counted_source, frames, interval.to - interval.from);
        }
        if let Some(packets) = interval.sound_packets {
            self.sound.handle_sent(SentSound { from: interval.from, to: interval.to, packets });
        }
        self.update_causes(now);
    }

    /// Ends the measurement: waiting gaps are judged, and later inputs are ignored.
    pub fn finish(&mut self, now: Timestamp) {
        self.take_frames(now, true);
        while let Some(judged) = self.detector.poll_rest(&self.marks, &self.reported) {
            self.take(&judged);
        }
        for (start, end) in self.running(now) {
            let Some(last) = self.last else { break };
            let gap = Gap::silence(last.shown_at, now);
            let normal = gap.length().saturating_sub(end - start);
            self.ledger.keep(start, end, gap, normal, self.shows_only_changes);
        }
        self.update_causes(now);
        self.finished = Some(now);
    }

    /// The stalls, oldest first; the last one may not have ended.
    #[must_use]
    pub fn stalls(&self, now: Timestamp) -> Vec<Stall> {
        let mut stalls: Vec<_> = self.ledger.stalls().collect();
        for (start, end) in self.running(now) {
            let Verdict { cause, confidence } = self.running_verdict(start, end);
            stalls.push(Stall { start, duration: end - start, cause, confidence });
        }
        stalls
    }

    /// The bursts of concealed sound, oldest first.
    pub fn sound_bursts(&self) -> impl Iterator<Item = SoundBurst> + '_ {
        self.sound.bursts()
    }

    /// The marks, oldest first.
    pub fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter()
    }

    /// Whether there was a stats report with a picture in it.
    #[must_use]
    pub fn has_report(&self) -> bool {
        self.counters.has_report()
    }

    /// The time at which the first frame was shown.
    #[must_use]
    pub fn first_shown(&self) -> Option<Timestamp> {
        self.first_shown
    }

    /// The cause of a stall that has not ended.
    fn running_verdict(&self, start: Timestamp, end: Timestamp) -> Verdict {
        self.ledger.verdict(start, end, None, UNKNOWN_INTERVAL, self.shows_only_changes)
    }

    /// Updates the causes of the latest stalls. A stall whose screen turns out not to have changed becomes a mark.
    fn update_causes(&mut self, now: Timestamp) {
        for stall in self.ledger.update_causes(now) {
            self.usual = (self.usual.0.saturating_sub(1), self.usual.1.saturating_sub(stall.duration));
            self.marks.handle_unchanged(stall.start, stall.end());
        }
    }

    fn judge(&mut self, now: Timestamp) {
        while let Some(judged) = self.detector.poll_judged(&self.marks, &self.reported, now) {
            self.take(&judged);
        }
    }

    fn take(&mut self, judged: &Judged) {
        let Judged { gap, normal, stalls, usual_stalls } = judged;
        self.usual.0 = self.usual.0.saturating_add(u32::try_from(usual_stalls.len()).unwrap_or(u32::MAX));
        self.usual.1 += usual_stalls.iter().map(|(from, to)| *to - *from).sum();
        if let Some((frames, time)) = gap.source.filter(|_| self.is_in_view(gap.from, gap.to)) {
            add(&mut self.stamped_source, frames, time);
        }
        if let Some(reported) = &gap.reported {
            let Between { from, to, frames, declared, .. } = reported.between;
            let overlap = declared.map_or(Duration::ZERO, |(begin, end)| end.min(to) - begin.max(from));
            add(&mut self.reported_frames, frames, (to - from).saturating_sub(overlap));
            self.reported_shown += f64::from(gap.new_frames());
        }
        self.in_view += self.in_view_of(gap);
        let is_marked = stalls.is_empty() && self.marks.covers(gap.from) && gap.length() > *normal * 4;
        if !is_marked {
            self.gaps.handle_gap(gap.interval(), gap.frames);
        }
        for (start, end) in stalls {
            self.ledger.keep(*start, *end, *gap, *normal, self.shows_only_changes);
        }
    }

    /// Number of frames after the first that were shown while no mark covered them.
    pub(super) fn frames_in_view(&self) -> f64 {
        let waiting = self.detector.waiting().map(|gap| self.in_view_of(gap)).sum::<f64>();
        self.in_view + waiting + self.pending_gap().map_or(0.0, |gap| self.in_view_of(&gap))
    }

    /// Number of frames that were shown, those that wait included.
    pub(super) fn frames_presented(&self) -> u32 {
        self.presented.saturating_add(self.pending_gap().map_or(0, |gap| gap.frames))
    }

    /// The frames that wait, as one gap.
    fn pending_gap(&self) -> Option<Gap> {
        Gap::between(self.last.as_ref()?, &self.pending.back()?.frame)
    }

    /// The part of a gap's frames that was in view: a hidden page learns their number only afterwards.
    fn in_view_of(&self, gap: &Gap) -> f64 {
        let share = self.unmarked(gap.from, gap.to).as_secs_f64() / gap.length().as_secs_f64();
        // If the source reported its frames only at other times, no more frames are new than it usually has.
        let (frames, time) = self.reported_frames;
        let most = gap.reported.is_none().then(|| gap.length().as_secs_f64() * frames / time.as_secs_f64());
        let most = most.filter(|most| *most > 0.0);
        let shown = f64::from(gap.new_frames()).min(most.unwrap_or(f64::INFINITY));
        (shown * share).max(shown.min(1.0))
    }

    /// Whether the whole time is after the first frame and covered by no mark.
    fn is_in_view(&self, from: Timestamp, to: Timestamp) -> bool {
        self.first_shown.is_some_and(|first| first <= from) && self.unmarked(from, to) == to - from
    }

    /// The stalls in the present silence.
    pub(super) fn running(&self, now: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        match &self.last {
            Some(last) if last.shown_at < now && self.finished.is_none() => {
                // A frame that waits may have ended the silence.
                let until = self.pending.front().map_or(now, |next| next.frame.shown_at);
                let mut running = self.detector.running(last.shown_at, &self.marks, &self.reported, until);
                // Without evidence, the screen has probably not changed.
                let is_unchanged = |cause| matches!(cause, StallCause::Source | StallCause::Unknown);
                running.retain(|(start, end)| {
                    !(self.shows_only_changes && is_unchanged(self.running_verdict(*start, *end).cause))
                });
                running
            }
            _ => Vec::new(),
        }
    }
}

/// Number of frames that the source painted between two stamps, and the time that this took; `None` if the stamps are from
/// different sources.
fn source_step(before: Option<(u32, Timestamp)>, after: Option<(u32, Timestamp)>) -> Option<(u32, Duration)> {
    let ((before, from), (after, to)) = before.zip(after)?;
    let frames = after.checked_sub(before).filter(|frames| (1..SAME_SOURCE).contains(frames))?;
    (from < to && to - from <= SAME_SOURCE_WITHIN).then(|| (frames, to - from))
}

fn add(sum: &mut (f64, Duration), frames: u32, time: Duration) {
    *sum = (sum.0 + f64::from(frames), sum.1.saturating_add(time));
}
