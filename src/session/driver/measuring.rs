//! What is measured: reports, frames, what the members declare, and runs.

use std::time::Duration;

use sightline_browser::{clock, environment, location::Location, random, text_file};
use sightline_core::{
    Timestamp,
    measure::{
        StatsEntry,
        connection::{ExpectedPicture, Subject},
        inbound_packets,
        report::{self, Party, RtcStatsHeader},
        run::RunOutput,
    },
    room::{LinkId, RoomEvent},
};
use sightline_protocol::{MemberId, RunId};

use super::Driver;
use crate::session::model::{Export, RunShown};

impl Driver {
    pub(super) fn handle_stats(&mut self, id: LinkId, entries: &[StatsEntry], now: Timestamp) {
        self.session.handle_inbound_packets(id, inbound_packets(entries));
        let is_in_use = self.session.is_in_use(id);
        let Some(link) = self.links.get_mut(&id).filter(|_| is_in_use) else { return };
        let published = self.session.peer(&link.member).and_then(|peer| peer.published);
        let expected = published.map_or(ExpectedPicture::None, ExpectedPicture::of);
        let states = link.states();
        let member = link.member.clone();
        let (frames, clock) = (self.view.frames(&member), link.clock.estimate(now));
        link.meter.handle_ledger(frames.is_attached());
        let mut figures = link.meter.handle_report(entries, &states, expected, now);
        if frames.is_attached() {
            self.playout.handle_frames_are_noted(&member, now);
        }
        for frame in frames.take() {
            self.playout.handle_frame(&member, frame, clock, now);
        }
        let truth = self.playout.truth(&member);
        figures.add_playout(&self.playout.handle_report(&member, entries, now), truth.as_ref());
        figures.add_score(self.playout.score(&member, now).as_ref());
        link.meter.handle_playout(&figures);
        let told = link.poll_telemetry(entries, now);
        let details = link.details(entries, self.view.shows_figures());
        told.for_each(|message| self.session.send_telemetry(id, &message));
        self.playout.record(&member, entries, &figures.rows, clock::unix_ms(), now);
        if let Some(published) = published {
            self.view.note(&member, Subject::Source, published.source.as_str(), now);
        }
        let playout = self.view.shows_figures().then(|| self.playout.shown(&member, now));
        self.view.show_figures(&member, figures, playout, details, now);
        self.view.show_truth(&member, truth);
        self.show_run(now);
    }

    /// What an event of the room means for what is measured.
    pub(super) fn measure_event(&mut self, event: &RoomEvent, now: Timestamp) {
        match event {
            RoomEvent::PeerChanged(member) => {
                if let Some(published) = self.session.peer(member).and_then(|peer| peer.published) {
                    self.playout.handle_published(member, published, now);
                }
            }
            RoomEvent::PeerGone(member) => self.playout.forget(member, now),
            RoomEvent::WayOpen(member) => self.open_run(member, now),
            RoomEvent::Run(member, message) => {
                let local = (self.local_party(), self.view.room_name());
                let clock = self.links.values().find(|link| link.member == *member);
                let clock = clock.and_then(|link| link.clock.estimate(now));
                if self.playout.handle_run(member, message, || local, clock, now) {
                    self.open_run(member, now);
                }
            }
            RoomEvent::Entered { .. } => {
                if let Some(limit) = self.run_limit.take() {
                    self.start_run(Some(limit), now);
                }
            }
            _ => {}
        }
        self.perform_run(now);
    }

    pub(super) fn start_run(&mut self, limit: Option<Duration>, now: Timestamp) {
        let id = RunId::from_random(random::bits());
        self.playout.start_run(id, self.local_party(), &self.view.room_name(), limit);
        self.begin_run(now);
    }

    fn begin_run(&mut self, now: Timestamp) {
        self.open_runs(now);
        // Its counters begin with a report: the sooner, the better they fit its frames.
        self.next_stats = now;
    }

    pub(super) fn stop_run(&mut self, now: Timestamp) {
        self.playout.stop_run(now);
        self.perform_run(now);
    }

    /// Saves what a run left.
    pub(super) fn export(&self, export: Export, now: Timestamp) {
        let Some(report) = self.playout.report(clock::unix_ms(), now) else { return };
        let name = |extension: &str| format!("sightline-{}-{}.{extension}", report.room, short(&report.run));
        // Where there is no room for it, the browser says so itself.
        let _ = match export {
            Export::Json => text_file::save(&name("json"), "application/json", &report.to_json()),
            Export::Csv => text_file::save(&name("csv"), "text/csv", &report::to_csv(&report)),
            Export::RtcStats => {
                let place = Location::current();
                let header =
                    RtcStatsHeader { user_agent: environment::user_agent(), url: place.origin + &place.path };
                text_file::save(&name("rtcstats.jsonl"), "application/x-ndjson", &self.playout.dump(&header))
            }
        };
    }

    /// Does what the run wants done.
    pub(super) fn perform_run(&mut self, now: Timestamp) {
        while let Some(output) = self.playout.poll_run() {
            match output {
                RunOutput::Send(member, message) => self.session.send_control(&member, &message),
                RunOutput::Changed => {}
            }
        }
        self.show_run(now);
    }

    /// Whether a run of this page is on, so that reports are read although nobody sees the page.
    pub(super) fn is_measuring(&self) -> bool {
        self.playout.is_running()
    }

    fn show_run(&self, now: Timestamp) {
        self.view.show_run(RunShown {
            state: self.playout.run_state(),
            seconds: self.playout.run_lasted(now).as_secs(),
        });
        self.view.show_measured_by(self.playout.measured_by());
    }

    fn open_runs(&mut self, now: Timestamp) {
        for member in self.session.peers().map(|peer| peer.member.id.clone()).collect::<Vec<_>>() {
            self.open_run(&member, now);
        }
        self.perform_run(now);
    }

    fn open_run(&mut self, member: &MemberId, now: Timestamp) {
        let name = self.session.peer(member).map(|peer| peer.member.name.as_str().to_owned());
        let Some(name) = name else { return };
        let observed = Party { member: member.as_str().to_owned(), name, browser: String::new() };
        self.playout.handle_open(observed, member, self.conditions(), now);
    }

    fn local_party(&self) -> Party {
        Party {
            member: self.own_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            name: self.view.own_name(),
            browser: environment::user_agent(),
        }
    }

    /// What is set here.
    fn conditions(&self) -> Vec<(String, String)> {
        let preferences = self.media.preferences();
        let mut conditions = vec![
            ("source".to_owned(), self.media.published().source.as_str().to_owned()),
            ("relay_only".to_owned(), preferences.relay_only().to_string()),
        ];
        if let Some(limit) = preferences.max_bitrate_bps() {
            conditions.push(("max_bitrate_bps".to_owned(), limit.to_string()));
        }
        if let Some(codec) = preferences.codec() {
            conditions.push(("wanted_codec".to_owned(), codec));
        }
        conditions
    }
}

fn short(run: &str) -> &str {
    run.get(..6).unwrap_or(run)
}
