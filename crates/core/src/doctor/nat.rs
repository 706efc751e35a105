//! The kind of address translation (NAT) on the way, by what two STUN servers saw of one socket.
//!
//! The words are those of RFC 4787 section 4.1: a mapping that depends on whom one talks to cannot be told to others in
//! advance, and two such networks meet only through a relay. Where the two servers are two ports of one address, a mapping
//! that depends on the address alone is not noticed; that kind is rare.

use std::collections::HashSet;

use super::{
    candidate::{Candidate, CandidateType},
    gathering::Gathering,
};

/// How addresses are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NatMapping {
    /// Not at all: the others see an address of this computer.
    None,
    /// Always to the same: whoever is told it can send to it.
    EndpointIndependent,
    /// To another one for everyone talked to ("symmetric").
    EndpointDependent,
    /// Not enough servers answered to tell.
    Unknown,
}

impl NatMapping {
    /// What one gathering with several STUN servers says: browsers ask all of them from one socket for each of the
    /// computer's addresses, and report what differs.
    #[must_use]
    pub fn infer(gathering: &Gathering) -> Self {
        // Else one may not have answered, and nothing can be compared.
        if !gathering.is_complete() || !gathering.errors().is_empty() {
            return Self::Unknown;
        }
        let hosts: Vec<_> = udp(gathering, CandidateType::Host).collect();
        let reflexive: Vec<_> = udp(gathering, CandidateType::ServerReflexive).collect();
        if reflexive.is_empty() {
            return if hosts.is_empty() { Self::Unknown } else { Self::None };
        }
        let mappings = |of: &Candidate| {
            let same = |other: &&&Candidate| (other.related, other.family()) == (of.related, of.family());
            let seen: HashSet<_> =
                reflexive.iter().filter(same).map(|seen| (&seen.address, seen.port)).collect();
            seen.len()
        };
        let most = |is_known: bool| {
            reflexive
                .iter()
                .filter(|one| one.related.is_some() == is_known)
                .map(|one| mappings(one))
                .max()
                .unwrap_or(0)
        };
        // Where the browser hides what is behind a mapping, each of several addresses may have its own.
        match (most(true), most(false)) {
            (2.., _) => Self::EndpointDependent,
            (_, 2..) if hosts.len() == 1 => Self::EndpointDependent,
            (_, 2..) => Self::Unknown,
            _ if reflexive.iter().all(|seen| hosts.iter().any(|host| host.address == seen.address)) => {
                Self::None
            }
            _ => Self::EndpointIndependent,
        }
    }

    /// A word for a detail line, the same in every language.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::EndpointIndependent => "endpoint-independent",
            Self::EndpointDependent => "endpoint-dependent",
            Self::Unknown => "unknown",
        }
    }
}

fn udp(gathering: &Gathering, candidate_type: CandidateType) -> impl Iterator<Item = &Candidate> {
    gathering
        .of_type(candidate_type)
        .filter(|candidate| candidate.protocol == "udp" && candidate.component == 1)
}
