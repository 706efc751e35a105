//! One gathering of candidates, until it is complete or its time is over.

use std::time::Duration;

use super::{
    candidate::{Candidate, CandidateType, Family},
    check::{CheckCode, Detail, DetailLabel, Outcome},
};
use crate::{
    Timestamp,
    ice::{IceTransport, IceUrl},
};

/// Number of candidates kept of one gathering.
pub const MAX_CANDIDATES: usize = 64;
/// Number of errors kept of one gathering.
const MAX_ERRORS: usize = 16;
/// Longest error text that is kept, in characters.
const MAX_ERROR_CHARS: usize = 120;
/// Waiting time after the first wanted candidate, since one of the other IP version may follow.
const SETTLE: Duration = Duration::from_millis(700);

/// An `icecandidateerror` event of the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatheringError {
    /// The STUN error code (RFC 8489, section 14.8), or 701 where the server was not reached.
    pub code: u16,
    /// Text of the server or the browser, in English.
    pub text: String,
    /// The address of the server.
    pub url: String,
    /// Time since the gathering began.
    pub after: Duration,
}

/// A gathering that is running or complete.
#[derive(Debug, Clone)]
pub struct Gathering {
    hoped_for: Option<CandidateType>,
    started_at: Timestamp,
    deadline: Timestamp,
    candidates: Vec<Candidate>,
    errors: Vec<GatheringError>,
    is_complete: bool,
    is_over: bool,
}

impl Gathering {
    /// Begins a gathering. With `hoped_for` the gathering ends soon after a candidate of that type arrived.
    #[must_use]
    pub fn new(hoped_for: Option<CandidateType>, allowed: Duration, now: Timestamp) -> Self {
        Self {
            hoped_for,
            started_at: now,
            deadline: now + allowed,
            candidates: Vec::new(),
            errors: Vec::new(),
            is_complete: false,
            is_over: false,
        }
    }

    /// Takes a candidate attribute. Anything else, and the end-of-candidates line, is ignored.
    pub fn handle_candidate(&mut self, line: &str, now: Timestamp) {
        if self.is_over || self.candidates.len() >= MAX_CANDIDATES {
            return;
        }
        let Some(candidate) = Candidate::parse(line, now - self.started_at) else { return };
        if Some(candidate.candidate_type) == self.hoped_for {
            self.deadline = self.deadline.min(now + SETTLE);
        }
        self.candidates.push(candidate);
    }

    /// Takes an `icecandidateerror`.
    pub fn handle_error(&mut self, code: u16, text: &str, url: &str, now: Timestamp) {
        if self.is_over || self.errors.len() >= MAX_ERRORS {
            return;
        }
        let cut = |text: &str| text.chars().take(MAX_ERROR_CHARS).collect();
        let error = GatheringError { code, text: cut(text), url: cut(url), after: now - self.started_at };
        self.errors.push(error);
    }

    /// Notes that `iceGatheringState` became `complete`.
    pub fn handle_complete(&mut self) {
        if !self.is_over {
            self.is_complete = true;
            self.is_over = true;
        }
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.deadline <= now {
            self.is_over = true;
        }
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        (!self.is_over).then_some(self.deadline)
    }

    /// Whether the gathering is over and takes nothing more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether the browser completed the gathering in time: then every server answered or has an error.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The candidates, in order of arrival.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The errors, in order of arrival.
    #[must_use]
    pub fn errors(&self) -> &[GatheringError] {
        &self.errors
    }

    /// The candidates of one type.
    pub fn of_type(&self, candidate_type: CandidateType) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(move |candidate| candidate.candidate_type == candidate_type)
    }

    /// The result for the only server of this gathering.
    #[must_use]
    pub fn judge(&self, server: &IceUrl) -> Outcome {
        let wanted = if server.is_turn { CandidateType::Relay } else { CandidateType::ServerReflexive };
        let mut details: Vec<_> = self
            .candidates
            .iter()
            .filter(|candidate| candidate.candidate_type != CandidateType::Host)
            .map(candidate_detail)
            .collect();
        details.extend(self.errors.iter().map(error_detail));
        if self.of_type(wanted).next().is_some() {
            return Outcome::ok(details);
        }
        // A STUN server gives no candidate if it sees the address that the computer itself has.
        if !server.is_turn && self.is_complete && self.errors.is_empty() {
            return Outcome::ok(details);
        }
        Outcome::failed(self.failure(server), details)
    }

    fn failure(&self, server: &IceUrl) -> CheckCode {
        let of_server = self.errors.iter().map(|error| error.code).find(|code| *code < 700);
        match (of_server, self.errors.is_empty() && !self.is_complete) {
            (Some(401 | 403 | 437 | 438 | 441), _) => CheckCode::Unauthorized,
            (Some(486 | 508), _) => CheckCode::QuotaReached,
            (Some(_), _) => CheckCode::NotReached,
            (None, true) => CheckCode::Timeout,
            // The browser does not give the reason: an untrusted certificate looks like a closed port.
            (None, false) if server.transport == IceTransport::Tls => CheckCode::CertificateOrUnreachable,
            (None, false) => CheckCode::NotReached,
        }
    }

    /// The result for this computer's own addresses.
    #[must_use]
    pub fn judge_addresses(&self) -> Outcome {
        let hosts: Vec<_> = self.of_type(CandidateType::Host).collect();
        if hosts.is_empty() {
            let code = if self.is_complete { CheckCode::NoCandidates } else { CheckCode::Timeout };
            return Outcome::failed(code, Vec::new());
        }
        let mut details = Vec::new();
        let hidden = hosts.iter().filter(|host| host.is_hidden()).count();
        if hidden > 0 {
            details.push(Detail::new(DetailLabel::Hidden, hidden.to_string()));
        }
        for (label, family) in [(DetailLabel::Ipv4, Family::V4), (DetailLabel::Ipv6, Family::V6)] {
            let count = hosts.iter().filter(|host| host.family() == Some(family)).count();
            if count > 0 || hidden == 0 {
                details.push(Detail::new(label, count.to_string()));
            }
        }
        details.extend(hosts.into_iter().map(candidate_detail));
        Outcome::ok(details)
    }
}

fn candidate_detail(candidate: &Candidate) -> Detail {
    Detail::private(DetailLabel::Candidate, candidate.text(), candidate.redacted())
}

fn error_detail(error: &GatheringError) -> Detail {
    let GatheringError { code, text, after, .. } = error;
    let text = if text.is_empty() { String::new() } else { format!(" {text}") };
    Detail::new(DetailLabel::Error, format!("{code}{text}, {} ms", after.as_millis()))
}
