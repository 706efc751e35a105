//! What is measured of how each member's picture is shown, now and in a run. It belongs to the session: it outlives a peer
//! connection that is rebuilt.

use std::{collections::HashMap, time::Duration};

use sightline_browser::{
    clock, environment,
    frame_watch::{FrameWatch, NotedFrame},
    location, page,
};
use sightline_core::{
    Timestamp,
    clock::ClockEstimate,
    playout::{Declaration, PlayoutMeter, PlayoutSummary, SenderTimeline, Stall},
    report::{Party, Report, RtcStatsDump, RtcStatsHeader},
    run::{Recorder, Run, RunOutput, RunState},
    stamp::{FrameLog, FrameTruth},
    stats::{Figure, StatsEntry},
};
use sightline_protocol::{
    MemberId, RunId,
    control::{ControlMessage, Playback, PublishedSource, PublishedState},
};

/// Stalls that the page shows, the latest: the whole ledger is in a report.
const SHOWN_STALLS: usize = 50;

/// How a member's picture was shown, for the page: in the run where there is one, else since it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Playout {
    /// The totals.
    pub summary: PlayoutSummary,
    /// The latest stalls, oldest first, each with the seconds from the first frame to its start.
    pub stalls: Vec<(f64, Stall)>,
}

/// Everybody's.
#[derive(Debug, Default)]
pub struct PlayoutWatch {
    members: HashMap<MemberId, Watched>,
    is_hidden: bool,
    run: Run,
    dump: RtcStatsDump,
}

#[derive(Debug)]
struct Watched {
    meter: PlayoutMeter,
    stamps: FrameLog,
    sender: SenderTimeline,
    declared: Declaration,
    is_screen: bool,
    /// Whether every frame carries a stamp, as the member says.
    is_stamped: bool,
}

impl PlayoutWatch {
    /// Takes what a member says it publishes.
    pub fn handle_published(&mut self, member: &MemberId, published: PublishedState, now: Timestamp) {
        let declaration = declaration(published);
        let watched = self.of(member, now);
        watched.meter.handle_declaration(declaration, now);
        watched.declared = declaration;
        let is_screen = published.source == PublishedSource::Screen;
        watched.meter.handle_shows_only_changes(is_screen);
        watched.is_screen = is_screen;
        if published.stamped && !watched.is_stamped {
            watched.stamps = FrameLog::default();
        }
        watched.is_stamped = published.stamped;
        if let Some(recorder) = self.run.recorder(member) {
            recorder.handle_declaration(declaration, now);
            recorder.handle_shows_only_changes(is_screen);
        }
        if declaration == Declaration::Ended {
            self.run.handle_file_ended(now);
        }
    }

    /// Takes what this page publishes.
    pub fn handle_own_published(&mut self, published: PublishedState, now: Timestamp) {
        if declaration(published) == Declaration::Ended {
            self.run.handle_file_ended(now);
        }
    }

    /// Takes whether media can flow to and from a member.
    pub fn handle_connected(&mut self, member: &MemberId, is_connected: bool, now: Timestamp) {
        self.of(member, now).meter.handle_connected(is_connected, now);
        if let Some(recorder) = self.run.recorder(member) {
            recorder.handle_connected(is_connected, now);
        }
    }

    /// Takes whether this page can be seen.
    pub fn handle_visibility(&mut self, is_visible: bool, now: Timestamp) {
        self.is_hidden = !is_visible;
        for (member, watched) in &mut self.members {
            watched.meter.handle_visibility(is_visible, now);
            if let Some(recorder) = self.run.recorder(member) {
                recorder.handle_visibility(is_visible, now);
            }
        }
    }

    /// Takes a message of the `telemetry` channel. What is not understood is ignored.
    pub fn handle_telemetry(&mut self, member: &MemberId, text: &str, now: Timestamp) {
        let watched = self.of(member, now);
        if let Some(interval) = watched.sender.handle_telemetry(text, now) {
            watched.meter.handle_sender(interval, now);
            if let Some(recorder) = self.run.recorder(member) {
                recorder.handle_sender(interval, now);
            }
        }
    }

    /// Takes the frames that were shown since the last report, and how the member's clock stands to this page's.
    pub fn handle_frames(
        &mut self,
        member: &MemberId,
        frames: &FrameWatch,
        clock: Option<ClockEstimate>,
        now: Timestamp,
    ) {
        let watched = self.of(member, now);
        if frames.is_attached() {
            watched.meter.handle_callbacks_supported();
        }
        let noted = frames.take();
        for NotedFrame { shown, stamp } in &noted {
            watched.meter.handle_frame(*shown, now);
            if let Some(reading) = stamp {
                watched.stamps.handle_shown(reading.stamp, reading.cost, shown, clock);
            }
        }
        let Some(recorder) = self.run.recorder(member) else { return };
        for NotedFrame { shown, stamp } in &noted {
            recorder.handle_frame(*shown, now);
            if let Some(reading) = stamp {
                recorder.handle_stamp(reading.stamp, reading.cost, shown, clock);
            }
        }
    }

    /// What is true of a member's stamped frames; `None` while they carry no stamps.
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

    /// Takes the rows that follow from the report, for a run.
    pub fn record(&mut self, member: &MemberId, entries: &[StatsEntry], rows: &[Figure], now: Timestamp) {
        if let Some(recorder) = self.run.recorder(member) {
            recorder.handle_report(entries, rows, now);
            self.dump.handle_report(member.as_str(), entries, clock::unix_ms());
        }
        self.run.handle_progress(now);
    }

    /// How the picture was shown, for the page.
    pub fn shown(&self, member: &MemberId, now: Timestamp) -> Playout {
        let (summary, mut stalls, first) = match (self.run.record(member), self.members.get(member)) {
            (Some(record), _) => (record.summary(now), record.stalls(now), record.first_shown()),
            (None, Some(watched)) => {
                (watched.meter.summary(now), watched.meter.stalls(now), watched.meter.first_shown())
            }
            (None, None) => return Playout::default(),
        };
        let first = first.unwrap_or_default();
        stalls.drain(..stalls.len().saturating_sub(SHOWN_STALLS));
        let stalls = stalls.into_iter().map(|stall| ((stall.start - first).as_secs_f64(), stall)).collect();
        Playout { summary, stalls }
    }

    /// A member is gone for good.
    pub fn forget(&mut self, member: &MemberId, now: Timestamp) {
        self.members.remove(member);
        self.run.handle_gone(member, !self.members.is_empty(), now);
    }

    /// Begins a run of everybody who is there.
    pub fn start_run(&mut self, id: RunId, local: Party, room: &str, limit: Option<Duration>) {
        self.dump = RtcStatsDump::default();
        self.run.start(id, local, room, limit);
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
        let &mut Watched { declared, is_screen, .. } = self.of(member, now);
        let is_hidden = self.is_hidden;
        self.run.handle_open(member, || {
            let mut recorder = Recorder::new(observed, now);
            recorder.handle_declaration(declared, now);
            recorder.handle_shows_only_changes(is_screen);
            recorder.handle_visibility(!is_hidden, now);
            recorder.set_conditions(conditions);
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
    pub fn run_state(&self) -> RunState {
        self.run.state()
    }

    /// How long it is on.
    pub fn run_lasted(&self, now: Timestamp) -> Duration {
        self.run.lasted(now)
    }

    /// Its report, once it is over.
    pub fn report(&self, now: Timestamp) -> Option<Report> {
        self.run.report(clock::unix_ms() as f64, now)
    }

    /// The raw reports.
    pub fn dump(&self) -> String {
        self.dump.to_text(&RtcStatsHeader {
            user_agent: environment::user_agent(),
            url: {
                let place = location::Location::current();
                place.origin + &place.path
            },
        })
    }

    fn of(&mut self, member: &MemberId, now: Timestamp) -> &mut Watched {
        let is_visible = page::is_visible();
        self.members.entry(member.clone()).or_insert_with(|| {
            let mut meter = PlayoutMeter::new(now);
            meter.handle_visibility(is_visible, now);
            let (stamps, sender) = (FrameLog::default(), SenderTimeline::default());
            Watched {
                meter,
                stamps,
                sender,
                declared: Declaration::Playing,
                is_screen: false,
                is_stamped: false,
            }
        })
    }
}

fn declaration(published: PublishedState) -> Declaration {
    match (published.source, published.playback) {
        (PublishedSource::None, _) => Declaration::NoPicture,
        (_, Some(Playback::Paused)) => Declaration::Paused,
        (_, Some(Playback::Seeking)) => Declaration::Seeking,
        (_, Some(Playback::Ended)) => Declaration::Ended,
        _ => Declaration::Playing,
    }
}
