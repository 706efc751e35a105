//! How every member's picture is shown, now and in a run: for each member a meter, what its stamps tell, and in a run a
//! recorder, all fed with the same frames, reports and words. It belongs to the session: it outlives a peer connection that is
//! rebuilt.

use std::{collections::HashMap, time::Duration};

use sightline_protocol::{
    MemberId, RunId,
    control::{ControlMessage, Playback, PublishedSource, PublishedState},
    telemetry::Sending,
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
        report::{Party, Report, RtcStatsDump, RtcStatsHeader},
        run::{Recorder, Run, RunOutput, RunState},
        stamp::{FrameLog, FrameTruth, StripReading},
    },
};

/// Stalls that the page shows, the latest: the whole ledger is in a report.
const SHOWN_STALLS: usize = 50;
/// Stalls that the charts show.
const MAX_BANDS: usize = 200;

/// How a member's picture was shown, for the page: in the run where there is one, else since it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Playout {
    /// The totals.
    pub summary: PlayoutSummary,
    /// The latest stalls, oldest first, each with the seconds from the first frame to its start.
    pub stalls: Vec<(f64, Stall)>,
    /// When it stood still in the last minutes, oldest first, for the charts; `None` where no frames are noted.
    pub bands: Option<Vec<(Timestamp, Timestamp)>>,
}

/// A frame that was shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotedFrame {
    /// What the browser says of it.
    pub shown: ShownFrame,
    /// What was read of its stamp; `None` while none is read.
    pub stamp: Option<StripReading>,
}

/// Everybody's.
#[derive(Debug)]
pub struct PlayoutWatch {
    members: HashMap<MemberId, Watched>,
    /// Whether this page can be seen.
    is_visible: bool,
    /// What this page publishes.
    own: Declaration,
    run: Run,
    dump: RtcStatsDump,
}

#[derive(Debug)]
struct Watched {
    meter: PlayoutMeter,
    stamps: FrameLog,
    sender: SenderTimeline,
    declared: Declaration,
    sends_sound: bool,
    is_screen: bool,
    /// Whether every frame carries a stamp, as the member says.
    is_stamped: bool,
}

impl PlayoutWatch {
    /// Of nobody yet, on a page that can be seen or not.
    #[must_use]
    pub fn new(is_visible: bool) -> Self {
        let (run, dump) = (Run::default(), RtcStatsDump::default());
        Self { members: HashMap::new(), is_visible, own: Declaration::NoPicture, run, dump }
    }

    /// Takes what a member says it publishes.
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
        if published.stamped && !watched.is_stamped {
            watched.stamps = FrameLog::default();
        }
        watched.is_stamped = published.stamped;
        for recorder in self.run.recorders(member) {
            recorder.handle_declaration(declaration, now);
            recorder.handle_sound_declared(sends_sound, now);
            recorder.handle_shows_only_changes(is_screen);
        }
        if declaration == Declaration::Ended {
            self.handle_file_ended(now);
        }
    }

    /// One of several cannot end what is measured of the others: on every page the run goes on while anybody plays, itself included.
    fn handle_file_ended(&mut self, now: Timestamp) {
        let mut declared = self.members.values().map(|member| member.declared).chain([self.own]);
        if !declared.any(|declared| declared == Declaration::Playing) {
            self.run.handle_file_ended(now);
        }
    }

    /// Takes what this page publishes.
    pub fn handle_own_published(&mut self, published: PublishedState, now: Timestamp) {
        self.own = Declaration::of(published);
        if self.own == Declaration::Ended {
            self.handle_file_ended(now);
        }
    }

    /// Takes whether media can flow to and from a member.
    pub fn handle_connected(&mut self, member: &MemberId, is_connected: bool, now: Timestamp) {
        self.of(member, now).meter.handle_connected(is_connected, now);
        for recorder in self.run.recorders(member) {
            recorder.handle_connected(is_connected, now);
        }
    }

    /// Takes whether this page can be seen.
    pub fn handle_visibility(&mut self, is_visible: bool, now: Timestamp) {
        self.is_visible = is_visible;
        for (member, watched) in &mut self.members {
            watched.meter.handle_visibility(is_visible, now);
            for recorder in self.run.recorders(member) {
                recorder.handle_visibility(is_visible, now);
            }
        }
    }

    /// Takes what a member tells of the picture that it sends; `clock` is the member's.
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

    /// The browser calls for a member's frames: where none come none are shown.
    pub fn handle_frames_are_noted(&mut self, member: &MemberId, now: Timestamp) {
        self.of(member, now).meter.handle_callbacks_supported();
    }

    /// Takes a frame that was shown, and how the member's clock stands to this page's.
    pub fn handle_frame(
        &mut self,
        member: &MemberId,
        NotedFrame { shown, stamp }: NotedFrame,
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) {
        let watched = self.of(member, now);
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

    /// What is true of a member's stamped frames; `None` while they carry no stamps.
    #[must_use]
    pub fn truth(&self, member: &MemberId) -> Option<FrameTruth> {
        self.members.get(member).filter(|watched| watched.is_stamped)?.stamps.known()
    }

    /// Takes a stats report; the totals since the member came.
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

    /// Takes the rows that follow from the report, for a run; `unix_ms` is the time of day.
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
        }
        if self.is_running() && self.run.record(member).is_some() {
            self.dump.handle_report(member.as_str(), entries, unix_ms);
        }
        self.run.handle_progress(now);
    }

    /// How the picture was shown, for the page.
    #[must_use]
    pub fn shown(&self, member: &MemberId, now: Timestamp) -> Playout {
        let (mut summary, mut stalls, first) = match (self.run.record(member), self.members.get(member)) {
            (Some(record), _) => (record.summary(now), record.stalls(now), record.first_shown()),
            (None, Some(watched)) => {
                (watched.meter.summary(now), watched.meter.stalls(now), watched.meter.first_shown())
            }
            (None, None) => return Playout::default(),
        };
        // One judge for bars, sentence and score: that of a run is in its report.
        summary.score = self.score(member, now);
        let first = first.unwrap_or_default();
        stalls.drain(..stalls.len().saturating_sub(SHOWN_STALLS));
        let stalls = stalls.into_iter().map(|stall| ((stall.start - first).as_secs_f64(), stall)).collect();
        Playout { summary, stalls, bands: self.bands(member, now) }
    }

    /// The score of the last seconds; `None` while no picture is to be expected.
    #[must_use]
    pub fn score(&self, member: &MemberId, now: Timestamp) -> Option<Score> {
        let watched = self.members.get(member)?;
        if watched.declared == Declaration::Playing { watched.meter.recent_score(now) } else { None }
    }

    /// The stalls of the last minutes; `None` where nobody calls for frames, so that nothing is known of them.
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

    /// A member is gone for good.
    pub fn forget(&mut self, member: &MemberId, now: Timestamp) {
        let had_picture =
            self.members.remove(member).is_some_and(|gone| gone.declared != Declaration::NoPicture);
        let mut left = self.members.values().map(|other| other.declared).chain([self.own]);
        let is_picture_left = left.any(|declared| declared != Declaration::NoPicture);
        let sources_left = !self.members.is_empty() && (is_picture_left || !had_picture);
        self.run.handle_gone(member, sources_left, now);
    }

    /// Begins a run of everybody who is there.
    pub fn start_run(&mut self, id: RunId, local: Party, room: &str, limit: Option<Duration>) {
        if !self.is_running() {
            self.dump = RtcStatsDump::default();
        }
        self.run.start(id, local, room, limit);
    }

    /// Whether a run of this page is on, or waits for its first frame.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.run.state(), RunState::Waiting | RunState::Running)
    }

    /// Whose runs are on in which this page takes part.
    pub fn measured_by(&self) -> impl Iterator<Item = &MemberId> {
        self.run.measured_by()
    }

    /// Takes no part in a member's run any more.
    pub fn refuse_run(&mut self, member: &MemberId) {
        self.run.refuse(member);
    }

    /// Ends it.
    pub fn stop_run(&mut self, now: Timestamp) {
        self.run.stop(now);
    }

    /// The way to a member is open.
    pub fn handle_open(
        &mut self,
        observed: Party,
        member: &MemberId,
        conditions: Vec<(String, String)>,
        now: Timestamp,
    ) {
        let &mut Watched { declared, sends_sound, is_screen, ref meter, .. } = self.of(member, now);
        let begins_within = meter.has_report();
        let is_visible = self.is_visible;
        self.run.handle_open(member, || {
            let meter = if begins_within { PlayoutMeter::within(now) } else { PlayoutMeter::new(now) };
            let mut recorder = Recorder::new(observed.clone(), meter);
            recorder.handle_declaration(declared, now);
            recorder.handle_sound_declared(sends_sound, now);
            recorder.handle_shows_only_changes(is_screen);
            recorder.handle_visibility(is_visible, now);
            recorder.set_conditions(conditions.clone());
            recorder
        });
    }

    /// A member said something of a run; whether one was begun by it.
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

    /// The next thing to do for a run.
    pub fn poll_run(&mut self) -> Option<RunOutput> {
        self.run.poll_output()
    }

    /// Where the run is.
    #[must_use]
    pub fn run_state(&self) -> RunState {
        self.run.state()
    }

    /// How long it is on.
    #[must_use]
    pub fn run_lasted(&self, now: Timestamp) -> Duration {
        self.run.lasted(now)
    }

    /// Its report, once it is over; `unix_ms` is the time of day now.
    #[must_use]
    pub fn report(&self, unix_ms: u64, now: Timestamp) -> Option<Report> {
        self.run.report(unix_ms as f64, now)
    }

    /// The run's raw stats reports, as the rtcstats tools read them.
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
                sender,
                declared: Declaration::Playing,
                sends_sound: true,
                is_screen: false,
                is_stamped: false,
            }
        })
    }
}

/// Whether sound is to be expected of a member that publishes this: that of its microphone, of a file that plays, or of a screen.
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
