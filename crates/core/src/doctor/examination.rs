//! The examination: which checks there are, which of them run, and what they said.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::signalling::IceServer;

use super::{
    candidate::{Candidate, CandidateType},
    check::{Check, CheckCode, CheckId, CheckKind, CheckState, Detail, DetailLabel, Outcome},
    gathering::Gathering,
    ice_plan::IcePlan,
    ice_url::IceUrl,
    nat::NatMapping,
    operation::{DoctorOutput, Finding, Operation, OperationId, SignallingFinding},
    relay_probe::{RelayFigures, millis},
    verdict::{Advice, Verdict},
};
use crate::Timestamp;

/// The time of every check: browsers report a dead server after eleven seconds, or never.
pub const CHECK_DEADLINE: Duration = Duration::from_secs(8);

/// Gatherings at the same time.
const MAX_GATHERINGS: usize = 4;

/// What the browser is, known at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserFacts {
    /// Whether there is `RTCPeerConnection`.
    pub has_web_rtc: bool,
    /// Whether the page came by https or from this computer.
    pub is_secure: bool,
}

/// An examination.
#[derive(Debug)]
pub struct Doctor {
    rows: Vec<Row>,
    outputs: VecDeque<DoctorOutput>,
    next_operation: u32,
    facts: BrowserFacts,
    /// How the server answered HTTP, to tell a proxy from a server that is gone.
    server_answers: Option<bool>,
    signalling: Option<SignallingFinding>,
}

#[derive(Debug)]
struct Row {
    check: Check,
    operation: Option<OperationId>,
    deadline: Option<Timestamp>,
    gathering: Option<Gathering>,
    /// What is gathered with, of a row that waits for its turn.
    servers: Vec<IceServer>,
}

impl Doctor {
    /// Begins an examination.
    #[must_use]
    pub fn new(facts: BrowserFacts, now: Timestamp) -> Self {
        let kinds = [
            CheckKind::Browser,
            CheckKind::SecureContext,
            CheckKind::Permissions,
            CheckKind::Camera,
            CheckKind::Microphone,
            CheckKind::Speakers,
            CheckKind::Server,
            CheckKind::Signalling,
            CheckKind::Addresses,
            CheckKind::Nat,
            CheckKind::RelayCall,
        ];
        let mut doctor = Self {
            rows: kinds.into_iter().map(|kind| Row::new(CheckId::only(kind), None)).collect(),
            outputs: VecDeque::new(),
            next_operation: 0,
            facts,
            server_answers: None,
            signalling: None,
        };
        doctor.begin_all(now);
        doctor
    }

    /// Something came of an operation.
    pub fn handle_finding(&mut self, operation: OperationId, finding: Finding, now: Timestamp) {
        let Some(at) = self.rows.iter().position(|row| row.operation == Some(operation)) else { return };
        let kind = self.rows[at].check.id.kind;
        match finding {
            Finding::Devices { camera, microphone } if kind == CheckKind::Permissions => {
                self.conclude_devices(camera, microphone, now);
            }
            // What has its result already has it, but for the person's late answer.
            _ if self.rows[at].check.state.is_done() => return,
            Finding::Judged(outcome) => self.conclude(at, outcome),
            Finding::Server(answered) => {
                self.server_answers = Some(answered.is_some());
                self.conclude(at, server_outcome(answered));
                self.conclude_signalling(now);
            }
            Finding::Signalling(finding) => {
                self.signalling = Some(finding);
                self.conclude_signalling(now);
            }
            Finding::RelayCall { figures, connected_after } => {
                self.conclude(at, relay_outcome(figures, connected_after));
            }
            Finding::Refused => self.conclude(at, Outcome::failed(CheckCode::UrlInvalid, Vec::new())),
            Finding::Candidate(line) => {
                self.on_gathering(at, now, |gathering| {
                    gathering.handle_candidate(&line, now);
                });
            }
            Finding::CandidateError { code, text, url } => {
                self.on_gathering(at, now, |gathering| gathering.handle_error(code, &text, &url, now));
            }
            Finding::GatheringComplete => self.on_gathering(at, now, Gathering::handle_complete),
            Finding::Devices { .. } => return,
        }
        self.begin_next(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for at in 0..self.rows.len() {
            let row = &mut self.rows[at];
            if row.check.state != CheckState::Running {
                continue;
            }
            if let Some(gathering) = &mut row.gathering {
                gathering.handle_timeout(now);
                self.conclude_gathering(at);
            } else if row.deadline.is_some_and(|deadline| deadline <= now) {
                self.run_out(at, now);
            }
        }
        self.begin_next(now);
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let running = self.rows.iter().filter(|row| row.check.state == CheckState::Running);
        running
            .filter_map(|row| match &row.gathering {
                Some(gathering) => gathering.poll_timeout(),
                None => row.deadline,
            })
            .min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<DoctorOutput> {
        self.outputs.pop_front()
    }

    /// Every row, in the order in which they are shown.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        self.rows.iter().map(|row| row.check.clone()).collect()
    }

    /// Whether every row has its result.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rows.iter().all(|row| row.check.state.is_done())
    }

    /// What will work.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.checks())
    }

    /// What is to be done.
    #[must_use]
    pub fn advice(&self) -> Vec<Advice> {
        Advice::of(&self.checks())
    }

    fn begin_all(&mut self, now: Timestamp) {
        let BrowserFacts { has_web_rtc, is_secure } = self.facts;
        self.conclude_only(CheckKind::Browser, of(has_web_rtc, CheckCode::UnsupportedBrowser));
        self.conclude_only(CheckKind::SecureContext, of(is_secure, CheckCode::InsecureContext));
        self.begin(CheckKind::Server, Operation::ReachServer, now);
        self.begin(CheckKind::Signalling, Operation::OpenSignalling, now);
        if is_secure {
            self.begin(CheckKind::Permissions, Operation::AskForDevices, now);
            self.begin(CheckKind::Speakers, Operation::CountSpeakers, now);
        } else {
            for kind in
                [CheckKind::Permissions, CheckKind::Camera, CheckKind::Microphone, CheckKind::Speakers]
            {
                self.skip(kind);
            }
        }
        if has_web_rtc {
            self.begin_gathering(self.row(CheckKind::Addresses), now);
        } else {
            for kind in [CheckKind::Addresses, CheckKind::Nat, CheckKind::RelayCall] {
                self.skip(kind);
            }
        }
    }

    /// Rows that wait for their turn or for what others found.
    fn begin_next(&mut self, now: Timestamp) {
        let mut gatherings = self.rows.iter().filter(|row| row.check.state == CheckState::Running);
        let mut free =
            MAX_GATHERINGS.saturating_sub(gatherings.by_ref().filter(|row| row.gathering.is_some()).count());
        for at in 0..self.rows.len() {
            let row = &self.rows[at];
            if free > 0 && row.check.state == CheckState::Waiting && !row.servers.is_empty() {
                self.begin_gathering(Some(at), now);
                free -= 1;
            }
        }
        self.begin_relay_call(now);
    }

    /// Once every relay was tried, by the best that works: a browser would choose the same.
    fn begin_relay_call(&mut self, now: Timestamp) {
        let Some(at) = self.row(CheckKind::RelayCall) else { return };
        let knows_relays = matches!(self.signalling, Some(SignallingFinding::Open { .. }));
        if self.rows[at].check.state != CheckState::Waiting || !knows_relays {
            return;
        }
        let by_preference = [CheckKind::TurnUdp, CheckKind::TurnTcp, CheckKind::TurnTls];
        let relays: Vec<_> = by_preference
            .into_iter()
            .flat_map(|kind| self.rows.iter().filter(move |row| row.check.id.kind == kind))
            .collect();
        if relays.is_empty() {
            self.conclude(at, Outcome::warning(CheckCode::NoRelay, Vec::new()));
        } else if relays.iter().all(|row| row.check.state.is_done()) {
            let best = relays.iter().find(|row| row.check.state == CheckState::Ok);
            match best.map(|row| (row.check.subject.clone(), row.servers.clone())) {
                Some((subject, servers)) => {
                    self.rows[at].check.subject = subject;
                    self.begin(CheckKind::RelayCall, Operation::CallThroughRelay(servers), now);
                }
                None => self.conclude(at, Outcome::failed(CheckCode::NotTested, Vec::new())),
            }
        }
    }

    /// The server named its ICE servers: a row for each address, and one socket for two of them together.
    fn plan_ice(&mut self, ice_servers: &[IceServer]) {
        if !self.facts.has_web_rtc {
            return;
        }
        let plan = IcePlan::new(ice_servers);
        let place = self.row(CheckKind::Nat).unwrap_or(self.rows.len());
        let rows = plan.servers.into_iter().map(|planned| {
            let mut row = Row::new(planned.id, Some(planned.subject));
            match planned.server {
                Some(server) => row.servers.push(server),
                None => row.conclude(Outcome::failed(CheckCode::UrlInvalid, Vec::new())),
            }
            row
        });
        self.rows.splice(place..place, rows);
        let Some(nat) = self.row(CheckKind::Nat) else { return };
        match plan.mapping {
            Some(servers) => self.rows[nat].servers.push(servers),
            None => self.conclude(nat, nat_outcome(NatMapping::Unknown, Vec::new())),
        }
    }

    fn conclude_devices(&mut self, camera: Option<CheckCode>, microphone: Option<CheckCode>, now: Timestamp) {
        let refused =
            [camera, microphone].into_iter().flatten().find(|code| *code == CheckCode::PermissionDenied);
        let outcome = match refused {
            Some(code) => Outcome::failed(code, Vec::new()),
            None => Outcome::ok(Vec::new()),
        };
        self.conclude_only(CheckKind::Permissions, outcome);
        let next = [
            (CheckKind::Camera, camera, Operation::WatchCamera),
            (CheckKind::Microphone, microphone, Operation::ListenToMicrophone),
        ];
        for (kind, obstacle, operation) in next {
            match obstacle {
                Some(code) => self.conclude_only(kind, Outcome::failed(code, Vec::new())),
                None => self.begin(kind, operation, now),
            }
        }
    }

    /// The socket's result waits for the server's: only both together say who is at fault.
    fn conclude_signalling(&mut self, now: Timestamp) {
        let Some(at) = self.row(CheckKind::Signalling) else { return };
        if self.rows[at].check.state.is_done() {
            return;
        }
        let outcome = match (&self.signalling, self.server_answers) {
            (Some(SignallingFinding::Open { opened_after, round_trip, ice_servers }), _) => {
                let count: usize = ice_servers.iter().map(|server| server.urls.len()).sum();
                Outcome::ok(vec![
                    Detail::new(DetailLabel::Opening, millis(*opened_after)),
                    Detail::new(DetailLabel::RoundTrip, millis(*round_trip)),
                    Detail::new(DetailLabel::IceServers, count.to_string()),
                ])
            }
            (Some(SignallingFinding::Refused(reason)), _) => {
                let reason = Detail::new(DetailLabel::Error, reason.clone());
                Outcome::failed(CheckCode::SignallingRefused, vec![reason])
            }
            (Some(SignallingFinding::Closed), Some(true)) => {
                Outcome::failed(CheckCode::WebsocketBlocked, Vec::new())
            }
            (Some(SignallingFinding::Closed), Some(false)) => {
                Outcome::failed(CheckCode::ServerUnreachable, Vec::new())
            }
            _ => return,
        };
        self.conclude_with_signalling(at, outcome, now);
    }

    fn conclude_with_signalling(&mut self, at: usize, outcome: Outcome, now: Timestamp) {
        let is_ok = outcome.state == CheckState::Ok;
        self.conclude(at, outcome);
        let named = match &self.signalling {
            Some(SignallingFinding::Open { ice_servers, .. }) if is_ok => ice_servers.clone(),
            // Without the server nobody knows which relays there are.
            _ => {
                self.skip(CheckKind::Nat);
                self.skip(CheckKind::RelayCall);
                return;
            }
        };
        self.plan_ice(&named);
        self.begin_next(now);
    }

    fn on_gathering(&mut self, at: usize, now: Timestamp, act: impl FnOnce(&mut Gathering)) {
        if let Some(gathering) = &mut self.rows[at].gathering {
            act(gathering);
            gathering.handle_timeout(now);
            self.conclude_gathering(at);
        }
    }

    fn conclude_gathering(&mut self, at: usize) {
        let row = &self.rows[at];
        let Some(gathering) = row.gathering.as_ref().filter(|gathering| gathering.is_over()) else { return };
        let outcome = match row.check.id.kind {
            CheckKind::Addresses => gathering.judge_addresses(),
            CheckKind::Nat => {
                let seen = gathering.of_type(CandidateType::ServerReflexive);
                let candidate =
                    |one: &Candidate| Detail::private(DetailLabel::Candidate, one.text(), one.redacted());
                nat_outcome(NatMapping::infer(gathering), seen.map(candidate).collect())
            }
            _ => match row.check.subject.as_deref().map(IceUrl::parse) {
                Some(Ok(url)) => gathering.judge(&url),
                _ => Outcome::failed(CheckCode::UrlInvalid, Vec::new()),
            },
        };
        self.conclude(at, outcome);
    }

    /// The time of a check is over.
    fn run_out(&mut self, at: usize, now: Timestamp) {
        match self.rows[at].check.id.kind {
            // The question still stands: its answer counts whenever it comes.
            CheckKind::Permissions => {
                for kind in [CheckKind::Permissions, CheckKind::Camera, CheckKind::Microphone] {
                    if let Some(at) = self.row(kind) {
                        self.rows[at].conclude(Outcome::warning(CheckCode::PermissionPending, Vec::new()));
                    }
                }
            }
            CheckKind::Server => {
                self.server_answers = Some(false);
                self.conclude(at, server_outcome(None));
                self.conclude_signalling(now);
            }
            CheckKind::Signalling => {
                let code = if self.server_answers == Some(true) {
                    CheckCode::WebsocketBlocked
                } else {
                    CheckCode::ServerUnreachable
                };
                self.conclude_with_signalling(at, Outcome::failed(code, Vec::new()), now);
            }
            CheckKind::RelayCall => self.conclude(at, Outcome::failed(CheckCode::RelayFailed, Vec::new())),
            _ => self.conclude(at, Outcome::failed(CheckCode::Timeout, Vec::new())),
        }
    }

    fn begin(&mut self, kind: CheckKind, operation: Operation, now: Timestamp) {
        let Some(at) = self.row(kind) else { return };
        let id = OperationId(self.next_operation);
        self.next_operation += 1;
        let row = &mut self.rows[at];
        row.check.state = CheckState::Running;
        row.check.code = None;
        row.operation = Some(id);
        row.deadline = Some(now + CHECK_DEADLINE);
        self.outputs.push_back(DoctorOutput::Begin(id, operation));
    }

    fn begin_gathering(&mut self, at: Option<usize>, now: Timestamp) {
        let Some(at) = at else { return };
        let id = OperationId(self.next_operation);
        self.next_operation += 1;
        let row = &mut self.rows[at];
        let hoped_for = match row.check.id.kind {
            CheckKind::StunUdp => Some(CandidateType::ServerReflexive),
            CheckKind::TurnUdp | CheckKind::TurnTcp | CheckKind::TurnTls => Some(CandidateType::Relay),
            _ => None,
        };
        row.gathering = Some(Gathering::new(hoped_for, CHECK_DEADLINE, now));
        row.check.state = CheckState::Running;
        row.operation = Some(id);
        self.outputs.push_back(DoctorOutput::Begin(id, Operation::Gather(row.servers.clone())));
    }

    fn conclude(&mut self, at: usize, outcome: Outcome) {
        let row = &mut self.rows[at];
        row.conclude(outcome);
        row.gathering = None;
        if let Some(operation) = row.operation.take() {
            self.outputs.push_back(DoctorOutput::End(operation));
        }
    }

    fn conclude_only(&mut self, kind: CheckKind, outcome: Outcome) {
        if let Some(at) = self.row(kind) {
            self.conclude(at, outcome);
        }
    }

    fn skip(&mut self, kind: CheckKind) {
        self.conclude_only(kind, Outcome::warning(CheckCode::NotTested, Vec::new()));
    }

    fn row(&self, kind: CheckKind) -> Option<usize> {
        self.rows.iter().position(|row| row.check.id.kind == kind)
    }
}

impl Row {
    fn new(id: CheckId, subject: Option<String>) -> Self {
        Self {
            check: Check::waiting(id, subject),
            operation: None,
            deadline: None,
            gathering: None,
            servers: Vec::new(),
        }
    }

    fn conclude(&mut self, outcome: Outcome) {
        let Outcome { state, code, details } = outcome;
        self.check.state = state;
        self.check.code = Some(code);
        self.check.details = details;
        self.deadline = None;
    }
}

fn of(is_well: bool, otherwise: CheckCode) -> Outcome {
    if is_well { Outcome::ok(Vec::new()) } else { Outcome::failed(otherwise, Vec::new()) }
}

fn server_outcome(answered: Option<Duration>) -> Outcome {
    match answered {
        Some(took) => Outcome::ok(vec![Detail::new(DetailLabel::RoundTrip, millis(took))]),
        None => Outcome::failed(CheckCode::ServerUnreachable, Vec::new()),
    }
}

fn nat_outcome(mapping: NatMapping, mut details: Vec<Detail>) -> Outcome {
    details.push(Detail::new(DetailLabel::Mapping, mapping.as_str()));
    match mapping {
        NatMapping::None | NatMapping::EndpointIndependent => Outcome::ok(details),
        NatMapping::EndpointDependent => Outcome::warning(CheckCode::NatSymmetric, details),
        NatMapping::Unknown => Outcome { state: CheckState::Ok, code: CheckCode::NatUnknown, details },
    }
}

fn relay_outcome(figures: RelayFigures, connected_after: Option<Duration>) -> Outcome {
    match connected_after {
        Some(after) => figures.judge(vec![Detail::new(DetailLabel::Connected, millis(after))]),
        None => Outcome::failed(CheckCode::RelayFailed, Vec::new()),
    }
}
