//! A browser, a person and a network for an examination.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    doctor::{
        BrowserFacts, CertificateFinding, Check, CheckCode, CheckState, Doctor, DoctorOutput, Finding,
        Operation, OperationId, Outcome, RelayFigures, SignalingFinding,
    },
    ice::{IceTransport, IceUrl},
};
use sightline_protocol::signaling::IceServer;

/// How the network treats one transport to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// No message is ever answered.
    Swallowed,
    /// The browser reports that the server was not reached.
    Refused,
    /// The relay answers with the error 401.
    Unauthorized,
}

/// All conditions that an examination may find.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) facts: BrowserFacts,
    pub(crate) camera: Option<CheckCode>,
    pub(crate) microphone: Option<CheckCode>,
    /// Delay of the person's answer to the browser's question; `None` for no answer.
    pub(crate) answers_after: Option<Duration>,
    pub(crate) server: bool,
    /// Why a program did not reach the server.
    pub(crate) no_server: Option<String>,
    pub(crate) signaling: bool,
    /// What a program finds of the server's certificate; a page has no row for it.
    pub(crate) certificate: CertificateFinding,
    /// Why the server does not admit the page, if its socket does not open.
    pub(crate) page_refused: Option<CheckCode>,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) alternate_stun_urls: Vec<String>,
    pub(crate) own_servers: Vec<IceServer>,
    pub(crate) udp: Way,
    pub(crate) tcp: Way,
    pub(crate) tls: Way,
    /// Whether each STUN server sees another port.
    pub(crate) symmetric: bool,
    pub(crate) relay_carries: bool,
}

impl World {
    /// A world without problems.
    pub(crate) fn open() -> Self {
        Self {
            facts: BrowserFacts { has_web_rtc: true, is_secure: true },
            camera: None,
            microphone: None,
            answers_after: Some(Duration::from_millis(300)),
            server: true,
            no_server: None,
            signaling: true,
            certificate: CertificateFinding::Trusted {
                remaining: Duration::from_hours(60 * 24),
                until: "2027-01-31".to_owned(),
            },
            page_refused: None,
            ice_servers: vec![IceServer {
                urls: ["stun:a", "stun:b", "turn:a", "turn:a?transport=tcp", "turns:a"]
                    .map(str::to_owned)
                    .into(),
                username: Some("user".to_owned()),
                credential: Some("secret".to_owned()),
            }],
            alternate_stun_urls: Vec::new(),
            own_servers: Vec::new(),
            udp: Way::Open,
            tcp: Way::Open,
            tls: Way::Open,
            symmetric: false,
            relay_carries: true,
        }
    }

    /// Runs an examination to its end.
    pub(crate) fn examine(&self) -> Examination {
        self.run(Doctor::new(self.facts, self.own_servers.clone(), at(0)))
    }

    /// Runs an examination of the network alone to its end.
    pub(crate) fn examine_network(&self, is_encrypted: bool) -> Examination {
        self.run(Doctor::of_network(is_encrypted, self.own_servers.clone(), at(0)))
    }

    fn run(&self, doctor: Doctor) -> Examination {
        let mut run = Examination { doctor, now: at(0), due: Vec::new(), begun: Vec::new() };
        for _ in 0..10_000 {
            while let Some(output) = run.doctor.poll_output() {
                if let DoctorOutput::Begin(id, operation) = output {
                    run.begun.push(id);
                    self.perform(id, &operation, &mut run);
                }
            }
            let next_finding = run.due.iter().map(|(when, ..)| *when).min();
            let Some(next) = [next_finding, run.doctor.poll_timeout()].into_iter().flatten().min() else {
                break;
            };
            run.now = next;
            match run.due.iter().position(|(when, ..)| *when == next) {
                Some(at) => {
                    let (_, id, finding) = run.due.remove(at);
                    run.doctor.handle_finding(id, finding, next);
                }
                None => run.doctor.handle_timeout(next),
            }
        }
        run
    }

    fn perform(&self, id: OperationId, operation: &Operation, run: &mut Examination) {
        let mut find = |after_ms: u64, finding: Finding| {
            run.due.push((run.now + Duration::from_millis(after_ms), id, finding));
        };
        match operation {
            Operation::AskForDevices => {
                if let Some(after) = self.answers_after {
                    let (camera, microphone) = (self.camera, self.microphone);
                    let after_ms = u64::try_from(after.as_millis()).unwrap();
                    find(after_ms, Finding::Devices { camera, microphone });
                }
            }
            Operation::WatchCamera | Operation::ListenToMicrophone | Operation::CountSpeakers => {
                find(2000, Finding::Judged(Outcome::ok(Vec::new())));
            }
            Operation::ReachServer => {
                let answered = Finding::Server(self.server.then_some(Duration::from_millis(20)));
                find(20, self.no_server.clone().map_or(answered, Finding::NoServer));
            }
            Operation::InspectCertificate => find(25, Finding::Certificate(self.certificate.clone())),
            Operation::OpenSignaling => find(30, Finding::Signaling(self.signaling())),
            Operation::Gather(servers) => self.gather(servers, &mut find),
            Operation::CallThroughRelay(_) => {
                let figures = RelayFigures {
                    round_trip: Some(Duration::from_millis(40)),
                    jitter: Some(Duration::from_millis(2)),
                    loss_permille: Some(0),
                    throughput_bps: Some(8_000_000),
                };
                if self.relay_carries {
                    let connected_after = Some(Duration::from_millis(300));
                    find(4000, Finding::RelayCall { figures, connected_after });
                }
            }
        }
    }

    fn signaling(&self) -> SignalingFinding {
        if !self.signaling {
            return self.page_refused.map_or(SignalingFinding::Closed, SignalingFinding::PageRefused);
        }
        SignalingFinding::Open {
            opened_after: Duration::from_millis(20),
            round_trip: Duration::from_millis(9),
            ice_servers: self.ice_servers.clone(),
            alternate_stun_urls: self.alternate_stun_urls.clone(),
        }
    }

    fn gather(&self, servers: &[IceServer], find: &mut impl FnMut(u64, Finding)) {
        find(5, candidate("192.168.1.5 50000 typ host"));
        let mut is_answered = true;
        let urls = servers.iter().flat_map(|server| &server.urls);
        for (number, url) in urls.filter_map(|raw| IceUrl::parse(raw).ok()).enumerate() {
            let way = match url.transport {
                IceTransport::Udp => self.udp,
                IceTransport::Tcp => self.tcp,
                IceTransport::Tls => self.tls,
            };
            let port = if self.symmetric { 40_000 + number } else { 40_000 };
            let error = |code| Finding::CandidateError { code, text: "no".to_owned(), url: url.to_string() };
            match way {
                Way::Open if url.is_turn => {
                    find(40, candidate("198.51.100.1 60000 typ relay raddr 203.0.113.7 rport 40000"));
                }
                Way::Open => {
                    find(
                        30,
                        candidate(&format!("203.0.113.7 {port} typ srflx raddr 192.168.1.5 rport 50000")),
                    );
                }
                Way::Swallowed => is_answered = false,
                Way::Refused => find(10, error(701)),
                Way::Unauthorized if url.is_turn => find(40, error(401)),
                Way::Unauthorized => {
                    find(30, candidate("203.0.113.7 40000 typ srflx raddr 192.168.1.5 rport 50000"));
                }
            }
        }
        if is_answered {
            find(60, Finding::GatheringComplete);
        }
    }
}

/// An examination that has run to its end.
pub(crate) struct Examination {
    pub(crate) doctor: Doctor,
    pub(crate) now: Timestamp,
    /// All operations that were begun.
    pub(crate) begun: Vec<OperationId>,
    due: Vec<(Timestamp, OperationId, Finding)>,
}

impl Examination {
    pub(crate) fn check(&self, name: &str) -> Check {
        let found = self.doctor.checks().into_iter().find(|check| check.id.name() == name);
        found.unwrap_or_else(|| panic!("no check {name}"))
    }

    pub(crate) fn result(&self, name: &str) -> (CheckState, Option<CheckCode>) {
        let check = self.check(name);
        (check.state, check.code)
    }
}

pub(crate) fn at(ms: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(ms))
}

pub(crate) fn candidate(rest: &str) -> Finding {
    Finding::Candidate(format!("candidate:1 1 udp 1 {rest}"))
}
