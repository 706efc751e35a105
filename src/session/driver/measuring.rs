//! Translates between the browser and the measurements: observations in, outputs performed.

use leptos::task::spawn_local;
use sightline_browser::{
    files::text_file,
    page::{clock, environment, lifecycle, location::Location, random},
};
use sightline_core::{
    Timestamp,
    measure::{
        ConnectionReport, MeasureOutput, Measurements, Observation, StatsEntry,
        connection::Subject,
        inbound_packets,
        report::{Party, Report, RtcStatsHeader, to_csv},
    },
    room::{LinkId, RoomEvent},
    trust::Refusal,
};
use sightline_protocol::{MemberId, Presence, RoomName, RunId};

use super::Driver;
use crate::{
    in_chunk,
    session::{
        link::Link,
        log::Level,
        media::LocalMedia,
        model::{Export, RunShown},
    },
};

in_chunk! {
    /// Saves a report, or the dump of what the browser counted.
    fn save_report, load_save_report in room(report: Report, dump: Option<String>, export: Export) -> () {
        let name = |extension: &str| format!("sightline-{}-{}.{extension}", report.room, short(&report.run));
        // If the disk is full, the browser itself says so.
        let _ = match export {
            Export::Json => text_file::save(&name("json"), "application/json", &report.to_json()),
            Export::Csv => text_file::save(&name("csv"), "text/csv", &to_csv(&report)),
            Export::RtcStats => {
                text_file::save(&name("rtcstats.jsonl"), "application/x-ndjson", &dump.unwrap_or_default())
            }
        };
    }
}

/// The measurements of this page in a room.
pub(super) fn measurements(room: &RoomName, name: String, media: &LocalMedia) -> Measurements {
    let local = Party { member: String::new(), name, browser: environment::user_agent() };
    let mut measurements = Measurements::new(room.as_str(), local, lifecycle::is_visible());
    measurements.set_conditions(conditions(media));
    measurements
}

impl Driver {
    pub(super) fn handle_stats(&mut self, id: LinkId, entries: Vec<StatsEntry>, now: Timestamp) {
        self.session.handle_inbound_packets(id, inbound_packets(&entries));
        let is_in_use = self.session.is_in_use(id);
        let Some(link) = self.links.get(&id).filter(|_| is_in_use) else { return };
        let (member, frames) = (link.member.clone(), self.frames.of(&link.member));
        let is_watched = self.measurements.is_watched();
        // Descriptions are long, so they are read only while they are shown.
        let (local_sdp, remote_sdp) = if is_watched { link.descriptions() } else { (None, None) };
        let report = ConnectionReport {
            link: id,
            entries,
            states: link.states(),
            are_frames_noted: frames.is_attached(),
            frames: frames.take().into(),
            local_sdp,
            remote_sdp,
            unix_ms: clock::unix_ms(),
        };
        self.measurements.set_own_file(self.media.file_entry());
        self.measurements.set_source_frames(self.media.source_frames());
        self.observe(&member, Observation::Report(Box::new(report)), now);
    }

    /// Tells the measurements about an event of the room.
    pub(super) fn measure_event(&mut self, event: &RoomEvent, now: Timestamp) {
        match event {
            RoomEvent::PeerChanged(member) => {
                let Some(peer) = self.session.peer(member) else { return };
                let (name, published) = (peer.member.name.as_str().to_owned(), peer.published);
                let is_away = peer.member.presence == Presence::Away;
                self.frames.of(member).read_stamps(published.is_some_and(|published| published.stamped));
                self.observe(member, Observation::Present { name, published }, now);
                self.observe(member, Observation::Away(is_away), now);
            }
            RoomEvent::PeerGone(member) => {
                self.frames.forget(member);
                self.observe(member, Observation::Gone, now);
            }
            RoomEvent::WayOpen(member) => self.observe(member, Observation::ChannelOpened, now),
            RoomEvent::Run(member, message) => {
                self.observe(member, Observation::Run(message.clone()), now);
            }
            RoomEvent::NegotiationBroken(member, _, cause) => {
                let cause = format!("{}: {}", cause.name, cause.message);
                self.note_failure(member, Subject::Negotiation, &cause, now);
            }
            // A signal for the page before a reload is ordinary.
            RoomEvent::SignalRefused(member, refusal)
                if !matches!(refusal, Refusal::Stale | Refusal::OtherSecret) =>
            {
                self.note_failure(member, Subject::SignalRefused, refusal.as_str(), now);
            }
            RoomEvent::Entered { you, .. } => {
                self.measurements.handle_entered(you);
                if let Some(limit) = self.run_limit.take() {
                    self.measurements.start_run(RunId::from_random(random::bits()), Some(limit), now);
                    self.perform_measurements();
                }
            }
            _ => {}
        }
    }

    /// Passes an observation of a member to the measurements.
    pub(super) fn observe(&mut self, member: &MemberId, observation: Observation, now: Timestamp) {
        self.measurements.handle(member, observation, now);
        self.perform_measurements();
    }

    /// Passes an observation of a link to the measurements, if the link is in use.
    pub(super) fn observe_link(&mut self, id: LinkId, observation: Observation, now: Timestamp) {
        let link = self.links.get(&id).filter(|_| self.session.is_in_use(id));
        if let Some(member) = link.map(|link| link.member.clone()) {
            self.observe(&member, observation, now);
        }
    }

    /// The browser refused a call: the connection's log keeps why.
    pub(super) fn note_failed_call(&mut self, member: &MemberId, method: &str, error: &str) {
        if self.note_failure(member, Subject::FailedCall, &format!("{method}: {error}"), clock::now()) {
            let fields = [("member", member.as_str()), ("method", method), ("error", error)];
            self.log.write(Level::Warn, "call failed", &fields);
        }
    }

    fn note_failure(&mut self, member: &MemberId, subject: Subject, cause: &str, now: Timestamp) -> bool {
        let is_kept = self.measurements.handle_failure(member, subject, cause, now);
        self.perform_measurements();
        is_kept
    }

    /// As [`Self::note_failed_call`], for a call on a link. Nothing is noted of a closed link, which refuses every call.
    pub(super) fn note_failed_call_on(&mut self, link: LinkId, method: &str, error: &str) {
        if let Some(member) = self.member_of(link) {
            self.note_failed_call(&member, method, error);
        }
    }

    fn member_of(&self, link: LinkId) -> Option<MemberId> {
        let of_bulk_link = || self.bulk_links.get(&link).map(|link| &link.member);
        self.links.get(&link).map(|link| &link.member).or_else(of_bulk_link).cloned()
    }

    pub(super) fn note(&mut self, link: LinkId, subject: Subject, word: &str, now: Timestamp) {
        self.observe_link(link, Observation::State(subject, word.to_owned()), now);
    }

    pub(super) fn start_run(&mut self, now: Timestamp) {
        self.measurements.start_run(RunId::from_random(random::bits()), None, now);
        self.perform_measurements();
    }

    /// Saves the result of a run as a file.
    pub(super) fn export(&self, export: Export, now: Timestamp) {
        let Some(report) = self.measurements.report(clock::unix_ms(), now) else { return };
        let dump = (export == Export::RtcStats).then(|| {
            let place = Location::current();
            let header =
                RtcStatsHeader { user_agent: environment::user_agent(), url: place.origin + &place.path };
            self.measurements.dump(&header)
        });
        spawn_local(async move {
            // The button for it is in the same module.
            let _ = save_report(report, dump, export).await;
        });
    }

    /// Performs the outputs of the measurements.
    pub(super) fn perform_measurements(&mut self) {
        while let Some(output) = self.measurements.poll_output() {
            match output {
                MeasureOutput::SendTelemetry(link, message) => self.session.send_telemetry(link, &message),
                MeasureOutput::SendControl(member, message) => self.session.send_control(&member, &message),
                MeasureOutput::ReadStats => self.links.values().for_each(Link::read_stats),
                MeasureOutput::PictureMissing(member) => self.session.renew_link(&member, clock::now()),
                MeasureOutput::Figures(member, figures) => self.view.show_figures(&member, *figures),
                MeasureOutput::History(member, history) => self.view.show_history(&member, *history),
                MeasureOutput::Receiver(worst) => self.view.show_own_reception(worst.map(|worst| *worst)),
                MeasureOutput::Run(progress) => {
                    let shown = RunShown { state: progress.state, seconds: progress.lasted.as_secs() };
                    self.view.show_run(shown);
                    self.view.show_measured_by(progress.measured_by.iter());
                }
            }
        }
    }
}

/// The settings that a report records as conditions.
pub(super) fn conditions(media: &LocalMedia) -> Vec<(String, String)> {
    let preferences = media.preferences();
    let mut conditions = vec![
        ("source".to_owned(), media.published().source.as_str().to_owned()),
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

fn short(run: &str) -> &str {
    run.get(..6).unwrap_or(run)
}
