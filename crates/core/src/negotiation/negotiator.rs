//! The perfect-negotiation state machine. (being written)
use std::time::Duration;

use sightline_protocol::signalling::{SignalCandidate, SignalPayload};

use super::{Completed, Operation, OperationFailure, OperationId, Politeness, Role};
use crate::Timestamp;

/// What the negotiator wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NegotiatorOutput {
    /// Perform this and report with [`Negotiator::handle_completed`].
    Perform(OperationId, Operation),
    /// Send this to the other side.
    Send(SignalPayload),
    /// The peer connection cannot be used further: build a new one with a new generation.
    Broken(OperationFailure),
}

/// Negotiates one peer connection.
#[derive(Debug)]
pub struct Negotiator {}

impl Negotiator {
    /// A negotiator for a new peer connection.
    #[must_use]
    pub fn new(_role: Role, _politeness: Politeness) -> Self {
        Self {}
    }
    /// `negotiationneeded` fired.
    pub fn handle_negotiation_needed(&mut self, _now: Timestamp) {}
    /// New ICE credentials are wanted.
    pub fn restart_ice(&mut self, _now: Timestamp) {}
    /// The local ICE agent found a candidate.
    pub fn handle_local_candidate(&mut self, _candidate: SignalCandidate, _now: Timestamp) {}
    /// The other side said something.
    pub fn handle_signal(&mut self, _payload: SignalPayload, _now: Timestamp) {}
    /// An operation ended.
    pub fn handle_completed(
        &mut self,
        _id: OperationId,
        _result: Result<Completed, OperationFailure>,
        _now: Timestamp,
    ) {
    }
    /// Signals can reach the other side again after a time when they could not: what may have been lost is repeated.
    pub fn handle_path_restored(&mut self, _now: Timestamp) {}
    /// Time passed.
    pub fn handle_timeout(&mut self, _now: Timestamp) {}
    /// When `handle_timeout` wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let _ = Duration::ZERO;
        None
    }
    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<NegotiatorOutput> {
        None
    }
}
