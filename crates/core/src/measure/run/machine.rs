//! Decides when a run begins and ends, and informs the other members.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use sightline_protocol::{MemberId, RunId, control::ControlMessage, telemetry::PageTime};

use super::{
    Recorder,
    log_parts::{Parts, split},
    peer_run::{Part, PeerRun},
    recorder::seconds,
};
use crate::{
    Timestamp,
    measure::{
        clock::ClockEstimate,
        report::{
            AbsenceEntry, AbsenceReason, Clock, EndReason, FORMAT, LONGEST_S, MAX_SIDES, Party, Report, Side,
            VERSION, plain, rounded,
        },
    },
};

/// Maximum number of members that a run records: each has two sides in the report.
const MAX_RECORDERS: usize = MAX_SIDES / 2;
/// Maximum number of simultaneous runs of other members that this page takes part in.
const MAX_PEER_RUNS: usize = 16;
/// Maximum total size of the logs of others in bytes, so that the report can still be opened.
const MAX_LOG_BYTES: usize = 32 * 1024 * 1024;
/// Maximum time that a run waits for its first frame, and maximum length of a run.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// What happens this shortly before the limit of a run does not end it: on another page, the limit of a run in the same call may have
/// come first.
const NEAR_LIMIT: Duration = Duration::from_secs(2);
/// A participant shows the first frame at most this long before its message arrives.
const BEGAN_WITHIN: Duration = Duration::from_secs(5);
/// A log whose first row is later than this after the run's beginning lacks the time before.
const LATE_S: f64 = 2.5;
/// Number of past runs whose late messages are recognized.
const MAX_PAST: usize = 16;

/// The state of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RunState {
    /// There is no run.
    #[default]
    Idle,
    /// The run was started, and begins with the first frame.
    Waiting,
    /// The run is in progress.
    Running,
    /// The run ended, and its report is available.
    Ended,
}

/// An action that the run requests.
#[derive(Debug, Clone, PartialEq)]
pub enum RunOutput {
    /// Send a message on the `control` channel to a member.
    Send(MemberId, ControlMessage),
    /// [`Run::state`] or [`Run::report`] changed.
    Changed,
}

/// The run of this page, at most one at a time, and its part in the runs of other members.
///
/// The two are independent: no message of another member begins, ends or names this page's own run. A peer may only report the
/// first frame of a run that this page started, and its measurements in that run.
#[derive(Debug, Default)]
pub struct Run {
    state: RunState,
    id: Option<RunId>,
    past: VecDeque<RunId>,
    limit: Option<Duration>,
    /// The time at which the run was started.
    asked: Option<Timestamp>,
    recorders: BTreeMap<MemberId, Recorder>,
    parts: BTreeMap<MemberId, Parts>,
    logs: BTreeMap<MemberId, ReceivedLog>,
    /// The time at which the first frame was shown here, or was reported by another member.
    first: Option<Timestamp>,
    ended: Option<(Timestamp, EndReason)>,
    /// The reporter: this page.
    local: Party,
    room: String,
    others: BTreeMap<MemberId, PeerRun>,
    outputs: VecDeque<RunOutput>,
}

/// The measurements that another page made of this one.
#[derive(Debug)]
struct ReceivedLog {
    /// The measurements, with times on the other page's clock.
    side: Side,
    /// The estimate of the other page's clock when the log arrived.
    clock: Option<ClockEstimate>,
    bytes: usize,
}

impl Run {
    /// Starts a run with all members in the room, which ends after `limit`. A run in progress continues instead.
    pub fn start(&mut self, id: RunId, local: Party, room: &str, limit: Option<Duration>, now: Timestamp) {
        if matches!(self.state, RunState::Waiting | RunState::Running) {
            return;
        }
        let mut past = std::mem::take(&mut self.past);
        past.extend(self.id.take());
        if past.len() > MAX_PAST {
            past.pop_front();
        }
        *self = Self {
            state: RunState::Waiting,
            id: Some(id),
            past,
            limit,
            asked: Some(now),
            local: local.plain(),
            room: plain(room),
            others: std::mem::take(&mut self.others),
            outputs: std::mem::take(&mut self.outputs),
            ..Self::default()
        };
        self.changed();
    }

    /// Ends the run.
    pub fn stop(&mut self, now: Timestamp) {
        if matches!(self.state, RunState::Waiting | RunState::Running) {
            self.end(EndReason::Stopped, now);
        }
    }

    /// The state of the run.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.state
    }

    /// The length of the run so far, or of the ended run.
    #[must_use]
    pub fn lasted(&self, now: Timestamp) -> Duration {
        let end = self.ended.map_or(now, |(end, _)| end);
        self.zero().map_or(Duration::ZERO, |first| end - first)
    }

    /// The members in whose runs this page takes part.
    pub fn measured_by(&self) -> impl Iterator<Item = &MemberId> {
        self.others.iter().filter(|(_, run)| run.is_on()).map(|(member, _)| member)
    }

    /// Stops taking part in a member's run, and sends no log of it.
    pub fn refuse(&mut self, member: &MemberId) {
        if let Some(run) = self.others.get_mut(member).filter(|run| run.is_on()) {
            run.refuse();
            self.changed();
        }
    }

    /// The recorders of the measurements of a member: for the run of this page, and for the member's own run. Empty if neither
    /// is in progress.
    pub fn recorders(&mut self, member: &MemberId) -> impl Iterator<Item = &mut Recorder> {
        let is_on = matches!(self.state, RunState::Waiting | RunState::Running);
        let own = self.recorders.get_mut(member).filter(|_| is_on);
        let theirs = self.others.get_mut(member).filter(|run| run.is_on());
        own.into_iter().chain(theirs.and_then(|run| run.recorder.as_mut()))
    }

    /// This page's recorder for a member; it remains after the end of the run.
    #[must_use]
    pub fn record(&self, member: &MemberId) -> Option<&Recorder> {
        self.recorders.get(member)
    }

    /// Notes that the channel to a member opened: announces the run to it, or sends the log of its own run again. If there is
    /// no recorder for the member yet, `record` makes one.
    pub fn handle_open(&mut self, member: &MemberId, record: impl Fn() -> Recorder) {
        self.open_own(member, &record);
        let Some(run) = self.others.get_mut(member) else { return };
        match run.part {
            Part::On => {
                run.recorder.get_or_insert_with(record);
                // The message may be lost, so it is sent again.
                run.is_informed = false;
            }
            Part::Over => self.send_peer_log(member),
            Part::Refused => {}
        }
    }

    fn open_own(&mut self, member: &MemberId, record: impl Fn() -> Recorder) {
        let Some(run) = self.id.clone() else { return };
        let is_known = self.recorders.contains_key(member);
        match self.state {
            RunState::Idle => {}
            RunState::Waiting | RunState::Running => {
                if !is_known {
                    if self.recorders.len() >= MAX_RECORDERS {
                        return;
                    }
                    self.recorders.insert(member.clone(), record());
                }
                let is_running = self.state == RunState::Running;
                self.send(member, ControlMessage::RunStart { run, is_running, first_us: None });
            }
            // The member may not know of the end; it sends its log when it does.
            RunState::Ended if is_known && !self.logs.contains_key(member) => {
                self.send(member, ControlMessage::RunStop { run });
            }
            RunState::Ended => {}
        }
    }

    /// Notes that a member left for good, which ends its run. If no member with a picture remains, the run of this page ends,
    /// too.
    pub fn handle_gone(&mut self, member: &MemberId, sources_left: bool, now: Timestamp) {
        if self.others.remove(member).is_some_and(|run| run.is_on()) {
            self.changed();
        }
        if matches!(self.state, RunState::Waiting | RunState::Running)
            && let Some(recorder) = self.recorders.get_mut(member)
        {
            recorder.finish(now);
            if !sources_left && self.state == RunState::Running && !self.is_near_limit(now) {
                self.end(EndReason::ConnectionGone, now);
            }
        }
    }

    /// Notes that the video file of this page or of a member ended.
    pub fn handle_file_ended(&mut self, now: Timestamp) {
        if self.state == RunState::Running && !self.is_near_limit(now) {
            self.end(EndReason::FileEnded, now);
        }
    }

    /// Takes a member's message. Returns whether the message started a run of the member, so that the caller has to call
    /// [`Self::handle_open`].
    pub fn handle_control(
        &mut self,
        member: &MemberId,
        message: &ControlMessage,
        local: impl FnOnce() -> (Party, String),
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) -> bool {
        match message {
            ControlMessage::RunStart { run, is_running, first_us } => {
                if self.id.as_ref() == Some(run) {
                    if *is_running && self.state == RunState::Waiting && self.recorders.contains_key(member) {
                        let first = clock.zip(*first_us).map(|(clock, first_us)| {
                            clock.ours(Timestamp::from_origin(Duration::from_micros(first_us.get())))
                        });
                        let earliest = self.asked.unwrap_or(now).max(now - BEGAN_WITHIN);
                        self.begin(first.unwrap_or(now).max(earliest).min(now));
                    }
                    return false;
                }
                !self.past.contains(run) && self.begin_peer_run(member, run, || local().0, now)
            }
            ControlMessage::RunStop { run } => {
                if let Some(theirs) = self.others.get_mut(member).filter(|theirs| theirs.id == *run)
                    && theirs.part != Part::Refused
                {
                    if theirs.is_on() {
                        theirs.finish(now);
                        self.changed();
                    }
                    self.send_peer_log(member);
                }
                false
            }
            ControlMessage::RunLog { run, part, parts, text } => {
                if self.id.as_ref() == Some(run) {
                    self.take_part(member, (*part, *parts, text), clock);
                }
                false
            }
            _ => false,
        }
    }

    /// Examines the recorders and the time: a run may begin or end.
    pub fn handle_progress(&mut self, now: Timestamp) {
        match self.state {
            RunState::Waiting => {
                let asked = self.asked.unwrap_or(now);
                if let Some(first) = self.first_shown() {
                    self.begin(first);
                } else if now - asked >= LONGEST {
                    self.end(EndReason::TimeLimit, now);
                }
            }
            RunState::Running => {
                if self.lasted(now) >= self.longest() {
                    self.end_by_limit(now);
                }
            }
            RunState::Idle | RunState::Ended => {}
        }
        let mut over = Vec::new();
        for (member, theirs) in &mut self.others {
            if theirs.is_too_long(now) {
                theirs.finish(now);
                over.push(member.clone());
            } else if theirs.is_on()
                && !theirs.is_informed
                && let Some(first) = theirs.recorder.as_ref().and_then(Recorder::first_shown)
            {
                theirs.is_informed = true;
                let first_us = u64::try_from(first.since_origin().as_micros()).map(PageTime::saturating);
                let run = theirs.id.clone();
                let message = ControlMessage::RunStart { run, is_running: true, first_us: first_us.ok() };
                self.outputs.push_back(RunOutput::Send(member.clone(), message));
            }
        }
        for member in over {
            self.send_peer_log(&member);
            self.changed();
        }
    }

    /// When the run is to end by its limit; `None` while it is not in progress.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        let is_running = self.state == RunState::Running;
        Some(self.zero().filter(|_| is_running)? + self.longest())
    }

    /// Ends the run at its deadline, if that has passed without a report at which it could end.
    pub fn handle_overdue(&mut self, now: Timestamp) {
        if let Some(deadline) = self.deadline().filter(|deadline| *deadline <= now) {
            self.end_by_limit(deadline);
        }
    }

    fn longest(&self) -> Duration {
        self.limit.unwrap_or(LONGEST).min(LONGEST)
    }

    fn is_near_limit(&self, now: Timestamp) -> bool {
        self.deadline().is_some_and(|deadline| deadline - now <= NEAR_LIMIT)
    }

    fn end_by_limit(&mut self, at: Timestamp) {
        let are_gone = self.are_sources_gone_since(at - NEAR_LIMIT);
        self.end(if are_gone { EndReason::ConnectionGone } else { EndReason::TimeLimit }, at);
    }

    /// The next action to perform.
    pub fn poll_output(&mut self) -> Option<RunOutput> {
        self.outputs.pop_front()
    }

    /// The report; `None` before the end of the run. `unix_ms` is the time since 1970 at `now`.
    ///
    /// The axis, the length and the reporter's own sides depend on what this page saw. Other members affect only their own
    /// sides.
    #[must_use]
    pub fn report(&self, unix_ms: f64, now: Timestamp) -> Option<Report> {
        let (ended, ended_by) = self.ended?;
        let zero_s = seconds(self.zero()?);
        let mut sides = Vec::new();
        for (member, recorder) in &self.recorders {
            let mut own = recorder.side(&self.local, ended);
            own.shift(-zero_s);
            let theirs = self.logs.get(member).and_then(|log| {
                let mut side = aligned(log, seconds(ended))?;
                side.shift(-zero_s);
                side.absences = absences(&side, &own.absences);
                side.check(LONGEST_S).ok()?;
                // The other page does not decide who measured whom.
                side.observer = Party { browser: side.observer.browser, ..own.observed.clone() };
                side.observed = self.local.clone();
                Some(side)
            });
            sides.push(own);
            sides.extend(theirs);
        }
        Some(Report {
            format: FORMAT.to_owned(),
            version: VERSION,
            run: self.id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            room: self.room.clone(),
            started_at_unix_ms: rounded((unix_ms - (seconds(now) - zero_s) * 1e3).max(0.0)),
            duration_s: rounded((seconds(ended) - zero_s).max(0.0)),
            ended_by,
            sides,
        })
    }

    /// The time of the first frame shown here, or else of the first frame that another member reported.
    fn zero(&self) -> Option<Timestamp> {
        self.first_shown().or(self.first)
    }

    fn first_shown(&self) -> Option<Timestamp> {
        self.recorders.values().filter_map(Recorder::first_shown).min()
    }

    /// Whether all members whose picture was measured are gone. If no picture was measured, all members count.
    fn are_sources_gone_since(&self, at: Timestamp) -> bool {
        let has_picture = |recorder: &&Recorder| recorder.first_shown().is_some();
        let is_any = self.recorders.values().any(|recorder| has_picture(&recorder));
        let mut measured =
            self.recorders.values().filter(|recorder| !is_any || has_picture(recorder)).peekable();
        measured.peek().is_some() && measured.all(|recorder| recorder.is_gone_since(at))
    }

    fn begin_peer_run(
        &mut self,
        member: &MemberId,
        run: &RunId,
        observer: impl FnOnce() -> Party,
        now: Timestamp,
    ) -> bool {
        let before = self.others.get(member);
        if before.is_some_and(|before| before.id == *run)
            || before.is_none() && self.others.len() >= MAX_PEER_RUNS
        {
            return false;
        }
        // The user agent stays private, since the person was not asked.
        let observer = Party { browser: String::new(), ..observer() };
        let Some(begun) = PeerRun::begin(before, run, observer, now) else { return false };
        self.others.insert(member.clone(), begun);
        self.changed();
        true
    }

    fn begin(&mut self, first: Timestamp) {
        self.first = Some(first);
        self.state = RunState::Running;
        self.changed();
    }

    fn end(&mut self, reason: EndReason, now: Timestamp) {
        if let Some(run) = self.id.clone() {
            for member in self.recorders.keys().cloned().collect::<Vec<_>>() {
                self.send(&member, ControlMessage::RunStop { run: run.clone() });
            }
        }
        self.state = RunState::Ended;
        self.first.get_or_insert(now);
        self.ended = Some((now, reason));
        for recorder in self.recorders.values_mut() {
            recorder.finish(now);
        }
        self.changed();
    }

    /// Sends a member the measurements for its own run.
    fn send_peer_log(&mut self, member: &MemberId) {
        let Some(theirs) = self.others.get(member) else { return };
        let Some(recorder) = &theirs.recorder else { return };
        let text = serde_json::to_string(&recorder.side(&theirs.observer, theirs.ended)).unwrap_or_default();
        for message in split(&theirs.id, &text) {
            self.outputs.push_back(RunOutput::Send(member.clone(), message));
        }
    }

    fn take_part(
        &mut self,
        member: &MemberId,
        (part, parts, text): (u16, u16, &str),
        clock: Option<ClockEstimate>,
    ) {
        if !self.recorders.contains_key(member) {
            return;
        }
        let Some(text) = self.parts.entry(member.clone()).or_default().handle_part(part, parts, text) else {
            return;
        };
        let Ok(side) = Side::read_log(&text) else { return };
        // The size in the report, which may exceed the size of the message.
        let bytes = serde_json::to_string(&side).map_or(usize::MAX, |text| text.len());
        let others: usize =
            self.logs.iter().filter(|(known, _)| *known != member).map(|(_, log)| log.bytes).sum();
        if others.saturating_add(bytes) <= MAX_LOG_BYTES {
            self.logs.insert(member.clone(), ReceivedLog { side, clock, bytes });
            self.changed();
        }
    }

    fn send(&mut self, member: &MemberId, message: ControlMessage) {
        self.outputs.push_back(RunOutput::Send(member.clone(), message));
    }

    fn changed(&mut self) {
        self.outputs.push_back(RunOutput::Changed);
    }
}

/// The times of the run, whose axis the side is on, that the log of another page does not cover: those in which it was away from
/// this page, and what is before its first row.
fn absences(side: &Side, away: &[AbsenceEntry]) -> Vec<AbsenceEntry> {
    let first_s = side.samples.first().and_then(|row| *row.first()?).unwrap_or(0.0);
    let mut absences = away.to_vec();
    if first_s > LATE_S {
        // A row describes the second before it.
        let to_s = rounded(first_s - 1.0);
        let missing = AbsenceEntry { from_s: 0.0, to_s, reason: AbsenceReason::NotRecorded };
        // `Away` is the more exact reason while the page was away.
        let is_before = |absence: &&AbsenceEntry| absence.from_s < to_s;
        let until_s = away.iter().filter(is_before).map(|absence| absence.from_s).fold(to_s, f64::min);
        if until_s > 0.0 {
            absences.insert(0, AbsenceEntry { to_s: until_s, ..missing });
        }
    }
    absences
}

/// The measurements of another page, with times on this page's clock. If the offset is unknown, the last row is placed at the
/// end of the run.
fn aligned(log: &ReceivedLog, ended_s: f64) -> Option<Side> {
    let mut side = log.side.clone();
    side.clock = None;
    if let Some(clock) = log.clock {
        let offset_s = clock.offset_us as f64 / 1e6;
        side.clock = Some(Clock { offset_s, error_s: clock.error.as_secs_f64() });
        side.shift(-offset_s);
    } else {
        let last_s = side.samples.last().and_then(|row| *row.first()?)?;
        side.shift(ended_s - last_s);
    }
    Some(side)
}
