//! The kind of address translation (NAT), from the addresses that two STUN servers saw of one socket.
//!
//! The words are those of RFC 4787 section 4.1. If a mapping depends on the destination, it cannot be announced to others, and
//! two such networks connect only through a relay. If the two servers are two ports of one address, a mapping that depends only
//! on the destination address is not detected; that kind is rare.

use std::collections::HashSet;

use super::{
    candidate::{Candidate, CandidateType},
    gathering::Gathering,
};

/// How a NAT maps addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NatMapping {
    /// There is no mapping: the others see an address of this computer.
    None,
    /// Every destination sees the same address, so the address can be announced.
    EndpointIndependent,
    /// Every destination sees another address ("symmetric").
    EndpointDependent,
    /// Too few servers answered to know.
    Unknown,
}

impl NatMapping {
    /// Compares the candidates of one gathering with several STUN servers: browsers ask all of them from one socket for each
    /// address of the computer, and report the different answers.
    #[must_use]
    pub fn infer(gathering: &Gathering) -> Self {
        // Otherwise a server may not have answered, and there is nothing to compare.
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
        // If the browser hides the base addresses, each of several local addresses may have its own mapping.
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

    /// The word for a detail line, the same in every language.
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
