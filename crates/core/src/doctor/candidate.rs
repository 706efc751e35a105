//! ICE candidates as the browser writes them (RFC 8839, section 5.1).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// Longest candidate line that is read, in bytes; browsers write less than 300.
const MAX_CANDIDATE_BYTES: usize = 2_048;

/// The type of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidateType {
    /// An address of this computer.
    Host,
    /// The address that a STUN server saw.
    ServerReflexive,
    /// The address that the other side saw.
    PeerReflexive,
    /// An address of a relay.
    Relay,
}

impl CandidateType {
    /// The word in the candidate attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }
}

/// The version of the Internet Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4 (`203.0.113.7`).
    V4,
    /// IPv6 (`2001:db8::7`).
    V6,
}

/// An ICE candidate, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Host, server reflexive, peer reflexive or relay.
    pub candidate_type: CandidateType,
    /// The component; always 1 where RTCP is multiplexed.
    pub component: u8,
    /// `udp` or `tcp`.
    pub protocol: String,
    /// Pairs with a higher priority are tried first.
    pub priority: u32,
    /// An IP address, or a `.local` name with which the browser hides it.
    pub address: String,
    /// The port of `address`.
    pub port: u16,
    /// The base address and port; `None` where the browser hides it (0.0.0.0).
    pub related: Option<SocketAddr>,
    /// Time since the gathering began.
    pub after: Duration,
}

impl Candidate {
    /// Parses `candidate:…`, with or without `a=` before it. `None` for the end-of-candidates line and for anything else.
    #[must_use]
    pub fn parse(line: &str, after: Duration) -> Option<Self> {
        if line.len() > MAX_CANDIDATE_BYTES {
            return None;
        }
        let line = line.trim();
        let line = line.strip_prefix("a=").unwrap_or(line).strip_prefix("candidate:")?;
        let mut words = line.split_ascii_whitespace();
        let (_foundation, component) = (words.next()?, words.next()?.parse().ok()?);
        let protocol = words.next()?.to_ascii_lowercase();
        let priority = words.next()?.parse().ok()?;
        let (address, port) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        let (mut candidate_type, mut related_address, mut related_port) = (None, None, None);
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            match name {
                "typ" => {
                    candidate_type = Some(match value {
                        "host" => CandidateType::Host,
                        "srflx" => CandidateType::ServerReflexive,
                        "prflx" => CandidateType::PeerReflexive,
                        "relay" => CandidateType::Relay,
                        _ => return None,
                    });
                }
                "raddr" => related_address = value.parse::<IpAddr>().ok(),
                "rport" => related_port = value.parse().ok(),
                _ => {}
            }
        }
        let related = related_address.zip(related_port).map(|(address, port)| SocketAddr::new(address, port));
        Some(Self {
            candidate_type: candidate_type?,
            component,
            protocol,
            priority,
            address,
            port,
            related: related.filter(|related| !related.ip().is_unspecified()),
            after,
        })
    }

    /// Whether the browser hides the address behind a `.local` name.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.ip().is_none()
    }

    /// The IP address; `None` for a `.local` name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }

    /// The version of the address; `None` for a `.local` name.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        self.ip().map(|ip| if ip.is_ipv4() { Family::V4 } else { Family::V6 })
    }

    /// A line for a person: `srflx udp 203.0.113.7:50000, 34 ms`.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_with(&self.address)
    }

    /// The same line without the half of the address that identifies the person.
    #[must_use]
    pub fn redacted(&self) -> String {
        self.text_with(&redact(&self.address))
    }

    fn text_with(&self, address: &str) -> String {
        let Self { candidate_type, protocol, port, after, .. } = self;
        let address = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        format!("{} {protocol} {address}:{port}, {} ms", candidate_type.as_str(), after.as_millis())
    }
}

/// An address with only its network part.
#[must_use]
pub fn redact(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            format!("{a}.{b}.x.x")
        }
        Ok(IpAddr::V6(ip)) => {
            let [a, b, ..] = ip.segments();
            format!("{a:x}:{b:x}:x")
        }
        Err(_) => "x.local".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Candidate> {
        Candidate::parse(line, Duration::from_millis(34))
    }

    #[test]
    fn the_candidates_of_both_browsers_are_read() {
        let chromium = read(
            "candidate:2353755149 1 udp 58597375 198.51.100.1 55753 typ relay raddr 203.0.113.7 rport 40375 generation 0 ufrag Iqzb network-id 1",
        );
        let chromium = chromium.expect("a candidate");
        assert_eq!((chromium.candidate_type, chromium.port), (CandidateType::Relay, 55753));
        assert_eq!(chromium.related, "203.0.113.7:40375".parse().ok());
        let firefox = read("candidate:1 1 UDP 1685987327 203.0.113.7 59043 typ srflx raddr 0.0.0.0 rport 0");
        let firefox = firefox.expect("a candidate");
        assert_eq!((firefox.protocol.as_str(), firefox.family()), ("udp", Some(Family::V4)));
        assert_eq!(firefox.related, None, "a hidden address is absent");
    }

    #[test]
    fn an_address_behind_a_local_name_is_hidden() {
        let hidden = read("candidate:0 1 UDP 2122187007 0d63-4e.local 48623 typ host").expect("a candidate");
        assert!(hidden.is_hidden());
        assert_eq!(hidden.redacted(), "host udp x.local:48623, 34 ms");
    }

    #[test]
    fn an_invalid_candidate_line_is_not_read() {
        for line in
            ["", "candidate:", "candidate:1 1 udp", "candidate:1 1 udp 1 a 99999 typ host", "x", "null"]
        {
            assert_eq!(read(line), None, "{line}");
        }
        assert_eq!(read("candidate:1 1 udp 1 192.0.2.1 9 typ hologram"), None);
        let long = format!("candidate:1 1 udp 1 192.0.2.1 9 typ host{}", " x".repeat(MAX_CANDIDATE_BYTES));
        assert_eq!(read(&long), None);
    }

    #[test]
    fn half_of_an_address_is_left_in_a_report() {
        for (address, left) in
            [("203.0.113.7", "203.0.x.x"), ("2001:db8:1:2::3", "2001:db8:x"), ("abc.local", "x.local")]
        {
            assert_eq!(redact(address), left);
        }
    }
}
