//! The measurements that one page makes of all other members in the room.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    MemberId, RunId,
    bounded::UpTo,
    control::{ControlMessage, PublishedState},
    telemetry::{SourceFrames, TelemetryMessage},
    text::without_invisible,
};

use super::{
    connection::{ConnectionDetails, ExpectedPicture, LinkPath, Subject},
    member::Members,
    observation::{ConnectionReport, MeasureOutput, MemberFigures, Observation, Receiver, RunProgress},
    playout,
    playout_watch::PlayoutWatch,
    report::{FileEntry, Party, Report, RtcStatsHeader},
    run::RunOutput,
};
use crate::Timestamp;

/// Interval between stats reports while the page is visible, and in a run.
const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// A timer that is late by less is ordinary.
const NOTABLE_BUSY: Duration = Duration::from_millis(100);
/// Time after which a run whose end brings no report ends without.
const OVERDUE: Duration = Duration::from_secs(1);

/// All measurements of a page: the figures of every connection, the playout of every picture, stamps, and runs with their
/// reports.
///
/// Contract: after every call that takes `now`, perform the outputs of [`Self::poll_output`] in order. Call
/// [`Self::handle_timeout`] when the time of [`Self::poll_timeout`] has come. Observations of a member may come in any order;
/// an observation after [`Observation::Gone`] is about a member that came again.
#[derive(Debug)]
pub struct Measurements {
    members: Members,
    playout: PlayoutWatch,
    /// This page, as reports name it.
    local: Party,
    room: String,
    conditions: Vec<(String, String)>,
    is_visible: bool,
    /// The time at which the page became visible. Timers of a hidden page are late although the page is not busy.
    visible_since: Timestamp,
    is_watched: bool,
    next_report: Timestamp,
    /// The time at which the stats were last asked for.
    asked: Option<Timestamp>,
    /// The longest time since the timer before for which this page had no time for its work.
    busy: Duration,
    /// The report about the frames of the local file, sent with the next telemetry.
    source_frames: Option<SourceFrames>,
    /// The deadline of the run for which a last report was asked for.
    read_for: Option<Timestamp>,
    progress: RunProgress,
    outputs: VecDeque<MeasureOutput>,
}

impl Measurements {
    /// Measurements of no member yet. `local` is this page, and `is_visible` says whether it is visible.
    #[must_use]
    pub fn new(room: &str, local: Party, is_visible: bool) -> Self {
        Self {
            members: Members::default(),
            playout: PlayoutWatch::new(is_visible),
            local,
            room: room.to_owned(),
            conditions: Vec::new(),
            is_visible,
            visible_since: Timestamp::ZERO,
            is_watched: false,
            next_report: Timestamp::ZERO,
            asked: None,
            busy: Duration::ZERO,
            source_frames: None,
            read_for: None,
            progress: RunProgress::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes an observation of a member.
    pub fn handle(&mut self, member: &MemberId, observation: Observation, now: Timestamp) {
        match observation {
            Observation::Present { name, published } => self.handle_present(member, name, published, now),
            Observation::ChannelOpened => self.open_run(member, now),
            Observation::Away(is_away) => self.playout.handle_away(member, is_away, now),
            Observation::Connected(is_connected) => self.playout.handle_connected(member, is_connected, now),
            Observation::State(subject, word) => {
                self.members.entry(member).history.handle_state(subject, Some(&word), now);
                self.show_history(member);
            }
            Observation::Telemetry(link, message) => {
                let connection = self.members.entry(member).connection(link);
                if let TelemetryMessage::SourceFrames(frames) = &message {
                    self.playout.handle_source_frames(member, frames, connection.clock.estimate(now), now);
                }
                if let Some(sending) = connection.handle_telemetry(message, now) {
                    self.playout.handle_sending(member, sending, &mut connection.clock, now);
                }
            }
            Observation::Report(report) => self.handle_report(member, *report, now),
            Observation::Run(message) => self.handle_run(member, &message, now),
            Observation::ConnectionClosed(link) => self.members.close(member, link),
            Observation::Gone => {
                self.members.remove(member);
                self.playout.forget(member, now);
                self.show_receiver();
            }
        }
        self.drain_run(now);
    }

    /// Takes a failure of any of a member's connections and returns whether the member's history keeps it.
    pub fn handle_failure(
        &mut self,
        member: &MemberId,
        subject: Subject,
        cause: &str,
        now: Timestamp,
    ) -> bool {
        let is_kept = self.members.entry(member).history.handle_failure(subject, cause, now);
        if is_kept {
            self.show_history(member);
        }
        is_kept
    }

    /// Notes that this page entered the room with this id.
    pub fn handle_entered(&mut self, you: &MemberId) {
        you.as_str().clone_into(&mut self.local.member);
    }

    /// Takes the published state of this page.
    pub fn handle_own_published(&mut self, published: PublishedState, now: Timestamp) {
        self.playout.handle_own_published(published, now);
        self.drain_run(now);
    }

    /// Takes whether this page is visible. A hidden page measures nothing, except in a run.
    pub fn handle_visibility(&mut self, is_visible: bool, now: Timestamp) {
        if is_visible && !self.is_visible {
            self.visible_since = now;
        }
        self.is_visible = is_visible;
        let word = if is_visible { "visible" } else { "hidden" };
        for member in self.members.iter_mut() {
            member.history.handle_state(Subject::Page, Some(word), now);
        }
        self.playout.handle_visibility(is_visible, now);
        self.show_histories();
    }

    /// Takes the conditions that the report of the next run lists.
    pub fn set_conditions(&mut self, conditions: Vec<(String, String)>) {
        self.conditions = conditions;
    }

    /// Takes which frames of its file this page showed lately; `None` without a file. Sent with each stats report.
    pub fn set_source_frames(&mut self, frames: Option<SourceFrames>) {
        self.source_frames = frames;
    }

    /// Takes the video file that this page plays, for the report of a run; `None` without one.
    pub fn set_own_file(&mut self, file: Option<FileEntry>) {
        self.playout.set_own_file(file);
    }

    /// Takes whether anybody looks at more than bars and path.
    pub fn watch(&mut self, is_watched: bool, now: Timestamp) {
        self.is_watched = is_watched;
        self.next_report = now;
        self.show_histories();
    }

    /// Whether anybody looks at more than bars and path.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Starts a run with all members in the room, which ends after `limit`. A run in progress continues instead.
    pub fn start_run(&mut self, id: RunId, limit: Option<Duration>, now: Timestamp) {
        self.playout.start_run(id, self.local.clone(), &self.room, limit, now);
        let present: Vec<_> = self.members.iter().map(|(id, _)| id.clone()).collect();
        for member in present {
            self.open_run(&member, now);
        }
        // The counters of the run start with a report: the sooner it comes, the better they match the frames.
        self.next_report = now;
        self.drain_run(now);
    }

    /// Ends the run.
    pub fn stop_run(&mut self, now: Timestamp) {
        self.playout.stop_run(now);
        self.drain_run(now);
    }

    /// Stops taking part in a member's run.
    pub fn refuse_run(&mut self, member: &MemberId, now: Timestamp) {
        self.playout.refuse_run(member);
        self.drain_run(now);
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(deadline) = self.playout.run_deadline().filter(|deadline| *deadline <= now) {
            if self.read_for != Some(deadline) {
                // The run ends with this report, which has its last frames.
                self.read_for = Some(deadline);
                self.next_report = now;
            } else if deadline + OVERDUE <= now {
                self.playout.handle_overdue_run(now);
                self.drain_run(now);
            }
        }
        if self.should_poll_stats() && self.next_report <= now {
            self.busy = Duration::ZERO;
            if self.asked.is_some_and(|asked| asked + STATS_INTERVAL == self.next_report) {
                self.handle_late(self.next_report, now);
            }
            self.asked = Some(now);
            self.next_report = now + STATS_INTERVAL;
            self.outputs.push_back(MeasureOutput::ReadStats);
        }
    }

    /// Takes that this page did work at `now` that was due at `due`: in between it had no time for its work. A hidden page says nothing.
    pub fn handle_late(&mut self, due: Timestamp, now: Timestamp) {
        if !self.is_visible {
            return;
        }
        let due = due.max(self.visible_since);
        let busy = now - due;
        self.busy = self.busy.max(busy);
        if busy >= NOTABLE_BUSY {
            self.playout.handle_busy(due, now);
        }
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let next_report = self.should_poll_stats().then_some(self.next_report);
        let run = self.playout.run_deadline().map(|deadline| match self.read_for {
            Some(read_for) if read_for == deadline => deadline + OVERDUE,
            _ => deadline,
        });
        [next_report, run].into_iter().flatten().min()
    }

    /// Whether stats are read: a hidden page needs none, except in a run.
    #[must_use]
    pub fn should_poll_stats(&self) -> bool {
        self.is_visible || self.playout.is_running()
    }

    /// The next action to perform.
    pub fn poll_output(&mut self) -> Option<MeasureOutput> {
        self.outputs.pop_front()
    }

    /// The path of the connection in use to a member, by the latest report.
    #[must_use]
    pub fn path(&self, member: &MemberId) -> Option<LinkPath> {
        self.members.get(member)?.used()?.meter.path()
    }

    /// The report of the run after its end; `unix_ms` is the time of day now.
    #[must_use]
    pub fn report(&self, unix_ms: u64, now: Timestamp) -> Option<Report> {
        self.playout.report(unix_ms, now)
    }

    /// The run's raw stats reports, in the format of the rtcstats tools.
    #[must_use]
    pub fn dump(&self, header: &RtcStatsHeader) -> String {
        self.playout.dump(header)
    }

    fn handle_present(
        &mut self,
        id: &MemberId,
        name: String,
        published: Option<PublishedState>,
        now: Timestamp,
    ) {
        let member = self.members.entry(id);
        member.name = Some(name);
        member.published = published;
        if let Some(published) = published {
            member.history.handle_state(Subject::Source, Some(published.source.as_str()), now);
            self.playout.handle_published(id, published, now);
            self.show_history(id);
        }
    }

    fn handle_report(&mut self, id: &MemberId, report: ConnectionReport, now: Timestamp) {
        let ConnectionReport { entries, states, frames, are_frames_noted, unix_ms, .. } = report;
        if let Some(asked) = self.asked {
            self.handle_late(asked, now);
        }
        let member = self.members.entry(id);
        let expected = member.published.map_or(ExpectedPicture::None, ExpectedPicture::of);
        let meter = &mut member.use_connection(report.link).meter;
        meter.handle_ledger(are_frames_noted);
        let mut figures = meter.handle_report(&entries, &states, expected, now);
        let clock = member.clock(now);

        if are_frames_noted {
            self.playout.handle_frames_are_noted(id, now);
        }
        for frame in frames {
            self.playout.handle_frame(id, frame, clock, now);
        }
        let truth = self.playout.truth(id);
        figures.add_playout(&self.playout.handle_report(id, &entries, now), truth.as_ref());
        figures.add_score(self.playout.score(id, now).as_ref());
        self.playout.record(id, &entries, &figures.rows, unix_ms, now);

        let meter = &mut member.use_connection(report.link).meter;
        let is_missing = meter.is_picture_missing(&entries, now);
        meter.handle_playout(&figures);
        let reception = meter.poll_reception().map(TelemetryMessage::Reception);
        let sending = playout::sending(&entries, now).map(|mut sending| {
            sending.picture.busy_ms = self.is_visible.then(|| UpTo::rounded(self.busy.as_secs_f64() * 1e3));
            TelemetryMessage::Sending(sending)
        });
        let source_frames = self.source_frames.clone().map(TelemetryMessage::SourceFrames);
        for message in reception.into_iter().chain(sending).chain(source_frames) {
            self.outputs.push_back(MeasureOutput::SendTelemetry(report.link, message));
        }

        if is_missing {
            member.history.handle_failure(Subject::MissingPicture, "no frame arrived", now);
            self.outputs.push_back(MeasureOutput::PictureMissing(id.clone()));
        }

        let mut details = ConnectionDetails::new(&entries);
        details.local_sdp = report.local_sdp;
        details.remote_sdp = report.remote_sdp.map(|sdp| without_invisible(&sdp));
        let selected_pair = details.selected_pair();
        member.history.handle_state(Subject::CandidatePair, selected_pair.as_deref(), now);
        member.history.handle_figures(&figures.rows, now);
        let name = member.name.clone().unwrap_or_default();
        let receiver = figures.sent_quality.zip(figures.reception.clone());
        member.receiver = receiver.map(|(quality, reception)| Receiver { name, quality, reception });
        let receiver = member.receiver.clone();
        let watched = self.is_watched.then(|| (self.playout.shown(id, now), details));
        let shown = MemberFigures { figures, truth, selected_pair, receiver, watched };
        self.outputs.push_back(MeasureOutput::Figures(id.clone(), Box::new(shown)));
        self.show_history(id);
        self.show_receiver();
    }

    fn handle_run(&mut self, id: &MemberId, message: &ControlMessage, now: Timestamp) {
        let clock = self.members.get(id).and_then(|member| member.clock(now));
        let (local, room) = (&self.local, &self.room);
        let local = || (local.clone(), room.clone());
        if self.playout.handle_run(id, message, local, clock, now) {
            self.open_run(id, now);
        }
    }

    /// Notes that the channel to a member opened, or that a run started while the channel is open.
    fn open_run(&mut self, id: &MemberId, now: Timestamp) {
        let Some(name) = self.members.get(id).and_then(|member| member.name.clone()) else { return };
        let observed = Party { member: id.as_str().to_owned(), name, browser: String::new() };
        self.playout.handle_open(observed, id, self.conditions.clone(), now);
    }

    fn drain_run(&mut self, now: Timestamp) {
        while let Some(output) = self.playout.poll_run() {
            match output {
                RunOutput::Send(member, message) => {
                    self.outputs.push_back(MeasureOutput::SendControl(member, message));
                }
                RunOutput::Changed => {}
            }
        }
        let progress = RunProgress {
            state: self.playout.run_state(),
            lasted: Duration::from_secs(self.playout.run_lasted(now).as_secs()),
            measured_by: self.playout.measured_by().cloned().collect(),
        };
        if self.progress != progress {
            self.progress = progress.clone();
            self.outputs.push_back(MeasureOutput::Run(progress));
        }
    }

    fn show_histories(&mut self) {
        let members: Vec<_> = self.members.iter().map(|(id, _)| id.clone()).collect();
        members.iter().for_each(|id| self.show_history(id));
    }

    fn show_history(&mut self, id: &MemberId) {
        if let Some(member) = self.members.get(id).filter(|_| self.is_watched) {
            let history = Box::new(member.history.clone());
            self.outputs.push_back(MeasureOutput::History(id.clone(), history));
        }
    }

    fn show_receiver(&mut self) {
        let receivers = self.members.iter().filter_map(|(_, member)| member.receiver.as_ref());
        let worst = receivers.min_by_key(|receiver| receiver.quality.bars);
        self.outputs.push_back(MeasureOutput::Receiver(worst.cloned().map(Box::new)));
    }
}
