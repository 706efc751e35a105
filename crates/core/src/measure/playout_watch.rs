//! The playout of every member's picture, in a call and in a run. Each member has a meter, a log of stamps, and in a run a
//! recorder, which all get the same frames, reports and messages. All of them belong to the session and outlive a rebuilt peer
//! connection.

use std::{collections::HashMap, time::Duration};

use sightline_protocol::{
    MemberId, RunId,
    control::{ControlMessage, Playback, PublishedSource, PublishedState},
    telemetry::{Sending, SourceFrames},
};

use crate::{
    Timestamp,
    measure::{
        clock::{ClockEstimate, ClockSync},
        connection::HISTORY_SPAN,
        entry::StatsEntry,
        frame::ShownFrame,
        metric::Figure,
        playout::{Declaration, PlayoutMeter, PlayoutSummary, Score, SenderTimeline, Stall},
        report::{FileEntry, Party, Report, RtcStatsDump, RtcStatsHeader},
        run::{Recorder, Run, RunOutput, RunState},
        stamp::{FrameLog, FrameTruth, StampCheck, StripReading},
    },
};

/// Number of latest stalls that the page shows; a report contains all.
const SHOWN_STALLS: usize = 50;
/// Number of latest stalls that the charts show.
const MAX_BANDS: usize = 200;

/// The playout of a member's picture, for the page: since the start of the run if there is one, or else since the member came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Playout {
    /// The totals of the measurement.
    pub summary: PlayoutSummary,
    /// The latest stalls, oldest first, each with the seconds from the first frame to its start.
    pub stalls: Vec<(f64, Stall)>,
    /// The recent stalls as start and end times, oldest first, for the charts; `None` if there are no frame callbacks.
    pub bands: Option<Vec<(Timestamp, Timestamp)>>,
}

/// A frame that was shown, and its stamp.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotedFrame {
    /// The browser's metadata of the frame.
    pub shown: ShownFrame,
    /// The result of reading the stamp; `None` while no stamps are read.
    pub stamp: Option<StripReading>,
}

/// The playout of all members.
#[derive(Debug)]
pub struct PlayoutWatch {
    members: HashMap<MemberId, Watched>,
    /// Whether this page is visible.
    is_visible: bool,
    /// The declaration of this page's own source.
    own: Declaration,
    /// The video file that this page plays.
    own_file: Option<FileEntry>,
    run: Run,
    dump: RtcStatsDump,
}

#[derive(Debug)]
struct Watched {
    meter: PlayoutMeter,
    stamps: FrameLog,
    stamp_check: StampCheck,
    sender: SenderTimeline,
    declared: Declaration,
    sends_sound: bool,
    is_screen: bool,
    is_file: bool,
    /// Whether the member declares that every frame carries a stamp.
    is_stamped: bool,
}

impl PlayoutWatch {
    /// A watch without members, on a page that is visible or not.
    #[must_use]
    pub fn new(is_visible: bool) -> Self {
        let (run, dump) = (Run::default(), RtcStatsDump::default());
        Self { members: HashMap::new(), is_visible, own: Declaration::NoPicture, own_file: None, run, dump }
    }

    /// Takes the published state of a member.
    pub fn handle_published(&mut self, member: &MemberId, published: PublishedState, now: Timestamp) {
        let declaration = Declaration::of(published);
        let watched = self.of(member, now);
        watched.meter.handle_declaration(declaration, now);
        watched.declared = declaration;
        let sends_sound = sends_sound(published);
        watched.meter.handle_sound_declared(sends_sound, now);
        watched.sends_sound = sends_sound;
        let is_screen = published.source == PublishedSource::Screen;
        watched.meter.handle_shows_only_changes(is_screen);
        watched.is_screen = is_screen;
        let is_file = published.source == PublishedSource::File;
        let begins_file = is_file && !watched.is_file;
        watched.is_file = is_file;
        if begins_file {
            watched.meter.handle_file(now);
        }
        if published.stamped && !watched.is_stamped {
            watched.stamps = FrameLog::default();
            watched.stamp_check = StampCheck::default();
        }
        watched.is_stamped = published.stamped;
        for recorder in self.run.recorders(member) {
            recorder.handle_declaration(declaration, now);
            recorder.handle_sound_declared(sends_sound, now);
            recorder.handle_shows_only_changes(is_screen);
            if begins_file {
                recorder.handle_file(now);
            }
        }
        if declaration == Declaration::Ended {
            self.handle_file_ended(now);
        }
    }

    /// Ends the run if no member plays any more, this page included: one of several files that ends must not stop the
    /// measurement of the others.
    fn handle_file_ended(&mut self, now: Timestamp) {
        let mut declared = self.members.values().map(|member| member.declared).chain([self.own]);
        if !declared.any(|declared| declared == Declaration::Playing) {
            self.run.handle_file_ended(now);
        }
    }

    /// Takes the published state of this page.
    pub fn handle_own_published(&mut self, published: PublishedState, now: Timestamp) {
        self.own = Declaration::of(published);
        if self.own == Declaration::Ended {
            self.handle_file_ended(now);
        }
    }

    /// Takes the video file that this page plays.
    pub fn set_own_file(&mut self, file: Option<FileEntry>) {
        self.own_file = file;
    }

    /// Takes whether media can flow to and from a member.
    pub fn handle_connected(&mut self, member: &MemberId, is_connected: bool, now: Timestamp) {
        self.of(member, now).meter.handle_connected(is_connected, now);
        for recorder in self.run.recorders(member) {
            recorder.handle_connected(is_connected, now);
        }
    }

    /// Takes whether the server says that a member's page is away.
    pub fn handle_away(&mut self, member: &MemberId, is_away: bool, now: Timestamp) {
        for recorder in self.run.recorders(member) {
            recorder.handle_away(is_away, now);
        }
    }

    /// When the run of this page is to end by its limit.
    #[must_use]
    pub fn run_deadline(&self) -> Option<Timestamp> {
        self.run.deadline()
    }

    /// Ends a run whose deadline has passed without a report.
    pub fn handle_overdue_run(&mut self, now: Timestamp) {
        self.run.handle_overdue(now);
    }

    /// Takes whether this page is visible.
    pub fn handle_visibility(&mut self, is_visible: bool, now: Timestamp) {
        self.is_visible = is_visible;
        for (member, watched) in &mut self.members {
            watched.meter.handle_visibility(is_visible, now);
            for recorder in self.run.recorders(member) {
                recorder.handle_visibility(is_visible, now);
            }
        }
    }

    /// Takes a time in which this page had no time for its work.
    pub fn handle_busy(&mut self, from: Timestamp, to: Timestamp) {
        for (member, watched) in &mut self.members {
            watched.meter.handle_busy(from, to);
            for recorder in self.run.recorders(member) {
                recorder.handle_busy(from, to);
            }
        }
    }

    /// Takes a member's report about the picture that it sends; `clock` estimates the member's clock.
    pub fn handle_sending(
        &mut self,
        member: &MemberId,
        message: Sending,
        clock: &mut ClockSync,
        now: Timestamp,
    ) {
        let watched = self.of(member, now);
        if let Some(interval) = watched.sender.handle_sending(message, clock, now) {
            watched.meter.handle_sender(interval, now);
            for recorder in self.run.recorders(member) {
                recorder.handle_sender(interval, now);
            }
        }
    }

    /// Takes a member's report about the frames of its file, and the estimate of the member's clock.
    pub fn handle_source_frames(
        &mut self,
        member: &MemberId,
        message: &SourceFrames,
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) {
        let Some(watched) = self.members.get_mut(member).filter(|watched| watched.is_file) else { return };
        watched.meter.handle_source_frames(message, clock, now);
        for recorder in self.run.recorders(member) {
            recorder.handle_source_frames(message, clock, now);
        }
    }

    /// Notes that frame callbacks are active for a member: no callback means that no frame was shown.
    pub fn handle_frames_are_noted(&mut self, member: &MemberId, now: Timestamp) {
        self.of(member, now).meter.handle_callbacks_supported();
    }

    /// Takes a frame that was shown, and the estimate of the member's clock.
    pub fn handle_frame(
        &mut self,
        member: &MemberId,
        NotedFrame { shown, stamp }: NotedFrame,
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) {
        let watched = self.of(member, now);
        let stamp = stamp.map(|reading| watched.stamp_check.check(reading, &shown));
        let painted = stamp.and_then(|reading| reading.stamp.ok());
        let painted = painted.map(|stamp| {
            (
                stamp.number,
                stamp.painted_at(clock.map_or(shown.shown_at, |clock| clock.theirs(shown.shown_at))),
            )
        });
        if let Some((number, at)) = painted {
            watched.meter.handle_stamp(number, at);
        }
        watched.meter.handle_frame(shown, now);
        if let Some(reading) = stamp {
            watched.stamps.handle_shown(reading.stamp, reading.cost, &shown, clock);
        }
        for recorder in self.run.recorders(member) {
            recorder.handle_painted(painted);
            recorder.handle_frame(shown, now);
            if let Some(reading) = stamp {
                recorder.handle_stamp(reading.stamp, reading.cost, &shown, clock);
            }
        }
    }

    /// The totals from a member's stamps; `None` while its frames carry no stamps.
    #[must_use]
    pub fn truth(&self, member: &MemberId) -> Option<FrameTruth> {
        self.members.get(member).filter(|watched| watched.is_stamped)?.stamps.known()
    }

    /// Takes a stats report and returns the totals since the member came.
    pub fn handle_report(
        &mut self,
        member: &MemberId,
        entries: &[StatsEntry],
        now: Timestamp,
    ) -> PlayoutSummary {
        let watched = self.of(member, now);
        watched.meter.handle_report(entries, now);
        watched.meter.summary(now)
    }

    /// Takes the rows that were computed from the report, for a run; `unix_ms` is the time of day.
    pub fn record(
        &mut self,
        member: &MemberId,
        entries: &[StatsEntry],
        rows: &[Figure],
        unix_ms: u64,
        now: Timestamp,
    ) {
        for recorder in self.run.recorders(member) {
            recorder.handle_report(entries, rows, now);
            if let Some(file) = &self.own_file {
                recorder.handle_own_file(file);
            }
        }
        if self.is_running() && self.run.record(member).is_some() {
            self.dump.handle_report(member.as_str(), entries, unix_ms);
        }
        self.run.handle_progress(now);
    }

    /// The playout of a member's picture, for the page.
    #[must_use]
    pub fn shown(&self, member: &MemberId, now: Timestamp) -> Playout {
        let (mut summary, mut stalls, first) = match (self.run.record(member), self.members.get(member)) {
            (Some(record), _) => (record.summary(now), record.stalls(now), record.first_shown()),
            (None, Some(watched)) => {
                (watched.meter.summary(now), watched.meter.stalls(now), watched.meter.first_shown())
            }
            (None, None) => return Playout::default(),
        };
        // Bars, cause and score use the same recent score; the score of the whole run is in its report.
        summary.score = self.score(member, now);
        let first = first.unwrap_or_default();
        stalls.drain(..stalls.len().saturating_sub(SHOWN_STALLS));
        let stalls = stalls.into_iter().map(|stall| ((stall.start - first).as_secs_f64(), stall)).collect();
        Playout { summary, stalls, bands: self.bands(member, now) }
    }

    /// The score of the last seconds; `None` while no picture is expected.
    #[must_use]
    pub fn score(&self, member: &MemberId, now: Timestamp) -> Option<Score> {
        let watched = self.members.get(member)?;
        if watched.declared == Declaration::Playing { watched.meter.recent_score(now) } else { None }
    }

    /// The recent stalls; `None` without frame callbacks, since stalls are unknown then.
    fn bands(&self, member: &MemberId, now: Timestamp) -> Option<Vec<(Timestamp, Timestamp)>> {
        let meter = &self.members.get(member)?.meter;
        meter.summary(now).frames_presented?;
        let recent = |stall: &Stall| now - stall.end() <= HISTORY_SPAN;
        let mut bands: Vec<_> = meter
            .stalls(now)
            .iter()
            .filter(|stall| recent(stall))
            .map(|stall| (stall.start, stall.end()))
            .collect();
        bands.drain(..bands.len().saturating_sub(MAX_BANDS));
        Some(bands)
    }

    /// Notes that a member left for good.
    pub fn forget(&mut self, member: &MemberId, now: Timestamp) {
        let had_picture =
            self.members.remove(member).is_some_and(|gone| gone.declared != Declaration::NoPicture);
        let mut left = self.members.values().map(|other| other.declared).chain([self.own]);
        let is_picture_left = left.any(|declared| declared != Declaration::NoPicture);
        let sources_left = !self.members.is_empty() && (is_picture_left || !had_picture);
        self.run.handle_gone(member, sources_left, now);
    }

    /// Starts a run with all members in the room.
    pub fn start_run(
        &mut self,
        id: RunId,
        local: Party,
        room: &str,
        limit: Option<Duration>,
        now: Timestamp,
    ) {
        if !self.is_running() {
            self.dump = RtcStatsDump::default();
        }
        self.run.start(id, local, room, limit, now);
    }

    /// Whether a run of this page is in progress, or waits for its first frame.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.run.state(), RunState::Waiting | RunState::Running)
    }

    /// The members in whose runs this page takes part.
    pub fn measured_by(&self) -> impl Iterator<Item = &MemberId> {
        self.run.measured_by()
    }

    /// Stops taking part in a member's run.
    pub fn refuse_run(&mut self, member: &MemberId) {
        self.run.refuse(member);
    }

    /// Ends the run of this page.
    pub fn stop_run(&mut self, now: Timestamp) {
        self.run.stop(now);
    }

    /// Notes that the channel to a member opened.
    pub fn handle_open(
        &mut self,
        observed: Party,
        member: &MemberId,
        conditions: Vec<(String, String)>,
        now: Timestamp,
    ) {
        let &mut Watched { declared, sends_sound, is_screen, is_file, ref meter, .. } = self.of(member, now);
        let begins_within = meter.has_report();
        let is_visible = self.is_visible;
        for recorder in self.run.recorders(member) {
            recorder.handle_opened(now);
        }
        self.run.handle_open(member, || {
            let meter = if begins_within { PlayoutMeter::within(now) } else { PlayoutMeter::new(now) };
            let mut recorder = Recorder::new(observed.clone(), meter);
            recorder.handle_declaration(declared, now);
            recorder.handle_sound_declared(sends_sound, now);
            recorder.handle_shows_only_changes(is_screen);
            recorder.handle_visibility(is_visible, now);
            if is_file {
                recorder.handle_file(now);
            }
            recorder.set_conditions(conditions.clone());
            recorder
        });
    }

    /// Takes a member's message about a run. Returns whether the message started a run of the member.
    pub fn handle_run(
        &mut self,
        member: &MemberId,
        message: &ControlMessage,
        local: impl FnOnce() -> (Party, String),
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) -> bool {
        self.run.handle_control(member, message, local, clock, now)
    }

    /// The next action for a run.
    pub fn poll_run(&mut self) -> Option<RunOutput> {
        self.run.poll_output()
    }

    /// The state of the run.
    #[must_use]
    pub fn run_state(&self) -> RunState {
        self.run.state()
    }

    /// How long the run has lasted.
    #[must_use]
    pub fn run_lasted(&self, now: Timestamp) -> Duration {
        self.run.lasted(now)
    }

    /// The report of the run after its end; `unix_ms` is the time of day now.
    #[must_use]
    pub fn report(&self, unix_ms: u64, now: Timestamp) -> Option<Report> {
        self.run.report(unix_ms as f64, now)
    }

    /// The run's raw stats reports, in the format of the rtcstats tools.
    #[must_use]
    pub fn dump(&self, header: &RtcStatsHeader) -> String {
        self.dump.to_text(header)
    }

    fn of(&mut self, member: &MemberId, now: Timestamp) -> &mut Watched {
        let is_visible = self.is_visible;
        self.members.entry(member.clone()).or_insert_with(|| {
            let mut meter = PlayoutMeter::new(now);
            meter.handle_visibility(is_visible, now);
            let (stamps, sender) = (FrameLog::default(), SenderTimeline::default());
            Watched {
                meter,
                stamps,
                stamp_check: StampCheck::default(),
                sender,
                declared: Declaration::Playing,
                sends_sound: true,
                is_screen: false,
                is_file: false,
                is_stamped: false,
            }
        })
    }
}

/// Whether to expect sound from a member with this published state: from its microphone, a playing file, or a screen.
fn sends_sound(published: PublishedState) -> bool {
    let is_stopped = matches!(
        published.playback,
        Some(Playback::Paused | Playback::Seeking | Playback::Ended | Playback::Failed)
    );
    published.microphone
        || match published.source {
            PublishedSource::File => !is_stopped,
            PublishedSource::Screen => true,
            _ => false,
        }
}
