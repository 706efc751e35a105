//! The perfect-negotiation state machine.

use std::collections::VecDeque;

use sightline_protocol::signaling::{DescriptionKind, SignalCandidate, SignalDescription, SignalPayload};

use super::{
    Completed, Operation, OperationFailure, OperationId, Role,
    candidates::{LocalCandidates, RemoteCandidates},
    exchange::{PendingOffer, SentDescription, Verdict, judge_offer},
    ufrag::Ufrags,
};
use crate::Timestamp;

/// Outputs that wait to be polled. A signal beyond this number counts as lost.
const MAX_OUTPUTS: usize = 512;

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NegotiatorOutput {
    /// Perform this and report with [`Negotiator::handle_completed`].
    Perform(OperationId, Operation),
    /// Send this to the other side.
    Send(SignalPayload),
    /// The peer connection cannot be used further: build a new one with a new generation. This is the last output.
    Broken(OperationFailure),
}

/// Negotiates one peer connection.
///
/// After every call of a `handle_*` method or [`restart_ice`](Self::restart_ice), call [`poll_output`](Self::poll_output) until
/// it returns `None`.
#[derive(Debug)]
pub struct Negotiator {
    role: Role,
    state: SignalingState,
    under_way: Option<(OperationId, Step)>,
    next_operation: u64,
    /// Number of the last exchange that this side saw completed; 0 before the first.
    last_exchange: u32,
    last_answer: Option<SentDescription>,
    waiting_offer: Option<SignalDescription>,
    waiting_answer: Option<SignalDescription>,
    negotiation_needed: bool,
    restart_wanted: bool,
    remote_candidates: RemoteCandidates,
    local_candidates: LocalCandidates,
    outputs: VecDeque<NegotiatorOutput>,
    broken: bool,
}

/// The signaling state of the peer connection after the last completed operation.
#[derive(Debug)]
enum SignalingState {
    Stable,
    HaveLocalOffer(PendingOffer),
    HaveRemoteOffer { exchange: u32 },
}

/// The context of the operation under way.
#[derive(Debug)]
enum Step {
    LocalOffer { ice_restart: bool },
    RemoteOffer { exchange: u32, ufrags: Ufrags },
    LocalAnswer { exchange: u32 },
    RemoteAnswer { ufrags: Ufrags },
    Candidate,
}

impl Negotiator {
    /// A negotiator for a new peer connection.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            state: SignalingState::Stable,
            under_way: None,
            next_operation: 0,
            last_exchange: 0,
            last_answer: None,
            waiting_offer: None,
            waiting_answer: None,
            negotiation_needed: false,
            restart_wanted: false,
            remote_candidates: RemoteCandidates::default(),
            local_candidates: LocalCandidates::default(),
            outputs: VecDeque::new(),
            broken: false,
        }
    }

    /// Notes that `negotiationneeded` fired.
    pub fn handle_negotiation_needed(&mut self, now: Timestamp) {
        let offers_next = match &self.under_way {
            // The event may be the browser's second check on return to `stable`, reported before the operation's end.
            Some((_, Step::LocalAnswer { .. } | Step::RemoteAnswer { .. })) => true,
            // The browser checks again when the exchange under way is over.
            Some((_, Step::LocalOffer { .. } | Step::RemoteOffer { .. })) => false,
            Some((_, Step::Candidate)) | None => {
                matches!(self.state, SignalingState::Stable) && self.may_offer()
            }
        };
        self.negotiation_needed |= offers_next;
        self.advance(now);
    }

    /// Asks for new ICE credentials: in the next `stable` state after the first exchange. A request during a local restart that
    /// is not answered yet is covered by that restart.
    pub fn restart_ice(&mut self, now: Timestamp) {
        let outstanding = matches!(&self.under_way, Some((_, Step::LocalOffer { ice_restart: true })))
            || matches!(&self.state, SignalingState::HaveLocalOffer(offer) if offer.ice_restart);
        self.restart_wanted |= !outstanding;
        self.advance(now);
    }

    /// Takes a candidate of the local ICE agent.
    pub fn handle_local_candidate(&mut self, candidate: SignalCandidate, _now: Timestamp) {
        if self.broken {
            return;
        }
        self.local_candidates.hold(candidate);
        if !matches!(self.under_way, Some((_, Step::LocalOffer { .. } | Step::LocalAnswer { .. }))) {
            self.send_held_candidates();
        }
    }

    /// Takes a signal of the other side.
    pub fn handle_signal(&mut self, payload: SignalPayload, now: Timestamp) {
        if self.broken {
            return;
        }
        match payload {
            SignalPayload::Candidate(candidate) => self.remote_candidates.push(candidate),
            // The room opens signals before they come here.
            SignalPayload::Sealed(_) => {}
            SignalPayload::Description(description) => match description.kind {
                DescriptionKind::Offer => self.handle_offer(description, now),
                DescriptionKind::Answer => self.handle_answer(description),
            },
        }
        self.advance(now);
    }

    /// Takes the result of an operation. Ignored if the operation is not the one under way.
    pub fn handle_completed(
        &mut self,
        id: OperationId,
        result: Result<Completed, OperationFailure>,
        now: Timestamp,
    ) {
        match self.under_way.take() {
            Some((under_way, step)) if under_way == id => match (step, result) {
                (Step::Candidate, _) => {}
                (_, Err(failure)) => self.give_up(failure),
                (step, Ok(completed)) => self.finish(step, completed, now),
            },
            other => self.under_way = other,
        }
        self.advance(now);
    }

    /// Notes that signals reach the other side again: everything that may have been lost is repeated.
    pub fn handle_path_restored(&mut self, now: Timestamp) {
        if self.broken {
            return;
        }
        if let Some(offer) = self.unanswered_offer() {
            offer.handle_repeated_for_news(now);
            let description = offer.sent.description.clone();
            self.send(SignalPayload::Description(description));
        }
        // Candidates of an agreed description too, since the other side would never ask for them.
        self.repeat_candidates(&Ufrags::default());
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(offer) = self.unanswered_offer()
            && now >= offer.repeat_at()
        {
            offer.handle_repeated_for_silence(now);
            self.repeat_offer();
        }
    }

    /// The time at which `handle_timeout` is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match &self.state {
            SignalingState::HaveLocalOffer(offer) if self.awaits_answer() => Some(offer.repeat_at()),
            _ => None,
        }
    }

    /// The next thing that the caller is to do.
    pub fn poll_output(&mut self) -> Option<NegotiatorOutput> {
        self.outputs.pop_front()
    }

    fn handle_offer(&mut self, offer: SignalDescription, now: Timestamp) {
        if let Some(pending) = self.unanswered_offer()
            && offer.exchange > pending.exchange()
            && pending.sent.may_be_repeated_on_request(now)
        {
            pending.handle_repeated_for_news(now);
            self.repeat_offer();
        }
        // A side makes a new offer only when its earlier one is settled, so only the newest counts.
        if self.waiting_offer.as_ref().is_none_or(|waiting| offer.exchange >= waiting.exchange) {
            self.waiting_offer = Some(offer);
        }
    }

    fn handle_answer(&mut self, answer: SignalDescription) {
        if self.unanswered_offer().is_some_and(|offer| offer.exchange() == answer.exchange) {
            self.waiting_answer = Some(answer);
        }
    }

    /// Starts the next operation that is due, unless one is under way.
    fn advance(&mut self, now: Timestamp) {
        if self.broken || self.under_way.is_some() {
            return;
        }
        if let Some(answer) = self.waiting_answer.take() {
            let ufrags = Ufrags::of_sdp(&answer.sdp);
            return self.start(Step::RemoteAnswer { ufrags }, Operation::SetRemoteDescription(answer));
        }
        if let SignalingState::HaveRemoteOffer { exchange } = self.state {
            return self.start(Step::LocalAnswer { exchange }, Operation::SetLocalAnswer);
        }
        if let Some(offer) = self.waiting_offer.take() {
            match judge_offer(offer.exchange, self.last_exchange, self.pending_exchange(), self.role) {
                Verdict::Apply => return self.apply_offer(offer),
                Verdict::Ignore => self.remote_candidates.handle_offer_ignored(Ufrags::of_sdp(&offer.sdp)),
                Verdict::Past => self.repeat_answer(offer.exchange, now),
                Verdict::AfterOurAnswer => self.waiting_offer = Some(offer),
            }
        }
        if matches!(self.state, SignalingState::Stable)
            && self.may_offer()
            && (self.negotiation_needed || self.may_restart())
        {
            let ice_restart = self.may_restart();
            self.negotiation_needed = false;
            self.restart_wanted &= !ice_restart;
            return self.start(Step::LocalOffer { ice_restart }, Operation::SetLocalOffer { ice_restart });
        }
        if let Some(candidate) = self.remote_candidates.pop_addable() {
            self.start(Step::Candidate, Operation::AddIceCandidate(candidate));
        }
    }

    fn apply_offer(&mut self, offer: SignalDescription) {
        let ufrags = Ufrags::of_sdp(&offer.sdp);
        let before = std::mem::replace(&mut self.state, SignalingState::Stable);
        // The browser itself announces again whatever else the rolled-back offer was for.
        let rolled_back_restart = matches!(before, SignalingState::HaveLocalOffer(own) if own.ice_restart);
        let restarts_anyway = self.remote_candidates.would_restart(&ufrags);
        self.restart_wanted = (self.restart_wanted || rolled_back_restart) && !restarts_anyway;
        let step = Step::RemoteOffer { exchange: offer.exchange, ufrags };
        self.start(step, Operation::SetRemoteDescription(offer));
    }

    fn start(&mut self, step: Step, operation: Operation) {
        let id = OperationId(self.next_operation);
        self.next_operation += 1;
        self.under_way = Some((id, step));
        self.outputs.push_back(NegotiatorOutput::Perform(id, operation));
    }

    fn finish(&mut self, step: Step, completed: Completed, now: Timestamp) {
        match (step, completed) {
            (Step::LocalOffer { ice_restart }, Completed::LocalDescription { sdp }) => {
                let exchange = self.last_exchange.saturating_add(1);
                let offer =
                    SignalDescription { kind: DescriptionKind::Offer, exchange, sdp, published: None };
                self.send(SignalPayload::Description(offer.clone()));
                self.state = SignalingState::HaveLocalOffer(PendingOffer::new(offer, ice_restart, now));
                self.send_held_candidates();
            }
            (Step::LocalAnswer { exchange }, Completed::LocalDescription { sdp }) => {
                let answer =
                    SignalDescription { kind: DescriptionKind::Answer, exchange, sdp, published: None };
                self.send(SignalPayload::Description(answer.clone()));
                let answer = SentDescription::new(answer, now);
                self.complete_exchange(exchange, &answer.ufrags);
                self.last_answer = Some(answer);
                self.send_held_candidates();
            }
            (Step::RemoteOffer { exchange, ufrags }, _) => {
                self.remote_candidates.handle_described(ufrags);
                self.state = SignalingState::HaveRemoteOffer { exchange };
            }
            (Step::RemoteAnswer { ufrags }, _) => {
                self.remote_candidates.handle_described(ufrags);
                if let SignalingState::HaveLocalOffer(offer) =
                    std::mem::replace(&mut self.state, SignalingState::Stable)
                {
                    self.complete_exchange(offer.exchange(), &offer.sent.ufrags);
                }
            }
            (Step::LocalOffer { .. } | Step::LocalAnswer { .. }, Completed::Done) => {
                self.give_up(OperationFailure {
                    name: "OperationError".to_owned(),
                    message: "setLocalDescription() ended without a description".to_owned(),
                });
            }
            (Step::Candidate, _) => {}
        }
    }

    fn complete_exchange(&mut self, exchange: u32, local: &Ufrags) {
        self.state = SignalingState::Stable;
        self.last_exchange = exchange;
        self.local_candidates.retain(local);
    }

    fn give_up(&mut self, failure: OperationFailure) {
        self.broken = true;
        self.state = SignalingState::Stable;
        self.outputs.push_back(NegotiatorOutput::Broken(failure));
    }

    /// Whether this side may offer: an answerer waits for the first offer, whose transceivers it adopts.
    fn may_offer(&self) -> bool {
        self.role == Role::Offerer || self.last_exchange > 0
    }

    /// Whether ICE may be restarted: before the first exchange there is nothing to restart.
    fn may_restart(&self) -> bool {
        self.restart_wanted && self.last_exchange > 0
    }

    fn pending_exchange(&self) -> Option<u32> {
        match &self.state {
            SignalingState::HaveLocalOffer(offer) => Some(offer.exchange()),
            SignalingState::Stable | SignalingState::HaveRemoteOffer { .. } => None,
        }
    }

    /// Whether the answer to a pending offer has not arrived yet (an answer that waits to be applied has arrived).
    fn awaits_answer(&self) -> bool {
        self.pending_exchange().is_some()
            && self.waiting_answer.is_none()
            && !matches!(self.under_way, Some((_, Step::RemoteAnswer { .. })))
    }

    fn unanswered_offer(&mut self) -> Option<&mut PendingOffer> {
        if !self.awaits_answer() {
            return None;
        }
        match &mut self.state {
            SignalingState::HaveLocalOffer(offer) => Some(offer),
            SignalingState::Stable | SignalingState::HaveRemoteOffer { .. } => None,
        }
    }

    fn repeat_offer(&mut self) {
        if let SignalingState::HaveLocalOffer(offer) = &self.state {
            let (description, ufrags) = (offer.sent.description.clone(), offer.sent.ufrags.clone());
            self.send(SignalPayload::Description(description));
            self.repeat_candidates(&ufrags);
        }
    }

    fn repeat_answer(&mut self, exchange: u32, now: Timestamp) {
        if let Some(answer) = &mut self.last_answer
            && answer.description.exchange == exchange
            && answer.may_be_repeated_on_request(now)
        {
            answer.handle_repeated(now);
            let (description, ufrags) = (answer.description.clone(), answer.ufrags.clone());
            self.send(SignalPayload::Description(description));
            self.repeat_candidates(&ufrags);
        }
    }

    fn repeat_candidates(&mut self, of: &Ufrags) {
        let repeated: Vec<_> = self.local_candidates.sent().filter(|sent| of.admits(sent)).cloned().collect();
        for candidate in repeated {
            self.send(SignalPayload::Candidate(candidate));
        }
    }

    fn send_held_candidates(&mut self) {
        while let Some(candidate) = self.local_candidates.pop_held() {
            self.send(SignalPayload::Candidate(candidate.clone()));
            self.local_candidates.handle_sent(candidate);
        }
    }

    fn send(&mut self, payload: SignalPayload) {
        if self.outputs.len() < MAX_OUTPUTS {
            self.outputs.push_back(NegotiatorOutput::Send(payload));
        }
    }
}
