//! The examination: which checks there are, which of them run, and their results.

use std::time::Duration;

use sightline_protocol::signaling::IceServer;

use super::{
    candidate::{Candidate, CandidateType},
    check::{Check, CheckCode, CheckKind, CheckState, Detail, DetailLabel, Outcome},
    gathering::Gathering,
    ice_plan::IcePlan,
    nat::NatMapping,
    operation::{CertificateFinding, DoctorOutput, Finding, Operation, OperationId, SignalingFinding},
    relay_probe::{RelayFigures, millis},
    rows::{Row, Rows},
    verdict::{Advice, IceServersOf, Verdict},
};
use crate::{Timestamp, ice::IceUrl};

/// The deadline of every check: browsers report a dead server after eleven seconds, or never.
pub const CHECK_DEADLINE: Duration = Duration::from_secs(8);

/// A certificate that ends within this time is a warning: automatic renewal comes thirty days before the end.
const EXPIRES_SOON: Duration = Duration::from_hours(14 * 24);

/// What is known of the browser at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserFacts {
    /// Whether the browser has `RTCPeerConnection`.
    pub has_web_rtc: bool,
    /// Whether the page came over https or from this computer.
    pub is_secure: bool,
}

/// A run of all checks.
#[derive(Debug)]
pub struct Doctor {
    rows: Rows,
    facts: BrowserFacts,
    /// The person's own ICE servers, which replace those that the server names.
    own_servers: Vec<IceServer>,
    /// Whether the server answered HTTP, to tell a proxy that blocks WebSockets from a server that is down.
    server_answers: Option<bool>,
    signaling: Option<SignalingFinding>,
    /// Whether every ICE server has a row.
    is_planned: bool,
}

impl Doctor {
    /// Begins an examination. If the person gave ICE servers, they are checked instead of the server's.
    #[must_use]
    pub fn new(facts: BrowserFacts, own_servers: Vec<IceServer>, now: Timestamp) -> Self {
        let kinds = [
            CheckKind::Browser,
            CheckKind::SecureContext,
            CheckKind::Permissions,
            CheckKind::Camera,
            CheckKind::Microphone,
            CheckKind::Speakers,
            CheckKind::Server,
            CheckKind::Signaling,
            CheckKind::Addresses,
            CheckKind::Nat,
            CheckKind::RelayCall,
        ];
        Self::begin(&kinds, facts, own_servers, now)
    }

    /// Begins an examination of server and network alone, for a program without a browser and without devices.
    #[must_use]
    pub fn of_network(is_encrypted: bool, own_servers: Vec<IceServer>, now: Timestamp) -> Self {
        let mut kinds = vec![
            CheckKind::Server,
            CheckKind::Certificate,
            CheckKind::Signaling,
            CheckKind::Addresses,
            CheckKind::Nat,
            CheckKind::RelayCall,
        ];
        kinds.retain(|kind| is_encrypted || *kind != CheckKind::Certificate);
        let facts = BrowserFacts { has_web_rtc: true, is_secure: true };
        Self::begin(&kinds, facts, own_servers, now)
    }

    fn begin(kinds: &[CheckKind], facts: BrowserFacts, own_servers: Vec<IceServer>, now: Timestamp) -> Self {
        let mut doctor = Self {
            rows: Rows::new(kinds.iter().copied()),
            facts,
            own_servers,
            server_answers: None,
            signaling: None,
            is_planned: false,
        };
        doctor.begin_all(now);
        doctor
    }

    /// Takes a finding of an operation.
    pub fn handle_finding(&mut self, operation: OperationId, finding: Finding, now: Timestamp) {
        let Some(at) = self.rows.of_operation(operation) else { return };
        let Check { id, state, .. } = self.rows.at(at).check.clone();
        let kind = id.kind;
        match finding {
            Finding::Devices { camera, microphone } if kind == CheckKind::Permissions => {
                self.conclude_devices(camera, microphone, now);
            }
            // A row keeps its result, except that a late answer of the person counts.
            _ if state.is_done() => return,
            Finding::Judged(outcome) => self.rows.conclude(at, outcome),
            Finding::Server(answered) => {
                self.server_answers = Some(answered.is_some());
                self.rows.conclude(at, server_outcome(answered));
                self.conclude_signaling(now);
            }
            Finding::NoServer(reason) => {
                self.server_answers = Some(false);
                let details = vec![Detail::new(DetailLabel::Error, reason)];
                self.rows.conclude(at, Outcome::failed(CheckCode::ServerUnreachable, details));
                self.conclude_signaling(now);
            }
            Finding::Certificate(certificate) => self.rows.conclude(at, certificate_outcome(certificate)),
            Finding::Signaling(finding) => {
                self.signaling = Some(finding);
                self.conclude_signaling(now);
            }
            Finding::RelayCall { figures, connected_after } => {
                self.rows.conclude(at, relay_outcome(figures, connected_after));
            }
            Finding::Refused => self.rows.conclude(at, Outcome::failed(CheckCode::UrlInvalid, Vec::new())),
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

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for at in 0..self.rows.all().len() {
            let row = self.rows.at(at);
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

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.rows.poll_timeout()
    }

    /// The next thing that the caller is to do.
    pub fn poll_output(&mut self) -> Option<DoctorOutput> {
        self.rows.poll_output()
    }

    /// Every row, in display order.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        self.rows.all().iter().map(|row| row.check.clone()).collect()
    }

    /// Whether every row has a result.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.rows.all().iter().all(|row| row.check.state.is_done())
    }

    /// The overall verdict.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.checks())
    }

    /// What can be done, the most serious first.
    #[must_use]
    pub fn advice(&self) -> Vec<Advice> {
        Advice::of(&self.checks(), self.ice_servers_of())
    }

    /// The origin of the checked STUN and TURN servers.
    #[must_use]
    pub fn ice_servers_of(&self) -> IceServersOf {
        if self.own_servers.is_empty() { IceServersOf::Operator } else { IceServersOf::Person }
    }

    fn begin_all(&mut self, now: Timestamp) {
        let BrowserFacts { has_web_rtc, is_secure } = self.facts;
        self.rows.conclude_only(CheckKind::Browser, of(has_web_rtc, CheckCode::UnsupportedBrowser));
        self.rows.conclude_only(CheckKind::SecureContext, of(is_secure, CheckCode::InsecureContext));
        self.rows.begin(CheckKind::Server, Operation::ReachServer, now);
        self.rows.begin(CheckKind::Certificate, Operation::InspectCertificate, now);
        self.rows.begin(CheckKind::Signaling, Operation::OpenSignaling, now);
        if is_secure {
            self.rows.begin(CheckKind::Permissions, Operation::AskForDevices, now);
            self.rows.begin(CheckKind::Speakers, Operation::CountSpeakers, now);
        } else {
            for kind in
                [CheckKind::Permissions, CheckKind::Camera, CheckKind::Microphone, CheckKind::Speakers]
            {
                self.rows.skip(kind);
            }
        }
        if has_web_rtc {
            if let Some(at) = self.rows.of(CheckKind::Addresses) {
                self.rows.begin_gathering(at, now);
            }
        } else {
            for kind in [CheckKind::Addresses, CheckKind::Nat, CheckKind::RelayCall] {
                self.rows.skip(kind);
            }
        }
    }

    /// Begins rows that wait for their turn or for the results of other rows.
    fn begin_next(&mut self, now: Timestamp) {
        self.rows.begin_waiting(now);
        self.begin_relay_call(now);
    }

    /// Begins the relay call once every relay was tried, with the best relay that works: a browser would choose the same.
    fn begin_relay_call(&mut self, now: Timestamp) {
        let Some(at) = self.rows.of(CheckKind::RelayCall) else { return };
        if self.rows.at(at).check.state != CheckState::Waiting || !self.is_planned {
            return;
        }
        let by_preference = [CheckKind::TurnUdp, CheckKind::TurnTcp, CheckKind::TurnTls];
        let relays: Vec<_> = by_preference
            .into_iter()
            .flat_map(|kind| self.rows.all().iter().filter(move |row| row.check.id.kind == kind))
            .collect();
        if relays.is_empty() {
            self.rows.conclude(at, Outcome::warning(CheckCode::NoRelay, Vec::new()));
        } else if relays.iter().all(|row| row.check.state.is_done()) {
            let best = relays.iter().find(|row| row.check.state == CheckState::Ok);
            match best.map(|row| (row.check.subject.clone(), row.servers.clone())) {
                Some((subject, servers)) => {
                    self.rows.at(at).check.subject = subject;
                    self.rows.begin(CheckKind::RelayCall, Operation::CallThroughRelay(servers), now);
                }
                None => self.rows.conclude(at, Outcome::failed(CheckCode::NotTested, Vec::new())),
            }
        }
    }

    /// Takes the ICE servers: plans a row for each address, and one gathering with two STUN servers together.
    fn plan_ice(&mut self, ice_servers: &[IceServer], alternate_stun_urls: &[String]) {
        self.is_planned = true;
        if !self.facts.has_web_rtc {
            return;
        }
        let plan = IcePlan::new(ice_servers, alternate_stun_urls);
        let rows = plan.servers.into_iter().map(|planned| {
            let mut row = Row::new(planned.id, Some(planned.subject));
            match planned.server {
                Some(server) => row.servers.push(server),
                None => row.conclude(Outcome::failed(CheckCode::UrlInvalid, Vec::new())),
            }
            row
        });
        self.rows.insert_before(CheckKind::Nat, rows);
        let Some(nat) = self.rows.of(CheckKind::Nat) else { return };
        match plan.mapping {
            Some(servers) => self.rows.at(nat).servers.push(servers),
            None => self.rows.conclude(nat, nat_outcome(NatMapping::Unknown, Vec::new())),
        }
    }

    fn conclude_devices(&mut self, camera: Option<CheckCode>, microphone: Option<CheckCode>, now: Timestamp) {
        let refused =
            [camera, microphone].into_iter().flatten().find(|code| *code == CheckCode::PermissionDenied);
        let outcome = match refused {
            Some(code) => Outcome::failed(code, Vec::new()),
            None => Outcome::ok(Vec::new()),
        };
        self.rows.conclude_only(CheckKind::Permissions, outcome);
        let next = [
            (CheckKind::Camera, camera, Operation::WatchCamera),
            (CheckKind::Microphone, microphone, Operation::ListenToMicrophone),
        ];
        for (kind, obstacle, operation) in next {
            match obstacle {
                Some(code) => self.rows.conclude_only(kind, Outcome::failed(code, Vec::new())),
                None => self.rows.begin(kind, operation, now),
            }
        }
    }

    /// Concludes the row of the socket. It waits for the result of the HTTP request, since only both together say what is at
    /// fault.
    fn conclude_signaling(&mut self, now: Timestamp) {
        let Some(at) = self.rows.of(CheckKind::Signaling) else { return };
        if self.rows.all()[at].check.state.is_done() {
            return;
        }
        let outcome = match (&self.signaling, self.server_answers) {
            (Some(SignalingFinding::Open { opened_after, round_trip, ice_servers, .. }), _) => {
                let count: usize = ice_servers.iter().map(|server| server.urls.len()).sum();
                Outcome::ok(vec![
                    Detail::new(DetailLabel::Opening, millis(*opened_after)),
                    Detail::new(DetailLabel::RoundTrip, millis(*round_trip)),
                    Detail::new(DetailLabel::IceServers, count.to_string()),
                ])
            }
            (Some(SignalingFinding::PageRefused(code)), _) => Outcome::failed(*code, Vec::new()),
            (Some(SignalingFinding::Refused(reason)), _) => {
                let reason = Detail::new(DetailLabel::Error, reason.clone());
                Outcome::failed(CheckCode::SignalingRefused, vec![reason])
            }
            (Some(SignalingFinding::Closed), Some(true)) => {
                Outcome::failed(CheckCode::WebsocketBlocked, Vec::new())
            }
            (Some(SignalingFinding::Closed), Some(false)) => {
                Outcome::failed(CheckCode::ServerUnreachable, Vec::new())
            }
            _ => return,
        };
        self.conclude_with_signaling(at, outcome, now);
    }

    fn conclude_with_signaling(&mut self, at: usize, outcome: Outcome, now: Timestamp) {
        let is_ok = outcome.state == CheckState::Ok;
        self.rows.conclude(at, outcome);
        match &self.signaling {
            _ if !self.own_servers.is_empty() => self.plan_ice(&self.own_servers.clone(), &[]),
            Some(SignalingFinding::Open { ice_servers, alternate_stun_urls, .. }) if is_ok => {
                let (servers, alternates) = (ice_servers.clone(), alternate_stun_urls.clone());
                self.plan_ice(&servers, &alternates);
            }
            // Without the server the relays are unknown.
            _ => {
                self.rows.skip(CheckKind::Nat);
                self.rows.skip(CheckKind::RelayCall);
                return;
            }
        }
        self.begin_next(now);
    }

    fn on_gathering(&mut self, at: usize, now: Timestamp, act: impl FnOnce(&mut Gathering)) {
        if let Some(gathering) = &mut self.rows.at(at).gathering {
            act(gathering);
            gathering.handle_timeout(now);
            self.conclude_gathering(at);
        }
    }

    fn conclude_gathering(&mut self, at: usize) {
        let row = &self.rows.all()[at];
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
        self.rows.conclude(at, outcome);
    }

    /// Ends a check whose time is over.
    fn run_out(&mut self, at: usize, now: Timestamp) {
        match self.rows.all()[at].check.id.kind {
            // The question is still open, so a late answer counts.
            CheckKind::Permissions => {
                for kind in [CheckKind::Permissions, CheckKind::Camera, CheckKind::Microphone] {
                    if let Some(at) = self.rows.of(kind) {
                        self.rows.at(at).conclude(Outcome::warning(CheckCode::PermissionPending, Vec::new()));
                    }
                }
            }
            CheckKind::Server => {
                self.server_answers = Some(false);
                self.rows.conclude(at, server_outcome(None));
                self.conclude_signaling(now);
            }
            CheckKind::Signaling => {
                let code = if self.server_answers == Some(true) {
                    CheckCode::WebsocketBlocked
                } else {
                    CheckCode::ServerUnreachable
                };
                self.conclude_with_signaling(at, Outcome::failed(code, Vec::new()), now);
            }
            CheckKind::RelayCall => {
                self.rows.conclude(at, Outcome::failed(CheckCode::RelayFailed, Vec::new()));
            }
            _ => self.rows.conclude(at, Outcome::failed(CheckCode::Timeout, Vec::new())),
        }
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

fn certificate_outcome(certificate: CertificateFinding) -> Outcome {
    match certificate {
        CertificateFinding::Trusted { remaining, until } => {
            let days = remaining.as_secs() / (24 * 3600);
            let details = vec![Detail::new(DetailLabel::ValidUntil, format!("{until}, {days} d"))];
            if remaining < EXPIRES_SOON {
                Outcome::warning(CheckCode::CertificateExpiring, details)
            } else {
                Outcome::ok(details)
            }
        }
        CertificateFinding::Refused(reason) => {
            Outcome::failed(CheckCode::CertificateRefused, vec![Detail::new(DetailLabel::Error, reason)])
        }
        // The rows of the server say why.
        CertificateFinding::NotReached => Outcome::warning(CheckCode::NotTested, Vec::new()),
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
