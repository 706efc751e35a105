//! The addresses of STUN and TURN servers (RFC 7064, RFC 7065).

use std::fmt;

use sightline_protocol::text::{is_blank, is_invisible};

/// Longest address that is accepted, in bytes.
pub const MAX_ICE_URL_BYTES: usize = 300;
/// Longest host name (RFC 1035, section 2.3.4). With scheme, port and transport the address is within [`MAX_ICE_URL_BYTES`].
const MAX_HOST_BYTES: usize = 253;

/// The transport to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IceTransport {
    /// UDP, the default of `stun:` and `turn:`.
    Udp,
    /// TCP, chosen with `transport=tcp`.
    Tcp,
    /// TLS over TCP (`turns:`).
    Tls,
}

impl IceTransport {
    /// The name for a person.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }
}

/// The address of a STUN or TURN server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IceUrl {
    /// Whether the server is a relay (`turn:` or `turns:`).
    pub is_turn: bool,
    /// The transport to the server.
    pub transport: IceTransport,
    /// A name, an IPv4 address, or an IPv6 address without brackets.
    pub host: String,
    /// The port; the default port of the scheme if the address has none.
    pub port: u16,
}

/// Why a string is not an [`IceUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address of an ICE server is stun:, turn: or turns: with a host and perhaps a port")]
pub struct IceUrlInvalid;

impl IceUrl {
    /// Reads `turn:example.org:3478?transport=tcp`.
    ///
    /// # Errors [`IceUrlInvalid`] for anything else, and for transports that browsers do not support (DTLS, STUN over TCP).
    pub fn parse(raw: &str) -> Result<Self, IceUrlInvalid> {
        let raw = raw.trim();
        if raw.len() > MAX_ICE_URL_BYTES {
            return Err(IceUrlInvalid);
        }
        let (scheme, rest) = raw.split_once(':').ok_or(IceUrlInvalid)?;
        let (authority, query) = rest.split_once('?').map_or((rest, None), |(at, query)| (at, Some(query)));
        let named = match query.map(|query| query.split_once('=')) {
            None => None,
            Some(Some(("transport", transport))) => Some(transport.to_ascii_lowercase()),
            Some(_) => return Err(IceUrlInvalid),
        };
        let (is_turn, transport, default_port) =
            match (scheme.to_ascii_lowercase().as_str(), named.as_deref()) {
                ("stun", None) => (false, IceTransport::Udp, 3478),
                ("turn", None | Some("udp")) => (true, IceTransport::Udp, 3478),
                ("turn", Some("tcp")) => (true, IceTransport::Tcp, 3478),
                ("turns", None | Some("tcp")) => (true, IceTransport::Tls, 5349),
                _ => return Err(IceUrlInvalid),
            };
        let (host, port) = split_port(authority)?;
        let is_host = |c: char| {
            let is_other_script = !c.is_ascii() && !is_blank(c) && !is_invisible(c);
            c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':') || is_other_script
        };
        if host.is_empty() || host.len() > MAX_HOST_BYTES || !host.chars().all(is_host) {
            return Err(IceUrlInvalid);
        }
        Ok(Self { is_turn, transport, host: host.to_owned(), port: port.unwrap_or(default_port) })
    }

    /// The STUN server at the same address: every TURN server is also a STUN server (RFC 8656, section 1). `None` unless the
    /// transport is UDP.
    #[must_use]
    pub fn as_stun(&self) -> Option<Self> {
        (self.transport == IceTransport::Udp).then(|| Self { is_turn: false, ..self.clone() })
    }
}

impl fmt::Display for IceUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match (self.is_turn, self.transport) {
            (false, _) => "stun",
            (true, IceTransport::Tls) => "turns",
            (true, _) => "turn",
        };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(formatter, "{scheme}:[{host}]:{port}")?;
        } else {
            write!(formatter, "{scheme}:{host}:{port}")?;
        }
        match (self.is_turn, self.transport) {
            (true, IceTransport::Udp) => formatter.write_str("?transport=udp"),
            (true, IceTransport::Tcp) => formatter.write_str("?transport=tcp"),
            _ => Ok(()),
        }
    }
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), IceUrlInvalid> {
    let (host, after) = if let Some(bracketed) = authority.strip_prefix('[') {
        bracketed.split_once(']').ok_or(IceUrlInvalid)?
    } else {
        match authority.find(':') {
            Some(at) => authority.split_at(at),
            None => (authority, ""),
        }
    };
    match after.strip_prefix(':') {
        Some(port) => port.parse().map(|port| (host, Some(port))).map_err(|_| IceUrlInvalid),
        None if after.is_empty() => Ok((host, None)),
        None => Err(IceUrlInvalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_and_the_transport_parameter_select_the_protocol() {
        for (raw, shown) in [
            ("stun:example.org", "stun:example.org:3478"),
            ("STUN:example.org:19302", "stun:example.org:19302"),
            ("turn:example.org", "turn:example.org:3478?transport=udp"),
            (" turn:192.0.2.1:80?transport=TCP ", "turn:192.0.2.1:80?transport=tcp"),
            ("turns:example.org", "turns:example.org:5349"),
            ("turns:[2001:db8::1]:443?transport=tcp", "turns:[2001:db8::1]:443"),
        ] {
            assert_eq!(IceUrl::parse(raw).map(|url| url.to_string()).as_deref(), Ok(shown), "{raw}");
        }
    }

    #[test]
    fn a_malformed_or_unsupported_server_address_is_refused() {
        let long = format!("stun:{}", "x".repeat(MAX_ICE_URL_BYTES));
        for raw in [
            "",
            "example.org",
            "http://example.org",
            "stun:",
            "stun:a b",
            "stun:a:b",
            "stun:a:70000",
            "stun:[::1",
            "stun:[::1]x",
            "turn:a?transport=sctp",
            "turns:a?transport=udp",
            "stun:a?transport=tcp",
            "turn:a?x=1",
            "turn:u@a",
            "stun:exam\u{202e}ple.org",
            "stun:example\u{3000}.org",
            &long,
        ] {
            assert_eq!(IceUrl::parse(raw), Err(IceUrlInvalid), "{raw}");
        }
    }

    #[test]
    fn a_displayed_address_parses_to_the_same_address_for_any_host_length() {
        for bytes in 1..MAX_ICE_URL_BYTES {
            if let Ok(url) = IceUrl::parse(&format!("turn:{}", "x".repeat(bytes))) {
                assert_eq!(IceUrl::parse(&url.to_string()), Ok(url));
            }
        }
        assert!(IceUrl::parse(&format!("turns:{}", "x".repeat(MAX_HOST_BYTES))).is_ok());
        assert_eq!(IceUrl::parse(&format!("stun:{}", "x".repeat(MAX_HOST_BYTES + 1))), Err(IceUrlInvalid));
    }

    #[test]
    fn a_relay_by_udp_is_a_stun_server_too() {
        let stun = |raw| IceUrl::parse(raw).ok()?.as_stun().map(|url| url.to_string());
        assert_eq!(stun("turn:a:1").as_deref(), Some("stun:a:1"));
        assert_eq!(stun("turn:a:1?transport=tcp"), None);
        assert_eq!(stun("turns:a:1"), None);
    }
}
