//! By which names this server may be asked.
//!
//! A page of a stranger can let its own name point to an address in the reader's network (DNS rebinding). The browser then takes
//! that page and this server for one origin, and only the `Host` tells that the name is a stranger's.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use axum::http::{HeaderMap, header};

use crate::turn::ice_servers::UrlHost;

/// Headers of proxies. A page can set none of them in the handshake of a WebSocket.
const FORWARDING_HEADERS: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via"];

/// Last labels of names that nobody can register (RFC 6761, RFC 6762, RFC 8375, and what home routers use).
const PRIVATE_SUFFIXES: [&str; 10] =
    ["localhost", "local", "lan", "home", "internal", "intranet", "private", "corp", "test", "home.arpa"];

/// A name or an address by which the server may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost(String);

/// Why a string is no [`AllowedHost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name or an address without scheme and port, as in calls.example.org or 192.0.2.1")]
pub struct AllowedHostInvalid;

impl FromStr for AllowedHost {
    type Err = AllowedHostInvalid;

    fn from_str(raw: &str) -> Result<Self, AllowedHostInvalid> {
        let host = UrlHost::of_authority(raw).map_err(|_| AllowedHostInvalid)?.to_string();
        // Not one with a port, and no address without its brackets.
        (host.len() == raw.len()).then(|| Self(without_last_dot(&host).to_owned())).ok_or(AllowedHostInvalid)
    }
}

/// Which names are allowed.
#[derive(Debug, Clone)]
pub(crate) struct HostRule {
    /// By name; where none is, those that cannot be a stranger's.
    named: Arc<[AllowedHost]>,
    /// This machine's name.
    machine: String,
}

/// What is known of the connection that a request came over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    /// This end of it, where it is known.
    pub(crate) local: Option<IpAddr>,
    /// A browser compares the name with the certificate, and a stranger has none for it.
    pub(crate) is_tls: bool,
}

impl HostRule {
    pub(crate) fn new(named: Vec<AllowedHost>, machine: &str) -> Self {
        Self { named: named.into(), machine: machine.to_ascii_lowercase() }
    }

    /// Whether the operator said which names there are. Then nothing is answered under another.
    pub(crate) fn is_given(&self) -> bool {
        !self.named.is_empty()
    }

    /// Whether a request under this name may be trusted to be meant for this server.
    pub(crate) fn allows(&self, headers: &HeaderMap, arrived: Arrived) -> bool {
        let Some(host) = headers.get(header::HOST) else { return true };
        let Some(host) = host.to_str().ok().and_then(|host| UrlHost::of_authority(host).ok()) else {
            return false;
        };
        let host = host.to_string();
        let host = without_last_dot(&host);
        if is_own(host) || self.named.iter().any(|AllowedHost(named)| named == host) {
            return true;
        }
        !self.is_given()
            && (arrived.is_tls
                || !arrived.local.is_none_or(is_private)
                || is_forwarded(headers)
                || host == self.machine
                || cannot_be_registered(host))
    }
}

/// Whether a proxy passed the request on.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING_HEADERS.iter().any(|name| headers.contains_key(*name))
}

/// Whether the name is an address, or one of those that always mean the machine itself.
pub(crate) fn is_own(host: &str) -> bool {
    let is_loopback = host == "localhost" || host.ends_with(".localhost");
    let unbracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    is_loopback || unbracketed.parse::<IpAddr>().is_ok()
}

fn cannot_be_registered(host: &str) -> bool {
    let is_below = |suffix: &&str| host.strip_suffix(*suffix).is_some_and(|rest| rest.ends_with('.'));
    !host.contains('.') || PRIVATE_SUFFIXES.iter().any(is_below)
}

/// An address that strangers do not reach by themselves: only there is something to be had by a name that points to it.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            const SHARED: u32 = 0x6440_0000;
            let is_shared = |address: Ipv4Addr| address.to_bits() & 0xffc0_0000 == SHARED;
            address.is_loopback() || address.is_private() || address.is_link_local() || is_shared(address)
        }
        IpAddr::V6(address) => {
            let is_unique_local = |address: Ipv6Addr| address.segments()[0] & 0xfe00 == 0xfc00;
            let is_link_local = |address: Ipv6Addr| address.segments()[0] & 0xffc0 == 0xfe80;
            address.is_loopback() || is_unique_local(address) || is_link_local(address)
        }
    }
}

fn without_last_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Arrived = Arrived { local: Some(IpAddr::V4(Ipv4Addr::new(192, 168, 1, 5))), is_tls: false };

    fn rule(named: &[&str]) -> HostRule {
        HostRule::new(named.iter().map(|raw| raw.parse().unwrap()).collect(), "Box")
    }

    fn headers(host: &str) -> HeaderMap {
        [(header::HOST, host.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_server_at_home_is_asked_by_address_or_by_a_name_that_is_no_strangers() {
        let rule = rule(&[]);
        for host in [
            "localhost:8080",
            "calls.localhost",
            "127.0.0.1:8080",
            "[::1]:8080",
            "192.168.1.5",
            "box",
            "BOX:8080",
            "box.local",
            "nas.home.arpa:1",
            "sightline",
            "fritz.lan.",
            "insecure.test",
        ] {
            assert!(rule.allows(&headers(host), HOME), "{host}");
        }
        for host in [
            "evil.example",
            "evil.com:8080",
            "127.0.0.1.evil.com",
            "local.evil.com",
            "homelan.com",
            "a@localhost",
            "a b",
        ] {
            assert!(!rule.allows(&headers(host), HOME), "{host}");
        }
    }

    #[test]
    fn a_public_address_a_certificate_or_a_proxy_has_the_name_that_it_has() {
        let (rule, public) = (rule(&[]), headers("calls.example.org"));
        assert!(rule.allows(&public, Arrived { local: Some([203, 0, 113, 7].into()), is_tls: false }));
        assert!(rule.allows(&public, Arrived { is_tls: true, ..HOME }));
        for name in FORWARDING_HEADERS {
            let mut forwarded = public.clone();
            forwarded.insert(name, "x".parse().unwrap());
            assert!(rule.allows(&forwarded, HOME), "{name}");
        }
        for local in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.16.0.1",
            "100.64.0.1",
            "169.254.1.1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ] {
            let arrived = Arrived { local: local.parse().ok(), is_tls: false };
            assert!(!rule.allows(&public, arrived), "{local}");
        }
    }

    #[test]
    fn where_the_operator_named_some_there_are_no_others() {
        let rule = rule(&["calls.example.org", "box"]);
        for host in
            ["calls.example.org", "CALLS.example.org:8443", "box", "localhost", "10.0.0.1:80", "[fd00::1]"]
        {
            assert!(rule.allows(&headers(host), HOME), "{host}");
        }
        for host in ["example.org", "x.calls.example.org", "evil.example", "nas.local"] {
            assert!(!rule.allows(&headers(host), Arrived { is_tls: true, ..HOME }), "{host}");
        }
        assert!(rule.allows(&HeaderMap::new(), HOME), "what is no browser need not say it");
    }

    #[test]
    fn what_is_no_host_cannot_be_allowed() {
        for raw in ["", "a:80", "https://a", "a/b", "*", "a@b"] {
            assert_eq!(raw.parse::<AllowedHost>(), Err(AllowedHostInvalid), "{raw}");
        }
    }
}
