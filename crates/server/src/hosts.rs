//! Which host names this server answers to.
//!
//! A stranger's page can make its own host name point to an address in the visitor's network (DNS rebinding). The browser then
//! treats that page and this server as one origin, and only the `Host` header shows that the name is a stranger's.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderValue, header, uri::Authority};

/// The name or address by which a client reached this server, as it stands in a URL: `[::1]`, not `::1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlHost(String);

/// Why a string is no [`UrlHost`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name or an address without scheme and port, as in turn.example.org, 192.0.2.1 or [2001:db8::1]")]
pub struct UrlHostInvalid;

impl UrlHost {
    /// The host of a `host:port`.
    ///
    /// # Errors
    /// [`UrlHostInvalid`] where the text has no valid host.
    pub fn of_authority(raw: &str) -> Result<Self, UrlHostInvalid> {
        let authority: Authority = raw.parse().map_err(|_| UrlHostInvalid)?;
        let host = authority.host();
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let is_sound = !host.is_empty() && host.bytes().all(is_host) && !raw.contains('@');
        is_sound.then(|| Self(host.to_ascii_lowercase())).ok_or(UrlHostInvalid)
    }

    /// The host that the page asked for, as a proxy or the browser names it.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let said = [headers.get("x-forwarded-host"), headers.get(header::HOST)];
        let texts = said.into_iter().flatten().filter_map(|value: &HeaderValue| value.to_str().ok());
        texts.filter_map(|text| Self::of_authority(text.rsplit(',').next()?.trim()).ok()).next()
    }
}

impl fmt::Display for UrlHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Headers that proxies set. A page can set none of them in the handshake of a WebSocket.
const FORWARDING_HEADERS: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "via"];

/// Ends of names that nobody can register (RFC 6761, RFC 6762, RFC 8375, and names that home routers use).
const PRIVATE_SUFFIXES: [&str; 10] =
    ["localhost", "local", "lan", "home", "internal", "intranet", "private", "corp", "test", "home.arpa"];

/// A host name or address that the server answers to.
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
        // No port, and brackets around an IPv6 address.
        (host.len() == raw.len()).then(|| Self(without_last_dot(&host).to_owned())).ok_or(AllowedHostInvalid)
    }
}

/// The rule for host names.
#[derive(Debug, Clone)]
pub(crate) struct HostRule {
    /// The operator's list; if empty, names that a stranger cannot have registered are allowed.
    named: Arc<[AllowedHost]>,
    /// This machine's host name, in lower case.
    machine: String,
}

/// The connection that a request came over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    /// The local address of the connection, if it is known.
    pub(crate) local: Option<IpAddr>,
    /// Whether the connection uses TLS: then the browser compared the name with the certificate, so the name is not a stranger's.
    pub(crate) is_tls: bool,
}

impl HostRule {
    pub(crate) fn new(named: Vec<AllowedHost>, machine: &str) -> Self {
        Self { named: named.into(), machine: machine.to_ascii_lowercase() }
    }

    /// Whether the operator gave a list of names. Then no other name is answered.
    pub(crate) fn is_given(&self) -> bool {
        !self.named.is_empty()
    }

    /// Whether the server answers to the host name in these headers.
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

/// Whether the host is an address, or a name that always means the machine itself.
pub(crate) fn is_own(host: &str) -> bool {
    let is_loopback = host == "localhost" || host.ends_with(".localhost");
    let unbracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    is_loopback || unbracketed.parse::<IpAddr>().is_ok()
}

fn cannot_be_registered(host: &str) -> bool {
    let is_below = |suffix: &&str| host.strip_suffix(*suffix).is_some_and(|rest| rest.ends_with('.'));
    !host.contains('.') || PRIVATE_SUFFIXES.iter().any(is_below)
}

/// Whether strangers cannot reach this address directly. Only such an address is worth a rebinding attack.
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
    fn a_server_at_home_answers_only_to_addresses_and_unregistrable_names() {
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
    fn at_a_public_address_over_tls_or_behind_a_proxy_every_name_is_allowed() {
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
    fn host_names_that_the_operator_lists_exclude_all_others() {
        let rule = rule(&["calls.example.org", "box"]);
        for host in
            ["calls.example.org", "CALLS.example.org:8443", "box", "localhost", "10.0.0.1:80", "[fd00::1]"]
        {
            assert!(rule.allows(&headers(host), HOME), "{host}");
        }
        for host in ["example.org", "x.calls.example.org", "evil.example", "nas.local"] {
            assert!(!rule.allows(&headers(host), Arrived { is_tls: true, ..HOME }), "{host}");
        }
        assert!(rule.allows(&HeaderMap::new(), HOME), "a client that is no browser may leave the header out");
    }

    #[test]
    fn an_invalid_host_name_is_refused_as_an_option() {
        for raw in ["", "a:80", "https://a", "a/b", "*", "a@b"] {
            assert_eq!(raw.parse::<AllowedHost>(), Err(AllowedHostInvalid), "{raw}");
        }
    }

    #[test]
    fn the_host_is_taken_from_the_proxys_header_or_from_host() {
        let host = |pairs: &[(&'static str, &'static str)]| {
            let headers: HeaderMap =
                pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
            UrlHost::of_headers(&headers).map(|host| host.to_string())
        };
        assert_eq!(host(&[("host", "a.example:1")]).as_deref(), Some("a.example"));
        assert_eq!(
            host(&[("host", "inner"), ("x-forwarded-host", "a.example")]).as_deref(),
            Some("a.example")
        );
        assert_eq!(host(&[("host", "u@a.example")]), None);
        assert_eq!(host(&[("host", "a.example/?x")]), None);
        assert_eq!(host(&[]), None);
    }
}
