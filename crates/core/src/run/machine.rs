//! When a run begins and ends, and who is told.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use sightline_protocol::{MemberId, RunId, control::ControlMessage};

use super::{
    Recorder,
    log_parts::{Parts, split},
    recorder::seconds,
};
use crate::{
    Timestamp,
    clock::ClockEstimate,
    report::{Clock, EndReason, FORMAT, Party, Report, Side, VERSION, rounded},
};

/// Most members whose logs are kept.
const MAX_SIDES: usize = 64;

/// Where a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RunState {
    /// There is none.
    #[default]
    Idle,
    /// It is asked for, and begins with the first frame.
    Waiting,
    /// It is on.
    Running,
    /// It is over, and has a report.
    Ended,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum RunOutput {
    /// To be sent on the `control` channel to a member.
    Send(MemberId, ControlMessage),
    /// [`Run::state`] or [`Run::report`] is another.
    Changed,
}

/// The run of one page; at most one at a time.
#[derive(Debug, Default)]
pub struct Run {
    state: RunState,
    id: Option<RunId>,
    limit: Option<Duration>,
    recorders: BTreeMap<MemberId, Recorder>,
    parts: BTreeMap<MemberId, Parts>,
    /// What others measured of this page, on their clocks, with how theirs stood when it came.
    told: BTreeMap<MemberId, (Side, Option<ClockEstimate>)>,
    first: Option<Timestamp>,
    ended: Option<(Timestamp, EndReason)>,
    /// What the reporter is called.
    local: Party,
    room: String,
    outputs: VecDeque<RunOutput>,
}

impl Run {
    /// Asks for a run, of everybody in the room, that ends after `limit`. One that is on goes on.
    pub fn start(&mut self, id: RunId, local: Party, room: &str, limit: Option<Duration>) {
        if matches!(self.state, RunState::Waiting | RunState::Running) {
            return;
        }
        *self = Self {
            state: RunState::Waiting,
            id: Some(id),
            limit,
            local,
            room: room.to_owned(),
            outputs: std::mem::take(&mut self.outputs),
            ..Self::default()
        };
        self.changed();
    }

    /// Ends it.
    pub fn stop(&mut self, now: Timestamp) {
        if let (RunState::Waiting | RunState::Running, Some(run)) = (self.state, self.id.clone()) {
            self.tell_all(&ControlMessage::RunStop { run });
            self.end(EndReason::Stopped, now);
        }
    }

    /// Where it is.
    #[must_use]
    pub fn state(&self) -> RunState {
        self.state
    }

    /// How long it is on, or was.
    #[must_use]
    pub fn lasted(&self, now: Timestamp) -> Duration {
        let end = self.ended.map_or(now, |(end, _)| end);
        self.first.map_or(Duration::ZERO, |first| end - first)
    }

    /// Records what is measured of a member; `None` while there is no run.
    pub fn recorder(&mut self, member: &MemberId) -> Option<&mut Recorder> {
        if matches!(self.state, RunState::Waiting | RunState::Running) {
            self.recorders.get_mut(member)
        } else {
            None
        }
    }

    /// The record of a member, also after the end.
    #[must_use]
    pub fn record(&self, member: &MemberId) -> Option<&Recorder> {
        self.recorders.get(member)
    }

    /// A way to a member is open: it is told of the run, or of its log once more. A member that is new gets a recorder from
    /// `record`.
    pub fn handle_open(&mut self, member: &MemberId, record: impl FnOnce() -> Recorder) {
        let Some(run) = self.id.clone() else { return };
        match self.state {
            RunState::Idle => {}
            RunState::Waiting | RunState::Running => {
                self.recorders.entry(member.clone()).or_insert_with(record);
                let is_running = self.state == RunState::Running;
                self.send(member, ControlMessage::RunStart { run, is_running });
            }
            RunState::Ended => self.send_log(member),
        }
    }

    /// A member is gone for good. With the last of them the run is over.
    pub fn handle_gone(&mut self, member: &MemberId, others_left: bool, now: Timestamp) {
        if let Some(recorder) = self.recorder(member) {
            recorder.finish(now);
            if !others_left && self.state == RunState::Running {
                self.end(EndReason::ConnectionGone, now);
            }
        }
    }

    /// The video file that is played, here or there, is over.
    pub fn handle_file_ended(&mut self, now: Timestamp) {
        if self.state == RunState::Running {
            if let Some(run) = self.id.clone() {
                self.tell_all(&ControlMessage::RunStop { run });
            }
            self.end(EndReason::FileEnded, now);
        }
    }

    /// Takes a message of a member. Whether a run was begun by it, so that the caller has to open every way.
    pub fn handle_control(
        &mut self,
        member: &MemberId,
        message: &ControlMessage,
        local: impl FnOnce() -> (Party, String),
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) -> bool {
        match message {
            ControlMessage::RunStart { run, is_running } => {
                let is_new = !matches!(self.state, RunState::Waiting | RunState::Running)
                    && self.id.as_ref() != Some(run);
                if is_new {
                    let (local, room) = local();
                    self.start(run.clone(), local, &room, None);
                } else if self.id.as_ref().is_some_and(|id| run < id) {
                    self.id = Some(run.clone());
                }
                if *is_running && self.state == RunState::Waiting {
                    self.begin(now);
                }
                is_new
            }
            ControlMessage::RunStop { run } => {
                if self.id.as_ref() == Some(run)
                    && matches!(self.state, RunState::Waiting | RunState::Running)
                {
                    self.end(EndReason::Stopped, now);
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

    /// Looks at what was recorded and at the time: the run may begin or be over.
    pub fn handle_progress(&mut self, now: Timestamp) {
        let first = self.recorders.values().filter_map(Recorder::first_shown).min();
        match (self.state, first) {
            (RunState::Waiting, Some(first)) => {
                self.begin(first);
                if let Some(run) = self.id.clone() {
                    self.tell_all(&ControlMessage::RunStart { run, is_running: true });
                }
            }
            (RunState::Running, _) if self.limit.is_some_and(|limit| self.lasted(now) >= limit) => {
                if let Some(run) = self.id.clone() {
                    self.tell_all(&ControlMessage::RunStop { run });
                }
                self.end(EndReason::TimeLimit, now);
            }
            _ => {}
        }
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<RunOutput> {
        self.outputs.pop_front()
    }

    /// The report; `None` before the end. `unix_ms` is the time since 1970 at `now`.
    #[must_use]
    pub fn report(&self, unix_ms: f64, now: Timestamp) -> Option<Report> {
        let (ended, ended_by) = self.ended?;
        let told: BTreeMap<_, _> =
            self.told.iter().map(|(member, (side, clock))| (member, aligned(side, *clock))).collect();
        let own_firsts = self.recorders.values().filter_map(Recorder::first_shown).map(seconds);
        let told_firsts = told.values().filter_map(|side| Some(side.playout.as_ref()?.first_frame_at_s));
        let zero_s = own_firsts.chain(told_firsts).min_by(f64::total_cmp).or(self.first.map(seconds))?;
        let mut sides = Vec::new();
        for (member, recorder) in &self.recorders {
            sides.push(recorder.side(&self.local, ended));
            sides.extend(told.get(member).cloned());
        }
        sides.iter_mut().for_each(|side| side.shift(-zero_s));
        Some(Report {
            format: FORMAT.to_owned(),
            version: VERSION,
            run: self.id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            room: self.room.clone(),
            started_at_unix_ms: rounded(unix_ms - (seconds(now) - zero_s) * 1e3),
            duration_s: rounded(seconds(ended) - zero_s),
            ended_by,
            sides,
        })
    }

    fn begin(&mut self, first: Timestamp) {
        self.first = Some(first);
        self.state = RunState::Running;
        self.changed();
    }

    fn end(&mut self, reason: EndReason, now: Timestamp) {
        self.state = RunState::Ended;
        self.first.get_or_insert(now);
        self.ended = Some((now, reason));
        for recorder in self.recorders.values_mut() {
            recorder.finish(now);
        }
        for member in self.recorders.keys().cloned().collect::<Vec<_>>() {
            self.send_log(&member);
        }
        self.changed();
    }

    fn send_log(&mut self, member: &MemberId) {
        let (Some(run), Some((ended, _)), Some(recorder)) =
            (&self.id, self.ended, self.recorders.get(member))
        else {
            return;
        };
        let text = serde_json::to_string(&recorder.side(&self.local, ended)).unwrap_or_default();
        for message in split(run, &text) {
            self.outputs.push_back(RunOutput::Send(member.clone(), message));
        }
    }

    fn take_part(
        &mut self,
        member: &MemberId,
        (part, parts, text): (u16, u16, &str),
        clock: Option<ClockEstimate>,
    ) {
        if !self.recorders.contains_key(member) || self.told.len() >= MAX_SIDES {
            return;
        }
        let Some(text) = self.parts.entry(member.clone()).or_default().handle_part(part, parts, text) else {
            return;
        };
        let side = serde_json::from_str::<Side>(&text).ok().filter(Side::is_sound);
        if let Some(side) = side {
            self.told.insert(member.clone(), (side, clock));
            self.changed();
        }
    }

    fn tell_all(&mut self, message: &ControlMessage) {
        for member in self.recorders.keys().cloned().collect::<Vec<_>>() {
            self.send(&member, message.clone());
        }
    }

    fn send(&mut self, member: &MemberId, message: ControlMessage) {
        self.outputs.push_back(RunOutput::Send(member.clone(), message));
    }

    fn changed(&mut self) {
        self.outputs.push_back(RunOutput::Changed);
    }
}

/// What another page measured, its times on this page's clock.
fn aligned(side: &Side, clock: Option<ClockEstimate>) -> Side {
    let mut side = side.clone();
    if let Some(clock) = clock {
        let offset_s = clock.offset_us as f64 / 1e6;
        side.clock = Some(Clock { offset_s, error_s: clock.error.as_secs_f64() });
        side.shift(-offset_s);
    }
    side
}
