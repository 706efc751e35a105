//! Two sides and the network between them, moved by one [`Action`] at a time.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    negotiation::{Negotiator, NegotiatorOutput, Operation, OperationFailure, OperationId, Role},
    random::SeededRandom,
    trust::{Refusal, RoomKeys, RoomSecret, SignalSeals},
};
use sightline_protocol::{
    Arrival, ConnectionId, DisplayName, Generation, InstanceId, Member, MemberId, Presence, RoomName,
    signaling::{Signal, SignalPayload},
};

use super::browser::PeerConnection;

/// One event. An event that is impossible now does nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    /// A side wants a change that needs a local offer.
    Want(usize),
    /// A side wants new ICE credentials.
    Restart(usize),
    /// A side's browser updates its negotiation-needed flag.
    RunUpdateTask(usize),
    /// A side receives a `negotiationneeded` event.
    HearNegotiationNeeded(usize),
    /// A side receives a local candidate.
    HearCandidate(usize),
    /// A side's browser executes the operation under way.
    Execute(usize),
    /// A side receives the completion of the operation.
    Complete(usize),
    /// A side receives the completion of an old operation.
    CompleteStale(usize),
    /// The oldest signal in transit to a side arrives.
    Deliver(usize),
    /// A signal in transit to a side overtakes others.
    DeliverLate(usize, usize),
    /// A signal in transit to a side is lost.
    Lose(usize, usize),
    /// A signal in transit to a side will arrive twice.
    Duplicate(usize, usize),
    /// Time passes.
    Wait(Duration),
    /// The path is cut: signals in transit are lost, and no more arrive.
    CutPath,
    /// The path is restored: signals arrive again.
    RestorePath,
}

impl Action {
    /// The action for two random bytes: actions that advance an exchange are frequent, disturbances are less so.
    pub(crate) fn from_bytes(kind: u8, argument: u8) -> Self {
        let side = usize::from(argument & 1);
        let rest = argument >> 1;
        match kind % 100 {
            0..24 => Self::Deliver(side),
            24..42 => Self::Execute(side),
            42..60 => Self::Complete(side),
            60..67 => Self::RunUpdateTask(side),
            67..75 => Self::HearNegotiationNeeded(side),
            75..81 => Self::HearCandidate(side),
            81..86 => Self::Want(side),
            86..88 => Self::Restart(side),
            88..90 => Self::DeliverLate(side, usize::from(rest)),
            90..92 => Self::Lose(side, usize::from(rest)),
            92..94 => Self::Duplicate(side, usize::from(rest)),
            94..96 => Self::Wait(Duration::from_millis(u64::from(rest) * 50)),
            96 => Self::CompleteStale(side),
            97 => Self::CutPath,
            _ => Self::RestorePath,
        }
    }
}

#[derive(Debug)]
pub(crate) struct World {
    sides: [Side; 2],
    /// The signals in transit to each side.
    links: [Vec<SignalPayload>; 2],
    path_is_cut: bool,
    now: Timestamp,
    /// The sides as members of a protected room; `None` without encryption.
    seals: Option<[(Member, SignalSeals); 2]>,
    /// Signals that arrived twice and were opened once.
    replays: u32,
}

#[derive(Debug)]
struct Side {
    role: Role,
    negotiator: Negotiator,
    browser: PeerConnection,
    /// Local credentials after the last operation whose end the side has received.
    known_ufrag: String,
    /// Local credentials that were to be replaced.
    discredited: Vec<String>,
    last_offer_sent: Option<SignalPayload>,
    repetitions: u32,
}

/// Counts the situations that the properties are about.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Coverage {
    pub(crate) rollbacks: u32,
    pub(crate) restarts: u32,
    pub(crate) repeated_offers: u32,
    pub(crate) exchanges: u32,
    pub(crate) replays: u32,
}

impl World {
    /// The offerer (side 0), which wants to share its media, and the answerer (side 1).
    pub(crate) fn new(keeps_rolled_back_credentials: bool) -> Self {
        let side = |side: usize, role| Side {
            role,
            negotiator: Negotiator::new(role),
            browser: PeerConnection::new(side, role == Role::Offerer, keeps_rolled_back_credentials),
            known_ufrag: String::new(),
            discredited: Vec::new(),
            last_offer_sent: None,
            repetitions: 0,
        };
        let mut world = Self {
            sides: [side(0, Role::Offerer), side(1, Role::Answerer)],
            links: [Vec::new(), Vec::new()],
            path_is_cut: false,
            now: Timestamp::ZERO,
            seals: None,
            replays: 0,
        };
        world.sides[0].browser.want();
        world
    }

    /// The same in a protected room.
    pub(crate) fn sealed(keeps_rolled_back_credentials: bool) -> Self {
        let room = RoomName::new("team").expect("a name");
        let side = |side: u8| {
            let member = Member {
                id: MemberId::new(format!("m{side}")).expect("an id"),
                name: DisplayName::default(),
                sealed_name: None,
                instance: InstanceId::new(format!("i{side}")).expect("an id"),
                arrival: Arrival(side.into()),
                presence: Presence::Present,
            };
            let keys = RoomKeys::derive(RoomSecret::from_random(7), &room);
            let seals = SignalSeals::new(keys, member.instance.clone(), SeededRandom::new(side.into()));
            (member, seals)
        };
        Self { seals: Some([side(0), side(1)]), ..Self::new(keeps_rolled_back_credentials) }
    }

    /// Performs an action. Returns whether anything happened.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        let now = self.now;
        let happened = match action {
            Action::Want(side) => {
                self.sides[side].browser.want();
                true
            }
            Action::Restart(side) => {
                self.sides[side].restart_ice(now);
                true
            }
            Action::RunUpdateTask(side) => self.sides[side].browser.run_update_task(),
            Action::HearNegotiationNeeded(side) => {
                let Side { negotiator, browser, .. } = &mut self.sides[side];
                let fired = browser.take_negotiation_needed_event();
                if fired {
                    negotiator.handle_negotiation_needed(now);
                }
                fired
            }
            Action::HearCandidate(side) => {
                let Side { negotiator, browser, .. } = &mut self.sides[side];
                let found = browser.take_found_candidate();
                found.map(|candidate| negotiator.handle_local_candidate(candidate, now)).is_some()
            }
            Action::Execute(side) => self.sides[side].browser.execute(),
            Action::Complete(side) => {
                let Side { negotiator, browser, known_ufrag, .. } = &mut self.sides[side];
                let completed = browser.complete();
                known_ufrag.clone_from(&browser.agreed().ufrags[side]);
                completed.map(|(id, completed)| negotiator.handle_completed(id, Ok(completed), now)).is_some()
            }
            Action::CompleteStale(side) => {
                let failure = OperationFailure {
                    name: "InvalidStateError".to_owned(),
                    message: "of an operation that nobody waits for".to_owned(),
                };
                self.sides[side].negotiator.handle_completed(OperationId(u64::MAX), Err(failure), now);
                true
            }
            Action::Deliver(side) => self.deliver(side, 0),
            Action::DeliverLate(side, index) => self.deliver(side, index),
            Action::Lose(side, index) => self.take_from_link(side, index).is_some(),
            Action::Duplicate(side, index) => {
                let link = &mut self.links[side];
                let copy = link.get(index % link.len().max(1)).cloned();
                link.extend(copy.clone());
                copy.is_some()
            }
            Action::Wait(duration) => {
                self.now = self.now + duration;
                for side in &mut self.sides {
                    side.negotiator.handle_timeout(self.now);
                }
                true
            }
            Action::CutPath => {
                self.path_is_cut = true;
                self.links = [Vec::new(), Vec::new()];
                true
            }
            Action::RestorePath => {
                self.path_is_cut = false;
                for side in &mut self.sides {
                    side.negotiator.handle_path_restored(now);
                }
                true
            }
        };
        self.perform();
        happened
    }

    /// Repairs the network and runs all pending events, without new wishes, until both sides are quiet.
    pub(crate) fn settle(&mut self, path_restored_is_told: bool) {
        const PATIENCE: u32 = 100;
        const MAX_ROUNDS: u32 = 10_000;
        if path_restored_is_told {
            self.act(Action::RestorePath);
        }
        self.path_is_cut = false;
        for _ in 0..PATIENCE {
            let rounds = (0..MAX_ROUNDS).take_while(|_| self.go_on()).count();
            assert!(rounds < MAX_ROUNDS as usize, "never at rest: {self:#?}");
            let Some(next) = self.sides.iter().filter_map(|side| side.negotiator.poll_timeout()).min() else {
                return;
            };
            assert!(next > self.now, "a timer is due and stays due");
            self.act(Action::Wait(next.since(self.now)));
        }
        panic!("never quiet: {self:#?}");
    }

    /// Runs one round of pending events. Returns whether anything happened.
    fn go_on(&mut self) -> bool {
        let mut happened = false;
        for side in [0, 1] {
            for action in [
                Action::Deliver(side),
                Action::Execute(side),
                Action::Complete(side),
                Action::RunUpdateTask(side),
                Action::HearNegotiationNeeded(side),
                Action::HearCandidate(side),
            ] {
                happened |= self.act(action);
            }
        }
        happened
    }

    /// Checks the outcome that perfect negotiation promises.
    pub(crate) fn assert_agreed(&self, every_candidate: bool) {
        let [left, right] = &self.sides;
        assert!(left.browser.is_stable() && right.browser.is_stable());
        assert_eq!(left.browser.agreed(), right.browser.agreed());
        assert_eq!(left.browser.agreed().wishes, [left.browser.wanted(), right.browser.wanted()]);
        for (index, side) in self.sides.iter().enumerate() {
            let ufrag = &side.browser.agreed().ufrags[index];
            assert!(!side.discredited.contains(ufrag), "a restart was forgotten: {self:#?}");
        }
        if every_candidate {
            for (from, to) in [(left, right), (right, left)] {
                for candidate in from.browser.candidates_of_agreed() {
                    assert!(to.browser.has_added(candidate), "{candidate:?} is missing");
                }
            }
        }
    }

    pub(crate) fn coverage(&self) -> Coverage {
        let [left, right] = &self.sides;
        Coverage {
            rollbacks: left.browser.rollbacks + right.browser.rollbacks,
            restarts: left.browser.restarts + right.browser.restarts,
            repeated_offers: left.repetitions + right.repetitions,
            exchanges: left.browser.exchanges,
            replays: self.replays,
        }
    }

    fn deliver(&mut self, side: usize, index: usize) -> bool {
        let Some(payload) = self.take_from_link(side, index) else { return false };
        let payload = match &mut self.seals {
            None => Ok(payload),
            Some(seals) => {
                let (from, to) = (seals[1 - side].0.clone(), seals[side].0.id.clone());
                seals[side].1.open(&from, &to, &signal(payload)).map(|signal| signal.payload)
            }
        };
        match payload {
            Ok(payload) => self.sides[side].negotiator.handle_signal(payload, self.now),
            Err(refusal) => {
                assert_eq!(refusal, Refusal::Replayed);
                self.replays += 1;
            }
        }
        true
    }

    /// A signal on its way to the other side.
    fn on_the_way(&mut self, from: usize, payload: SignalPayload) -> SignalPayload {
        let Some(seals) = &mut self.seals else { return payload };
        let (id, to) = (seals[from].0.id.clone(), seals[1 - from].0.clone());
        seals[from].1.seal(&id, &to, &signal(payload)).expect("it is short").payload
    }

    fn take_from_link(&mut self, side: usize, index: usize) -> Option<SignalPayload> {
        let link = &mut self.links[side];
        (!link.is_empty()).then(|| link.remove(index % link.len()))
    }

    /// Performs the outputs of the negotiators.
    fn perform(&mut self) {
        for index in [0, 1] {
            while let Some(output) = self.sides[index].negotiator.poll_output() {
                match output {
                    NegotiatorOutput::Perform(id, operation) => self.sides[index].start(id, operation),
                    NegotiatorOutput::Broken(failure) => panic!("broken: {failure:?}"),
                    NegotiatorOutput::Send(signal) => {
                        self.sides[index].note(&signal);
                        if !self.path_is_cut {
                            let signal = self.on_the_way(index, signal);
                            self.links[1 - index].push(signal);
                        }
                    }
                }
            }
        }
    }
}

/// A payload with the name of the connection.
fn signal(payload: SignalPayload) -> Signal {
    Signal { connection: ConnectionId::new("c").expect("an id"), generation: Generation(0), payload }
}

impl Side {
    fn restart_ice(&mut self, now: Timestamp) {
        if !self.known_ufrag.is_empty() {
            self.discredited.push(self.known_ufrag.clone());
        }
        self.negotiator.restart_ice(now);
    }

    fn start(&mut self, id: OperationId, operation: Operation) {
        let offers = matches!(operation, Operation::SetLocalOffer { .. });
        if offers && self.role == Role::Answerer {
            assert_ne!(self.browser.agreed().exchange, 0, "the answerer makes the first offer");
        }
        self.browser.start(id, operation);
    }

    fn note(&mut self, signal: &SignalPayload) {
        use sightline_protocol::signaling::DescriptionKind::Offer;
        if matches!(signal, SignalPayload::Description(description) if description.kind == Offer) {
            self.repetitions += u32::from(self.last_offer_sent.as_ref() == Some(signal));
            self.last_offer_sent = Some(signal.clone());
        }
    }
}

impl std::ops::Add for Coverage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rollbacks: self.rollbacks + other.rollbacks,
            restarts: self.restarts + other.restarts,
            repeated_offers: self.repeated_offers + other.repeated_offers,
            exchanges: self.exchanges + other.exchanges,
            replays: self.replays + other.replays,
        }
    }
}
