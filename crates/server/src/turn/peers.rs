//! Whom a relay may talk to: one table.
//!
//! A relay sends from inside the operator's network. Without this a stranger could reach through it what only that
//! network may: the machine's own services, its neighbours, the metadata of the cloud.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{PoisonError, RwLock},
    time::Duration,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::time::Instant;

use crate::announce::interface_addresses;

/// How old the list of this machine's addresses may be.
const OWN_ADDRESSES_MAX_AGE: Duration = Duration::from_secs(10);

/// What the IANA special-purpose registries (RFC 6890) and the clouds keep for themselves, and every way to write an
/// IPv4 address as an IPv6 one. Of IPv6 only global unicast addresses (`2000::/3`) are left.
const DENIED: &[(IpNet, &str)] = &[
    (v4(0, 0, 0, 0, 8), "this network, unspecified"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by a provider's customers; metadata of Alibaba Cloud"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "metadata of Azure"),
    (v4(169, 254, 0, 0, 16), "link-local; metadata of most clouds"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "protocol assignments; metadata of Oracle Cloud"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "6to4 relays"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "benchmarks"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 0, 4), "reserved, broadcast"),
    // ::, ::1, IPv4-compatible, IPv4-mapped (::ffff:0:0/96), IPv4-translated (::ffff:0:0:0/96), NAT64 (64:ff9b::/96 and
    // 64:ff9b:1::/48), discard (100::/64).
    (v6([0, 0, 0, 0], 3), "not global unicast: unspecified, loopback, IPv4 in IPv6, NAT64"),
    // Segment routing (5f00::/16).
    (v6([0x4000, 0, 0, 0], 2), "not global unicast"),
    // Unique local (fc00::/7), link-local (fe80::/10), site-local (fec0::/10), multicast (ff00::/8).
    (v6([0x8000, 0, 0, 0], 1), "not global unicast: private, link-local, multicast, cloud metadata"),
    (v6([0x2001, 0, 0, 0], 23), "protocol assignments, Teredo"),
    (v6([0x2001, 0xdb8, 0, 0], 32), "documentation"),
    (v6([0x2002, 0, 0, 0], 16), "6to4: an IPv4 address in IPv6"),
    (v6([0x3fff, 0, 0, 0], 20), "documentation"),
];

/// What a relay may do with a peer address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerClass {
    /// Send to it.
    Outside,
    /// It is this machine: only what goes to the port of a live allocation, and that inside, without a socket.
    Own,
    /// Nothing.
    Denied,
}

/// Decides about peer addresses.
#[derive(Debug)]
pub struct PeerPolicy {
    allowed: Vec<IpNet>,
    /// Beside those of the interfaces: addresses in front of a NAT.
    external: Vec<IpAddr>,
    interfaces: RwLock<Interfaces>,
}

#[derive(Debug)]
struct Interfaces {
    addresses: HashSet<IpAddr>,
    read_at: Instant,
}

impl PeerPolicy {
    /// The table, less the networks that the operator allowed. `external` are addresses by which this machine is
    /// reached, beside those of its interfaces.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>, external: Vec<IpAddr>, now: Instant) -> Self {
        let interfaces = RwLock::new(Interfaces { addresses: own_addresses(), read_at: now });
        Self { allowed, external, interfaces }
    }

    /// What may be done with this address. It is taken as it was written: `::ffff:127.0.0.1` is no IPv4 address.
    #[must_use]
    pub fn class(&self, peer: IpAddr, now: Instant) -> PeerClass {
        if self.allowed.iter().any(|network| network.contains(&peer)) {
            PeerClass::Outside
        } else if self.is_own(peer, now) {
            PeerClass::Own
        } else if DENIED.iter().any(|(network, _)| network.contains(&peer)) {
            PeerClass::Denied
        } else {
            PeerClass::Outside
        }
    }

    fn is_own(&self, peer: IpAddr, now: Instant) -> bool {
        if self.external.contains(&peer) {
            return true;
        }
        let is_fresh = |read_at| now.saturating_duration_since(read_at) < OWN_ADDRESSES_MAX_AGE;
        {
            let interfaces = self.interfaces.read().unwrap_or_else(PoisonError::into_inner);
            if is_fresh(interfaces.read_at) {
                return interfaces.addresses.contains(&peer);
            }
        }
        let mut interfaces = self.interfaces.write().unwrap_or_else(PoisonError::into_inner);
        if !is_fresh(interfaces.read_at) {
            *interfaces = Interfaces { addresses: own_addresses(), read_at: now };
        }
        interfaces.addresses.contains(&peer)
    }
}

/// Those that an allocation may have: no loopback and nothing link-local.
fn own_addresses() -> HashSet<IpAddr> {
    let is_relayable = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    };
    interface_addresses().into_iter().filter(is_relayable).collect()
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6([a, b, c, d]: [u16; 4], prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same that the tests over real sockets use.
    const FORBIDDEN: &str = include_str!("../../tests/forbidden_peers.txt");

    const REACHABLE: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.255.255.255",
        "128.0.0.1",
        "168.63.129.15",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.0.1",
        "192.169.0.1",
        "198.17.255.255",
        "198.20.0.1",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "3ffe::1",
    ];

    fn policy(allowed: &[&str], external: &[&str]) -> PeerPolicy {
        PeerPolicy::new(
            allowed.iter().map(|raw| raw.parse().unwrap()).collect(),
            external.iter().map(|raw| raw.parse().unwrap()).collect(),
            Instant::now(),
        )
    }

    fn class(policy: &PeerPolicy, peer: &str) -> PeerClass {
        policy.class(peer.parse().unwrap(), Instant::now())
    }

    #[test]
    fn nothing_that_is_special_is_reached_and_everything_else_is() {
        let policy = PeerPolicy { interfaces: no_interfaces(), ..policy(&[], &[]) };
        for peer in FORBIDDEN.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(class(&policy, peer), PeerClass::Denied, "{peer}");
        }
        for peer in REACHABLE {
            assert_eq!(class(&policy, peer), PeerClass::Outside, "{peer}");
        }
    }

    #[test]
    fn a_network_that_was_allowed_is_reached_as_it_was_written_and_no_more_of_it() {
        let policy =
            PeerPolicy { interfaces: no_interfaces(), ..policy(&["127.0.0.0/8", "fd00:1::/32"], &[]) };
        assert_eq!(class(&policy, "127.0.0.1"), PeerClass::Outside);
        assert_eq!(class(&policy, "fd00:1::5"), PeerClass::Outside);
        for peer in ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "::1", "10.0.0.1", "fd00:2::5"]
        {
            assert_eq!(class(&policy, peer), PeerClass::Denied, "{peer}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_interfaces_and_by_what_is_in_front_of_it() {
        let interfaces = own_addresses();
        let policy = policy(&[], &["198.51.100.7"]);
        for own in interfaces {
            assert_eq!(policy.class(own, Instant::now()), PeerClass::Own, "{own}");
        }
        assert_eq!(class(&policy, "198.51.100.7"), PeerClass::Own);
        assert_eq!(class(&policy, "127.0.0.1"), PeerClass::Denied);
    }

    fn no_interfaces() -> RwLock<Interfaces> {
        RwLock::new(Interfaces { addresses: HashSet::new(), read_at: Instant::now() })
    }
}
