//! The address of a client, directly or behind trusted proxies.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// A proxy, or a network of proxies, whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

/// The error for a string that is not a [`TrustedProxy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address or a network, as in 10.0.0.2 or 10.0.0.0/8")]
pub struct TrustedProxyInvalid;

impl FromStr for TrustedProxy {
    type Err = TrustedProxyInvalid;

    fn from_str(raw: &str) -> Result<Self, TrustedProxyInvalid> {
        let address = || raw.parse::<IpAddr>().map(IpNet::from);
        raw.parse().or_else(|_| address()).map(Self).map_err(|_| TrustedProxyInvalid)
    }
}

/// The address of the client's machine: the connection's, or the one that the trusted proxies in front of this server name in
/// `X-Forwarded-For`, of which only the last entries can be believed. A proxy on this machine is always trusted.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[TrustedProxy]) -> IpAddr {
    let mut client = peer.to_canonical();
    let values = headers.get_all(FORWARDED_FOR).iter().rev();
    for entry in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(',')) {
        if !is_trusted(client, trusted) {
            break;
        }
        let Some(named) = read_address(entry.trim()) else { break };
        client = named.to_canonical();
    }
    client
}

/// Reads an address as proxies write it; some add the port.
fn read_address(raw: &str) -> Option<IpAddr> {
    let bracketed = || raw.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || raw.parse::<SocketAddr>().ok().map(|address| address.ip());
    raw.parse().ok().or_else(with_port).or_else(bracketed)
}

/// The address that limits count: one client may use every address of an IPv6 network of 64 bits, so that network counts as one.
pub(crate) fn limited_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        ipv4 @ IpAddr::V4(_) => ipv4,
    }
}

pub(crate) fn is_trusted(address: IpAddr, trusted: &[TrustedProxy]) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || trusted.iter().any(|TrustedProxy(network)| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let trusted: Vec<_> = trusted.iter().map(|raw| raw.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn forwarding_headers_of_an_untrusted_client_are_ignored() {
        assert_eq!(client("203.0.113.7", &["198.51.100.1"], &["10.0.0.0/8"]), "203.0.113.7");
        assert_eq!(client("::ffff:203.0.113.7", &[], &[]), "203.0.113.7");
    }

    #[test]
    fn the_address_that_a_trusted_proxy_added_counts_and_its_clients_claim_does_not() {
        assert_eq!(client("10.0.0.2", &["1.1.1.1, 198.51.100.1"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(client("127.0.0.1", &["1.1.1.1", "198.51.100.1"], &[]), "198.51.100.1");
        assert_eq!(client("::1", &["2001:db8::5"], &[]), "2001:db8::5");
        assert_eq!(client("::1", &["[2001:db8::5]:443"], &[]), "2001:db8::5");
        assert_eq!(client("::1", &["[2001:db8::5]"], &[]), "2001:db8::5");
        assert_eq!(client("::1", &["198.51.100.1:50123"], &[]), "198.51.100.1");
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed_to_the_first_untrusted_address() {
        assert_eq!(client("127.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], &["10.0.0.2"]), "198.51.100.1");
    }

    #[test]
    fn the_proxys_own_address_counts_if_the_header_has_none() {
        assert_eq!(client("127.0.0.1", &[], &[]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &["unknown"], &[]), "127.0.0.1");
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_a_limit() {
        let limited = |raw: &str| limited_address(raw.parse().unwrap());
        assert_eq!(limited("2001:db8:1:2::3"), limited("2001:db8:1:2:ffff::4"));
        assert_ne!(limited("2001:db8:1:2::3"), limited("2001:db8:1:3::3"));
        assert_eq!(limited("::ffff:192.0.2.1"), limited("192.0.2.1"));
    }
}
