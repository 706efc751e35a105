//! One negotiator; the test plays its browser and its other side.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    negotiation::{Completed, Negotiator, NegotiatorOutput, Operation, OperationFailure, OperationId, Role},
};
use sightline_protocol::signaling::{DescriptionKind, SignalCandidate, SignalDescription, SignalPayload};

pub(crate) struct Driver {
    pub(crate) negotiator: Negotiator,
    pub(crate) now: Timestamp,
}

impl Driver {
    pub(crate) fn new(role: Role) -> Self {
        Self { negotiator: Negotiator::new(role), now: Timestamp::ZERO }
    }

    /// After the first exchange: a local offer with the fragment `own1`, and an answer with `other1`.
    pub(crate) fn after_own_offer() -> Self {
        let mut driver = Self::with_pending_offer();
        driver.hear(answer(1, "other1"));
        let answered = driver.started(&Operation::SetRemoteDescription(description(answer(1, "other1"))));
        driver.done(answered);
        assert_eq!(driver.outputs(), []);
        driver
    }

    /// With the first offer, of the fragment `own1`, sent and unanswered.
    pub(crate) fn with_pending_offer() -> Self {
        let mut driver = Self::new(Role::Offerer);
        driver.need();
        driver.offer("own1");
        assert_eq!(driver.outputs(), [offer(1, "own1")].map(NegotiatorOutput::Send));
        driver
    }

    /// After the first exchange: an offer of the other side with the fragment `other1`, answered with `own1`.
    pub(crate) fn after_remote_offer() -> Self {
        let mut driver = Self::new(Role::Answerer);
        driver.hear(offer(1, "other1"));
        driver.apply_and_answer(offer(1, "other1"), "own1");
        assert_eq!(driver.outputs(), [answer(1, "own1")].map(NegotiatorOutput::Send));
        driver
    }

    /// After the first exchange, with the next offer, of the fragment `own1`, sent and unanswered.
    pub(crate) fn with_second_offer_pending(role: Role) -> Self {
        let mut driver = match role {
            Role::Offerer => Self::after_own_offer(),
            Role::Answerer => Self::after_remote_offer(),
        };
        driver.need();
        driver.offer("own1");
        assert_eq!(driver.outputs(), [offer(2, "own1")].map(NegotiatorOutput::Send));
        driver
    }

    pub(crate) fn need(&mut self) {
        self.negotiator.handle_negotiation_needed(self.now);
    }

    pub(crate) fn hear(&mut self, payload: SignalPayload) {
        self.negotiator.handle_signal(payload, self.now);
    }

    pub(crate) fn gather(&mut self, candidate: SignalCandidate) {
        self.negotiator.handle_local_candidate(candidate, self.now);
    }

    pub(crate) fn restart_ice(&mut self) {
        self.negotiator.restart_ice(self.now);
    }

    pub(crate) fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.negotiator.handle_timeout(self.now);
    }

    pub(crate) fn outputs(&mut self) -> Vec<NegotiatorOutput> {
        std::iter::from_fn(|| self.negotiator.poll_output()).collect()
    }

    /// Expects that the next output starts `operation`. Returns its id.
    pub(crate) fn started(&mut self, operation: &Operation) -> OperationId {
        match self.negotiator.poll_output() {
            Some(NegotiatorOutput::Perform(id, started)) if started == *operation => id,
            other => panic!("expected the start of {operation:?}, got {other:?}"),
        }
    }

    pub(crate) fn done(&mut self, id: OperationId) {
        self.negotiator.handle_completed(id, Ok(Completed::Done), self.now);
    }

    pub(crate) fn described(&mut self, id: OperationId, ufrag: &str) {
        self.negotiator.handle_completed(id, Ok(Completed::LocalDescription { sdp: sdp(ufrag) }), self.now);
    }

    pub(crate) fn failed(&mut self, id: OperationId, name: &str) -> OperationFailure {
        let failure = OperationFailure { name: name.to_owned(), message: "as the test wants it".to_owned() };
        self.negotiator.handle_completed(id, Err(failure.clone()), self.now);
        failure
    }

    /// Expects and completes an offer with this fragment.
    pub(crate) fn offer(&mut self, ufrag: &str) {
        let id = self.started(&Operation::SetLocalOffer { ice_restart: false });
        self.described(id, ufrag);
    }

    /// Delivers `offer`, and expects that it is applied and answered with this fragment.
    pub(crate) fn apply_and_answer(&mut self, offer: SignalPayload, ufrag: &str) {
        let applying = self.started(&Operation::SetRemoteDescription(description(offer)));
        self.done(applying);
        let answering = self.started(&Operation::SetLocalAnswer);
        self.described(answering, ufrag);
    }
}

pub(crate) fn sdp(ufrag: &str) -> String {
    format!("v=0\r\na=ice-ufrag:{ufrag}\r\n")
}

pub(crate) fn offer(exchange: u32, ufrag: &str) -> SignalPayload {
    SignalPayload::Description(SignalDescription {
        kind: DescriptionKind::Offer,
        exchange,
        sdp: sdp(ufrag),
        published: None,
    })
}

pub(crate) fn answer(exchange: u32, ufrag: &str) -> SignalPayload {
    SignalPayload::Description(SignalDescription {
        kind: DescriptionKind::Answer,
        exchange,
        sdp: sdp(ufrag),
        published: None,
    })
}

pub(crate) fn description(payload: SignalPayload) -> SignalDescription {
    match payload {
        SignalPayload::Description(description) => description,
        other => panic!("not a description: {other:?}"),
    }
}

pub(crate) fn candidate(ufrag: &str, number: usize) -> SignalCandidate {
    SignalCandidate {
        candidate: format!("candidate:{number} 1 udp 1 192.0.2.1 9 typ host"),
        sdp_mid: Some("0".to_owned()),
        sdp_m_line_index: Some(0),
        ufrag: Some(ufrag.to_owned()),
    }
}

pub(crate) fn sent(payload: SignalPayload) -> NegotiatorOutput {
    NegotiatorOutput::Send(payload)
}

pub(crate) fn sent_candidate(candidate: SignalCandidate) -> NegotiatorOutput {
    NegotiatorOutput::Send(SignalPayload::Candidate(candidate))
}
