//! One peer connection as the session sees it.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    signaling::{Signal, SignalCandidate, SignalPayload},
    telemetry::TelemetryMessage,
};

use super::{LinkId, LinkName};
use crate::{
    Timestamp,
    negotiation::{Completed, Negotiator, NegotiatorOutput, Operation, OperationFailure, OperationId, Role},
    ping::{Heard, Pings, Pong},
    recovery::{ATTEMPT_DEADLINE, Health, LinkWatch, PeerConnectionState},
    trust::EndFingerprints,
};

/// How long the first connection to a member may take to come up before a new one replaces it.
const FIRST_DEADLINE: Duration = Duration::from_secs(20);
/// How much longer the following side waits for a connection that is built beside another, so that the leading side gives it up
/// first.
const FOLLOWING_GRACE: Duration = Duration::from_secs(5);

/// How long a link may take to come up. `recovers` says that the link replaces one that did come up.
#[must_use]
pub fn time_to_come_up(role: Role, recovers: bool) -> Duration {
    match (recovers, role) {
        (false, _) => FIRST_DEADLINE,
        (true, Role::Offerer) => ATTEMPT_DEADLINE,
        (true, Role::Answerer) => ATTEMPT_DEADLINE + FOLLOWING_GRACE,
    }
}

/// What the caller is to do for a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkOutput {
    /// Perform this and report with [`Link::handle_completed`].
    Perform(OperationId, Operation),
    /// Send this to the other side through the signaling server.
    Signal(Signal),
    /// Send this on the `telemetry` channel.
    Telemetry(TelemetryMessage),
    /// Negotiation on the link failed for good, with this error.
    Broken(OperationFailure),
    /// The result of [`Link::fingerprints`] changed.
    FingerprintsChanged,
}

/// The result of handing a message of the `telemetry` channel to its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TelemetryReading {
    /// The link handled the message.
    Taken,
    /// The message answers a ping.
    Pong(Pong),
    /// The message is about something else.
    Other(TelemetryMessage),
}

/// A peer connection that is being made, or is up.
///
/// Contract: after every `handle_*` and after [`Self::restart_ice`], take what [`Self::poll_output`] gives until it gives
/// nothing. [`Self::handle_timeout`] is called when [`Self::poll_timeout`] has passed; the owner of a link decides what happens
/// to a link whose deadline has passed.
#[derive(Debug)]
pub struct Link {
    id: LinkId,
    name: LinkName,
    role: Role,
    negotiator: Negotiator,
    watch: LinkWatch,
    /// Deadline for coming up; `None` once the link is up.
    deadline: Option<Timestamp>,
    /// Whether negotiation failed for good; media and data may still flow.
    is_broken: bool,
    fingerprints: EndFingerprints,
    outputs: VecDeque<LinkOutput>,
}

impl Link {
    /// A new link that must come up before `deadline`.
    #[must_use]
    pub fn new(id: LinkId, name: LinkName, role: Role, deadline: Timestamp) -> Self {
        Self {
            id,
            name,
            role,
            negotiator: Negotiator::new(role),
            watch: LinkWatch::default(),
            deadline: Some(deadline),
            is_broken: false,
            fingerprints: EndFingerprints::default(),
            outputs: VecDeque::new(),
        }
    }

    /// The id on this page.
    #[must_use]
    pub fn id(&self) -> LinkId {
        self.id
    }

    /// The name in signals.
    #[must_use]
    pub fn name(&self) -> &LinkName {
        &self.name
    }

    /// The role of this page.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The health of the link. A link whose negotiation failed counts as dead.
    #[must_use]
    pub fn health(&self) -> Health {
        if self.is_broken { Health::Dead } else { self.watch.health() }
    }

    /// Whether media and data can flow, even if negotiation failed for good.
    #[must_use]
    pub fn is_carrying(&self) -> bool {
        self.watch.health() == Health::Carrying
    }

    /// Whether negotiation failed for good.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether the `control` channel accepts messages.
    #[must_use]
    pub fn is_channel_open(&self) -> bool {
        self.watch.is_channel_open()
    }

    /// Whether the link ever came up.
    #[must_use]
    pub fn came_up(&self) -> bool {
        self.deadline.is_none()
    }

    /// Whether the deadline passed before the link came up.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// Notes that the link carries data, or that the other side says so.
    pub fn note_came_up(&mut self) {
        self.deadline = None;
    }

    /// Copies the knowledge about the other side from `older`.
    pub fn take_over_from(&mut self, older: &Self) {
        if older.watch.answers() {
            self.watch.expect_answers();
        }
    }

    /// The fingerprints in all descriptions so far.
    #[must_use]
    pub fn fingerprints(&self) -> &EndFingerprints {
        &self.fingerprints
    }

    /// The pings of the link.
    #[must_use]
    pub fn pings(&self) -> &Pings {
        self.watch.pings()
    }

    /// The pings of the link, to send further ones.
    pub fn pings_mut(&mut self) -> &mut Pings {
        self.watch.pings_mut()
    }

    /// Sends a message on the `telemetry` channel.
    pub fn send_telemetry(&mut self, message: TelemetryMessage) {
        self.outputs.push_back(LinkOutput::Telemetry(message));
    }

    /// Restarts ICE with new credentials.
    pub fn restart_ice(&mut self, now: Timestamp) {
        self.negotiator.restart_ice(now);
    }

    /// Notes that signals reach the other side again: unanswered ones are repeated.
    pub fn handle_path_restored(&mut self, now: Timestamp) {
        self.negotiator.handle_path_restored(now);
    }

    /// Takes a signal of the other side about this link.
    pub fn handle_signal(&mut self, payload: SignalPayload, now: Timestamp) {
        self.negotiator.handle_signal(payload, now);
    }

    /// Notes that `negotiationneeded` fired.
    pub fn handle_negotiation_needed(&mut self, now: Timestamp) {
        self.negotiator.handle_negotiation_needed(now);
    }

    /// Takes a candidate of the local ICE agent.
    pub fn handle_local_candidate(&mut self, candidate: SignalCandidate, now: Timestamp) {
        self.negotiator.handle_local_candidate(candidate, now);
    }

    /// Takes the result of an operation.
    pub fn handle_completed(
        &mut self,
        operation: OperationId,
        result: Result<Completed, OperationFailure>,
        now: Timestamp,
    ) {
        if let Ok(Completed::LocalDescription { sdp }) = &result
            && self.fingerprints.local.add(sdp)
        {
            self.outputs.push_back(LinkOutput::FingerprintsChanged);
        }
        self.negotiator.handle_completed(operation, result, now);
    }

    /// Takes a change of `connectionState`.
    pub fn handle_state(&mut self, state: PeerConnectionState) {
        self.watch.handle_state(state);
    }

    /// Notes that the `control` channel opened.
    pub fn handle_channel_opened(&mut self, now: Timestamp) {
        self.watch.handle_channel_opened(now);
    }

    /// Notes that the `control` channel closed.
    pub fn handle_channel_closed(&mut self) {
        self.watch.handle_channel_closed();
    }

    /// Notes that something arrived on one of the channels.
    pub fn handle_heard(&mut self) {
        self.watch.handle_heard();
    }

    /// Takes the total number of audio and video packets that arrived so far.
    pub fn handle_inbound_packets(&mut self, packets: u64) {
        self.watch.handle_inbound_packets(packets);
    }

    /// Takes a message of the `telemetry` channel.
    pub fn handle_telemetry(&mut self, message: TelemetryMessage, now: Timestamp) -> TelemetryReading {
        match self.watch.pings_mut().handle(message, now) {
            Heard::Asked(answer) => self.send_telemetry(answer),
            Heard::Answered(pong) => {
                self.watch.handle_pong(pong);
                return TelemetryReading::Pong(pong);
            }
            Heard::Clock(message) | Heard::Other(message) => return TelemetryReading::Other(message),
            Heard::Stray => {}
        }
        TelemetryReading::Taken
    }

    /// Notes that the page slept or was offline.
    pub fn handle_wake(&mut self, now: Timestamp) {
        self.watch.handle_wake(now);
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        self.negotiator.handle_timeout(now);
        let ping = self.watch.handle_timeout(now).map(|nonce| TelemetryMessage::Ping { nonce });
        let clock_ping = self.watch.pings_mut().poll_clock(now);
        self.outputs.extend(ping.into_iter().chain(clock_ping).map(LinkOutput::Telemetry));
    }

    /// The time at which [`Self::handle_timeout`] is to be called, or the deadline, whichever is earlier.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        [self.deadline, self.negotiator.poll_timeout(), self.watch.poll_timeout()].into_iter().flatten().min()
    }

    /// The next thing that the caller is to do.
    pub fn poll_output(&mut self) -> Option<LinkOutput> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        Some(match self.negotiator.poll_output()? {
            NegotiatorOutput::Perform(id, operation) => {
                // Noted before the browser has it: from then on it could accept another certificate.
                if let Operation::SetRemoteDescription(description) = &operation
                    && self.fingerprints.remote.add(&description.sdp)
                {
                    self.outputs.push_back(LinkOutput::FingerprintsChanged);
                }
                LinkOutput::Perform(id, operation)
            }
            NegotiatorOutput::Send(payload) => LinkOutput::Signal(Signal {
                connection: self.name.connection.clone(),
                generation: self.name.generation,
                payload,
            }),
            NegotiatorOutput::Broken(failure) => {
                self.is_broken = true;
                LinkOutput::Broken(failure)
            }
        })
    }
}
