//! Translates between a member and the measurements of the core: observations in, outputs performed.

use sightline_core::{
    Timestamp,
    link::LinkId,
    measure::{
        ConnectionReport, MeasureOutput, Measurements, Observation,
        connection::{ConnectionStates, Subject},
        inbound_packets,
        report::{Party, Report},
    },
    recovery::PeerConnectionState,
    room::RoomEvent,
    signaling::JoinRequest,
    trust::Refusal,
};
use sightline_protocol::{MemberId, Presence, RunId};

use super::{Peer, PeerEvent, random};
use crate::{clock, input::Arrived, link::Link};

/// What a report calls this program where it names the browser of a page.
const PROGRAM: &str = concat!("sightline-peer/", env!("CARGO_PKG_VERSION"));

/// The measurements of this member. Their frames were received and not displayed, which the report says.
pub(super) fn measurements(request: &JoinRequest, relay_only: bool) -> Measurements {
    let name = request.name.as_str().to_owned();
    let local = Party { member: String::new(), name, browser: PROGRAM.to_owned() };
    let mut measurements = Measurements::new(request.room.as_str(), local, true);
    let conditions = [("source", "none".to_owned()), ("frames", "received".to_owned())];
    let conditions = conditions.into_iter().chain([("relay_only", relay_only.to_string())]);
    measurements.set_conditions(conditions.map(|(name, value)| (name.to_owned(), value)).collect());
    measurements
}

impl Peer {
    /// Ends the run.
    pub fn stop_run(&mut self) {
        let now = self.now();
        if let Some(measurements) = &mut self.measurements {
            measurements.stop_run(now);
        }
        self.perform_outputs();
    }

    /// The report of the run after its end.
    #[must_use]
    pub fn report(&self) -> Option<Report> {
        self.measurements.as_ref()?.report(clock::unix_ms(), self.now())
    }

    pub(super) fn observe(&mut self, member: &MemberId, observation: Observation, now: Timestamp) {
        if let Some(measurements) = &mut self.measurements {
            measurements.handle(member, observation, now);
        }
    }

    /// Passes an observation of the member at the other end of a link.
    pub(super) fn observe_on(&mut self, link: LinkId, observation: Observation, now: Timestamp) {
        if let Some(member) = self.links.member(link).cloned() {
            self.observe(&member, observation, now);
        }
    }

    pub(super) fn observe_state(&mut self, link: LinkId, state: PeerConnectionState, now: Timestamp) {
        if let Some(open) = self.links.get_mut(link) {
            open.state = Some(state);
        }
        if self.session.is_in_use(link) {
            self.observe_on(link, Observation::State(Subject::Connection, word(state).to_owned()), now);
            let is_connected = state == PeerConnectionState::Connected;
            self.observe_on(link, Observation::Connected(is_connected), now);
        }
    }

    pub(super) fn handle_arrived(&mut self, link: LinkId, arrived: Arrived, now: Timestamp) {
        let Arrived { entries, has_picture, frames } = arrived;
        self.session.handle_inbound_packets(link, inbound_packets(&entries));
        if !self.session.is_in_use(link) {
            return;
        }
        let state = self.links.get(link).and_then(|link| link.state);
        let states = ConnectionStates {
            connection: state.map(|state| word(state).to_owned()),
            ..ConnectionStates::default()
        };
        let report = ConnectionReport {
            link,
            entries,
            states,
            are_frames_noted: has_picture,
            frames,
            local_sdp: None,
            remote_sdp: None,
            unix_ms: clock::unix_ms(),
        };
        self.observe_on(link, Observation::Report(Box::new(report)), now);
    }

    /// Tells the measurements about an event of the room.
    pub(super) fn measure_event(&mut self, event: &RoomEvent, now: Timestamp) {
        if self.measurements.is_none() {
            return;
        }
        match event {
            RoomEvent::Entered { you, .. } => self.begin_run(you, now),
            RoomEvent::PeerChanged(member) => {
                let Some(peer) = self.session.peer(member) else { return };
                let (name, published) = (peer.member.name.as_str().to_owned(), peer.published);
                let is_away = peer.member.presence == Presence::Away;
                self.take_arrived(member, now);
                self.observe(member, Observation::Present { name, published }, now);
                self.observe(member, Observation::Away(is_away), now);
            }
            RoomEvent::PeerGone(member) => self.observe(member, Observation::Gone, now),
            RoomEvent::WayOpen(member) => self.observe(member, Observation::ChannelOpened, now),
            RoomEvent::Run(member, message) => self.observe(member, Observation::Run(message.clone()), now),
            RoomEvent::NegotiationBroken(member, _, cause) => {
                let cause = format!("{}: {}", cause.name, cause.message);
                self.note_failure(member, Subject::Negotiation, &cause, now);
            }
            // A signal for an earlier process is ordinary.
            RoomEvent::SignalRefused(member, refusal)
                if !matches!(refusal, Refusal::Stale | Refusal::OtherSecret) =>
            {
                self.note_failure(member, Subject::SignalRefused, refusal.as_str(), now);
            }
            _ => {}
        }
    }

    /// Performs the outputs of the measurements. Returns whether there were any.
    pub(super) fn perform_measurements(&mut self) -> bool {
        let mut has_performed = false;
        while let Some(output) = self.measurements.as_mut().and_then(Measurements::poll_output) {
            has_performed = true;
            match output {
                MeasureOutput::SendTelemetry(link, message) => self.session.send_telemetry(link, &message),
                MeasureOutput::SendControl(member, message) => self.session.send_control(&member, &message),
                MeasureOutput::ReadStats => self.links.all().for_each(Link::read_stats),
                MeasureOutput::PictureMissing(member) => {
                    let now = self.now();
                    self.session.renew_link(&member, now);
                }
                MeasureOutput::Figures(member, figures) => {
                    self.events.push_back(PeerEvent::Figures(member, figures));
                }
                MeasureOutput::Run(progress) => self.events.push_back(PeerEvent::Run(progress)),
                // Nobody looks at them, and nothing is sent.
                MeasureOutput::History(..) | MeasureOutput::Receiver(_) => {}
            }
        }
        has_performed
    }

    /// Measures what arrived before the member declares something else: the end of a file may end the run.
    fn take_arrived(&mut self, member: &MemberId, now: Timestamp) {
        let in_use = self.links.to(member).find(|(id, _)| self.session.is_in_use(*id));
        let arrived = in_use.and_then(|(id, link)| Some((id, link.arrived_now()?)));
        if let Some((id, arrived)) = arrived.filter(|(_, arrived)| !arrived.frames.is_empty()) {
            self.handle_arrived(id, arrived, now);
        }
    }

    /// Starts the run of this member, once.
    fn begin_run(&mut self, you: &MemberId, now: Timestamp) {
        let limit = self.watch.as_ref().and_then(|watch| watch.run);
        let (Some(measurements), Ok(bits)) = (&mut self.measurements, random()) else { return };
        measurements.handle_entered(you);
        if !std::mem::replace(&mut self.has_begun_run, true) {
            measurements.start_run(RunId::from_random(bits), limit, now);
        }
    }

    fn note_failure(&mut self, member: &MemberId, subject: Subject, cause: &str, now: Timestamp) {
        if let Some(measurements) = &mut self.measurements {
            measurements.handle_failure(member, subject, cause, now);
        }
    }
}

/// The state as a browser names it.
const fn word(state: PeerConnectionState) -> &'static str {
    match state {
        PeerConnectionState::New => "new",
        PeerConnectionState::Connecting => "connecting",
        PeerConnectionState::Connected => "connected",
        PeerConnectionState::Disconnected => "disconnected",
        PeerConnectionState::Failed => "failed",
        PeerConnectionState::Closed => "closed",
    }
}
