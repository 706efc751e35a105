//! A model of a browser's `RTCPeerConnection` for negotiation: JSEP's signaling states, an operations chain with arbitrary
//! timing, `negotiationneeded` with its second check on every return to `stable`, implicit rollback, ICE generations. It panics
//! on everything that a browser would reject, and on everything that two sides must never do to each other.

use std::collections::VecDeque;

use sightline_core::negotiation::{Completed, Operation, OperationId};
use sightline_protocol::signaling::{DescriptionKind, SignalCandidate, SignalDescription};

use super::description::Description;

#[derive(Debug)]
pub(crate) struct PeerConnection {
    /// Index of the side, 0 or 1, which has its own wishes and fragments.
    side: usize,
    may_roll_back: bool,
    /// Whether an answer reuses the credentials of a rolled-back first offer. Browsers differ.
    keeps_rolled_back_credentials: bool,
    signaling_state: SignalingState,
    running: Option<Running>,
    agreed: Agreed,
    made: u64,
    wanted: u32,
    /// `[[LocalIceCredentialsToReplace]]` (W3C WebRTC).
    credentials_to_replace: Option<String>,
    kept_ufrag: Option<String>,
    /// `[[NegotiationNeeded]]` (W3C WebRTC).
    negotiation_needed: bool,
    /// `[[UpdateNegotiationNeededFlagOnEmptyChain]]` (W3C WebRTC).
    update_on_empty_chain: bool,
    update_task_queued: bool,
    /// Number of `negotiationneeded` events that the caller has not received yet.
    fired: u32,
    found: VecDeque<SignalCandidate>,
    gathered: Vec<SignalCandidate>,
    added: Vec<SignalCandidate>,
    pub(crate) exchanges: u32,
    pub(crate) rollbacks: u32,
    pub(crate) restarts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum SignalingState {
    Stable,
    HaveLocalOffer(Description),
    HaveRemoteOffer(Description),
}

/// The state that both sides agree on after an exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) exchange: u64,
    pub(crate) wishes: [u32; 2],
    /// The ICE fragment of each side.
    pub(crate) ufrags: [String; 2],
}

#[derive(Debug)]
struct Running {
    id: OperationId,
    operation: Operation,
    /// The result, from its execution until the caller receives it.
    executed: Option<Completed>,
}

impl PeerConnection {
    pub(crate) fn new(side: usize, may_roll_back: bool, keeps_rolled_back_credentials: bool) -> Self {
        Self {
            side,
            may_roll_back,
            keeps_rolled_back_credentials,
            signaling_state: SignalingState::Stable,
            running: None,
            agreed: Agreed::default(),
            made: 0,
            wanted: 0,
            credentials_to_replace: None,
            kept_ufrag: None,
            negotiation_needed: false,
            update_on_empty_chain: false,
            update_task_queued: false,
            fired: 0,
            found: VecDeque::new(),
            gathered: Vec::new(),
            added: Vec::new(),
            exchanges: 0,
            rollbacks: 0,
            restarts: 0,
        }
    }

    pub(crate) fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    pub(crate) fn wanted(&self) -> u32 {
        self.wanted
    }

    pub(crate) fn is_stable(&self) -> bool {
        self.signaling_state == SignalingState::Stable
    }

    /// The candidates for the agreed description.
    pub(crate) fn candidates_of_agreed(&self) -> impl Iterator<Item = &SignalCandidate> {
        let ufrag = &self.agreed.ufrags[self.side];
        self.gathered.iter().filter(move |candidate| candidate.ufrag.as_ref() == Some(ufrag))
    }

    pub(crate) fn has_added(&self, candidate: &SignalCandidate) -> bool {
        self.added.contains(candidate)
    }

    /// A change that only a local offer can bring about: `addTransceiver`, a new direction.
    pub(crate) fn want(&mut self) {
        self.wanted += 1;
        self.update_negotiation_needed();
    }

    pub(crate) fn start(&mut self, id: OperationId, operation: Operation) {
        assert!(self.running.is_none(), "two operations at once: {:?} and {operation:?}", self.running);
        self.assert_allowed(&operation);
        if operation == (Operation::SetLocalOffer { ice_restart: true }) {
            self.credentials_to_replace = Some(self.agreed.ufrags[self.side].clone());
            self.restarts += 1;
        }
        self.running = Some(Running { id, operation, executed: None });
    }

    /// Checks that an operation may start: the browser would reject it otherwise, or the sides would diverge.
    fn assert_allowed(&self, operation: &Operation) {
        match operation {
            Operation::SetLocalOffer { .. } => {
                assert_eq!(self.signaling_state, SignalingState::Stable, "makes an offer");
            }
            Operation::SetRemoteDescription(description) => {
                self.assert_remote_description_allowed(description);
            }
            Operation::SetLocalAnswer => {
                assert!(matches!(self.signaling_state, SignalingState::HaveRemoteOffer(_)), "answers");
            }
            Operation::AddIceCandidate(candidate) => {
                let ufrag = candidate.ufrag.as_deref().expect("the model names fragments");
                let agreed = &self.agreed.ufrags[1 - self.side];
                let known = match &self.signaling_state {
                    SignalingState::HaveRemoteOffer(offer) => ufrag == offer.ufrag || ufrag == agreed,
                    _ => ufrag == agreed,
                };
                assert!(known, "{candidate:?} does not belong to the remote description");
            }
        }
    }

    fn assert_remote_description_allowed(&self, description: &SignalDescription) {
        let remote = Description::from_sdp(&description.sdp);
        match (description.kind, &self.signaling_state) {
            (DescriptionKind::Offer, SignalingState::Stable) => {}
            (DescriptionKind::Offer, SignalingState::HaveLocalOffer(_)) => {
                assert!(self.may_roll_back, "the answerer's offer is rolled back");
            }
            (DescriptionKind::Answer, SignalingState::HaveLocalOffer(offer)) => {
                assert_eq!(remote.id, offer.id, "the answer is to another offer");
            }
            (kind, state) => panic!("a remote {kind:?} in {state:?}"),
        }
        if description.kind == DescriptionKind::Offer {
            assert_eq!(remote.base, self.agreed.exchange, "the offer builds on what is not agreed here");
        }
    }

    /// Executes the operation at the head of the operations chain.
    pub(crate) fn execute(&mut self) -> bool {
        let Some(Running { operation, executed: None, .. }) = &self.running else { return false };
        let completed = match operation.clone() {
            Operation::SetLocalOffer { .. } => self.set_local_offer(),
            Operation::SetLocalAnswer => self.set_local_answer(),
            Operation::SetRemoteDescription(description) => self.set_remote_description(&description),
            Operation::AddIceCandidate(candidate) => {
                self.added.push(candidate);
                Completed::Done
            }
        };
        if let Some(running) = &mut self.running {
            running.executed = Some(completed);
        }
        if std::mem::take(&mut self.update_on_empty_chain) {
            self.update_negotiation_needed();
        }
        true
    }

    /// Resolves the promise of the executed operation.
    pub(crate) fn complete(&mut self) -> Option<(OperationId, Completed)> {
        let completed = self.running.as_mut()?.executed.take()?;
        self.running.take().map(|running| (running.id, completed))
    }

    /// Runs a queued update of the negotiation-needed flag.
    pub(crate) fn run_update_task(&mut self) -> bool {
        if !std::mem::take(&mut self.update_task_queued) {
            return false;
        }
        if self.chain_is_busy() {
            self.update_on_empty_chain = true;
        } else if self.is_stable() {
            let needed = self.wanted > self.agreed.wishes[self.side] || self.credentials_to_replace.is_some();
            if needed && !self.negotiation_needed {
                self.fired += 1;
            }
            self.negotiation_needed = needed;
        }
        true
    }

    pub(crate) fn take_negotiation_needed_event(&mut self) -> bool {
        let fired = self.fired > 0;
        self.fired = self.fired.saturating_sub(1);
        fired
    }

    pub(crate) fn take_found_candidate(&mut self) -> Option<SignalCandidate> {
        self.found.pop_front()
    }

    fn set_local_offer(&mut self) -> Completed {
        let agreed = self.agreed.ufrags[self.side].clone();
        let renew = agreed.is_empty() || self.credentials_to_replace.is_some();
        let ufrag = if renew { self.new_ufrag() } else { agreed };
        self.made += 1;
        let offer = Description {
            id: self.made * 2 + self.side as u64,
            base: self.agreed.exchange,
            wishes: self.wanted,
            ufrag,
        };
        self.gather(&offer.ufrag);
        let sdp = offer.to_sdp();
        self.signaling_state = SignalingState::HaveLocalOffer(offer);
        Completed::LocalDescription { sdp }
    }

    fn set_local_answer(&mut self) -> Completed {
        let SignalingState::HaveRemoteOffer(offer) = self.signaling_state.clone() else {
            panic!("an answer in {:?}", self.signaling_state);
        };
        let agreed = self.agreed.ufrags[self.side].clone();
        let restart = offer.ufrag != self.agreed.ufrags[1 - self.side];
        let ufrag = match self.kept_ufrag.take() {
            Some(kept) if agreed.is_empty() => kept,
            _ if restart => self.new_ufrag(),
            _ => agreed,
        };
        let answer = Description { wishes: 0, ufrag, ..offer.clone() };
        self.gather(&answer.ufrag);
        self.agree(&offer, 1 - self.side, &answer);
        Completed::LocalDescription { sdp: answer.to_sdp() }
    }

    fn set_remote_description(&mut self, description: &SignalDescription) -> Completed {
        let remote = Description::from_sdp(&description.sdp);
        match (description.kind, self.signaling_state.clone()) {
            (DescriptionKind::Offer, before) => {
                if let SignalingState::HaveLocalOffer(rolled_back) = before {
                    self.rollbacks += 1;
                    self.kept_ufrag = self.keeps_rolled_back_credentials.then_some(rolled_back.ufrag);
                }
                self.signaling_state = SignalingState::HaveRemoteOffer(remote);
            }
            (DescriptionKind::Answer, SignalingState::HaveLocalOffer(offer)) => {
                self.agree(&offer, self.side, &remote);
            }
            (DescriptionKind::Answer, state) => panic!("an answer in {state:?}"),
        }
        Completed::Done
    }

    fn agree(&mut self, offer: &Description, offerer: usize, answer: &Description) {
        self.exchanges += 1;
        self.agreed.exchange = offer.id;
        self.agreed.wishes[offerer] = offer.wishes;
        self.agreed.ufrags[offerer].clone_from(&offer.ufrag);
        self.agreed.ufrags[1 - offerer].clone_from(&answer.ufrag);
        if self.credentials_to_replace.as_ref() != Some(&self.agreed.ufrags[self.side]) {
            self.credentials_to_replace = None;
        }
        self.signaling_state = SignalingState::Stable;
        self.negotiation_needed = false;
        self.update_negotiation_needed();
    }

    fn update_negotiation_needed(&mut self) {
        if self.chain_is_busy() {
            self.update_on_empty_chain = true;
        } else {
            self.update_task_queued = true;
        }
    }

    fn chain_is_busy(&self) -> bool {
        matches!(&self.running, Some(Running { executed: None, .. }))
    }

    fn new_ufrag(&mut self) -> String {
        self.made += 1;
        format!("{}-{}", ["left", "right"][self.side], self.made)
    }

    /// Gathers candidates once for each ICE generation, followed by the end-of-candidates.
    fn gather(&mut self, ufrag: &str) {
        if self.gathered.iter().any(|candidate| candidate.ufrag.as_deref() == Some(ufrag)) {
            return;
        }
        let count = self.made % 3;
        let texts = (0..count).map(|number| format!("candidate:{number}")).chain([String::new()]);
        for text in texts {
            let candidate = SignalCandidate {
                candidate: text,
                sdp_mid: Some("0".to_owned()),
                sdp_m_line_index: Some(0),
                ufrag: Some(ufrag.to_owned()),
            };
            self.gathered.push(candidate.clone());
            self.found.push_back(candidate);
        }
    }
}
