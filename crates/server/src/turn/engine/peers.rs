//! Which peers a relay may reach.
//!
//! A relay sends from inside the operator's network. Without this table a stranger could reach through it what only that network
//! may reach: the machine's services, its neighbors, the metadata of the cloud.

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks that the IANA special-purpose registries (RFC 6890) and the clouds reserve, and every form of an IPv4 address
/// within IPv6. Of IPv6 only global unicast addresses (`2000::/3`) are left.
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
pub(super) enum PeerClass {
    /// Packets may be sent to the peer.
    Outside,
    /// It is this machine's address: only packets for a live allocation pass, inside the engine and without a socket.
    Own,
    /// Nothing may be sent.
    Denied,
}

/// The operator's rules and the table, applied to addresses.
#[derive(Debug)]
pub(super) struct PeerPolicy {
    allowed: Vec<IpNet>,
    /// Takes precedence over `allowed`.
    denied: Vec<IpNet>,
    /// External addresses of this machine, on a NAT in front of it.
    external: Vec<IpAddr>,
    interfaces: HashSet<IpAddr>,
}

impl PeerPolicy {
    /// The default policy minus the `allowed` networks, plus the `denied` ones, which take precedence. `external` are the
    /// addresses by which this machine is reached from outside, in addition to those of its interfaces.
    pub(super) fn new(allowed: Vec<IpNet>, denied: Vec<IpNet>, external: Vec<IpAddr>) -> Self {
        let denied = denied.into_iter().map(without_mapping).collect();
        Self { allowed, denied, external, interfaces: HashSet::new() }
    }

    /// Takes the addresses of this machine's interfaces as they are now. No allocation has a loopback or link-local address, so
    /// these do not count.
    pub(super) fn set_interfaces(&mut self, interfaces: &[IpAddr]) {
        let is_relayable = |address: &IpAddr| match address {
            IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
            IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
        };
        self.interfaces = interfaces.iter().copied().filter(is_relayable).collect();
    }

    /// The class of this address. An allowed network is taken as it was written: `::ffff:127.0.0.1` is no IPv4 address.
    /// A denied network is denied in every spelling.
    pub(super) fn class(&self, peer: IpAddr) -> PeerClass {
        // The system takes the unspecified address for its own, also if a configured network contains it.
        if peer.is_unspecified() {
            PeerClass::Denied
        } else if self.is_denied(peer) {
            // Packets between two clients of this relay do not leave the process.
            if self.is_own(peer) { PeerClass::Own } else { PeerClass::Denied }
        } else if self.allowed.iter().any(|network| network.contains(&peer)) {
            PeerClass::Outside
        } else if self.is_own(peer) {
            PeerClass::Own
        } else if DENIED.iter().any(|(network, _)| network.contains(&peer)) {
            PeerClass::Denied
        } else {
            PeerClass::Outside
        }
    }

    fn is_denied(&self, peer: IpAddr) -> bool {
        let contains = |peer: IpAddr| self.denied.iter().any(|network| network.contains(&peer));
        !self.denied.is_empty()
            && (contains(peer)
                || matches!(peer, IpAddr::V6(peer)
                    if ipv4_within(peer).into_iter().flatten().any(|ipv4| contains(ipv4.into()))))
    }

    fn is_own(&self, peer: IpAddr) -> bool {
        self.external.contains(&peer) || self.interfaces.contains(&peer)
    }
}

/// Every IPv4 address that systems, gateways and tunnels derive from this IPv6 address.
fn ipv4_within(address: Ipv6Addr) -> [Option<Ipv4Addr>; 3] {
    let bits = address.to_bits();
    let low = Ipv4Addr::from_bits((bits & 0xffff_ffff) as u32);
    let at = |shift: u32| Ipv4Addr::from_bits((bits >> shift & 0xffff_ffff) as u32);
    match address.segments() {
        // IPv4-compatible, mapped (::ffff:0:0/96) and translated (::ffff:0:0:0/96).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0, 0, 0, 0, 0xffff, 0, ..] => [Some(low), None, None],
        // NAT64 with the well-known prefix.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => [Some(low), None, None],
        // NAT64 within a network (RFC 8215): prefixes of 48 and 96 bits (RFC 6052 section 2.2), which leave the 9th byte out.
        [0x64, 0xff9b, 1, high, middle, ..] => {
            let within_48 =
                u32::from(high) << 16 | u32::from(middle & 0xff) << 8 | (bits >> 40 & 0xff) as u32;
            [Some(low), Some(Ipv4Addr::from_bits(within_48)), None]
        }
        // 6to4.
        [0x2002, ..] => [Some(at(80)), None, None],
        // Teredo: the server's address, and the client's address with all bits inverted.
        [0x2001, 0, ..] => [Some(at(64)), Some(Ipv4Addr::from_bits(!low.to_bits())), None],
        // ISATAP, within any prefix.
        [_, _, _, _, 0 | 0x200, 0x5efe, ..] => [Some(low), None, None],
        _ => [None; 3],
    }
}

/// Turns a mapped network such as `::ffff:10.0.0.0/104` into the IPv4 network, here `10.0.0.0/8`.
fn without_mapping(network: IpNet) -> IpNet {
    let ipv4 = match network {
        IpNet::V6(network) => network.addr().to_ipv4_mapped().zip(network.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    ipv4.and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok()).map_or(network, IpNet::V4)
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

    /// The list that the tests over real sockets use too.
    const FORBIDDEN: &str = include_str!("../../../tests/forbidden_peers.txt");

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

    fn policy(allowed: &[&str], denied: &[&str], external: &[&str]) -> PeerPolicy {
        let networks = |raw: &[&str]| raw.iter().map(|raw| raw.parse().unwrap()).collect();
        let external = external.iter().map(|raw| raw.parse().unwrap()).collect();
        PeerPolicy::new(networks(allowed), networks(denied), external)
    }

    fn class(policy: &PeerPolicy, peer: &str) -> PeerClass {
        policy.class(peer.parse().unwrap())
    }

    #[test]
    fn no_special_address_is_reached_and_every_other_is() {
        let policy = policy(&[], &[], &[]);
        for peer in FORBIDDEN.lines().filter(|line| !line.starts_with('#')) {
            assert_eq!(class(&policy, peer), PeerClass::Denied, "{peer}");
        }
        for peer in REACHABLE {
            assert_eq!(class(&policy, peer), PeerClass::Outside, "{peer}");
        }
    }

    #[test]
    fn an_allowed_network_is_reached_only_in_the_spelling_that_was_allowed() {
        let policy = policy(&["127.0.0.0/8", "fd00:1::/32"], &[], &[]);
        assert_eq!(class(&policy, "127.0.0.1"), PeerClass::Outside);
        assert_eq!(class(&policy, "fd00:1::5"), PeerClass::Outside);
        for peer in ["::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::127.0.0.1", "::1", "10.0.0.1", "fd00:2::5"]
        {
            assert_eq!(class(&policy, peer), PeerClass::Denied, "{peer}");
        }
    }

    #[test]
    fn the_addresses_of_this_machine_are_its_interfaces_and_its_external_address() {
        let mut policy = policy(&[], &[], &["198.51.100.7"]);
        let interfaces = ["192.168.1.5", "fd00::1", "127.0.0.1", "::1", "169.254.0.1", "fe80::1"];
        policy.set_interfaces(&interfaces.map(|raw| raw.parse().unwrap()));
        for own in ["192.168.1.5", "fd00::1", "198.51.100.7"] {
            assert_eq!(class(&policy, own), PeerClass::Own, "{own}");
        }
        for local in ["127.0.0.1", "::1", "169.254.0.1", "fe80::1", "192.168.1.6"] {
            assert_eq!(class(&policy, local), PeerClass::Denied, "{local}");
        }
        policy.set_interfaces(&[]);
        assert_eq!(class(&policy, "192.168.1.5"), PeerClass::Denied, "it has another address now");
    }

    #[test]
    fn a_denied_network_is_denied_in_every_spelling_even_if_it_is_allowed() {
        for denied in ["8.8.8.0/24", "::ffff:8.8.8.0/120"] {
            let policy = policy(&["0.0.0.0/0", "::/0"], &[denied], &[]);
            for peer in [
                "8.8.8.8",
                "::8.8.8.8",
                "::ffff:8.8.8.8",
                "::ffff:0:8.8.8.8",
                "64:ff9b::8.8.8.8",
                "64:ff9b:1::8.8.8.8",
                // RFC 6052 section 2.2: bits 64 to 71 are zero.
                "64:ff9b:1:808:8:800::",
                "2002:808:808::1",
                // Teredo: the server's and the client's address.
                "2001:0:808:808::1",
                "2001::f7f7:f7f7",
                "2a00:1450::5efe:8.8.8.8",
                "2a00:1450::200:5efe:8.8.8.8",
            ] {
                assert_eq!(class(&policy, peer), PeerClass::Denied, "{peer}, denied as {denied}");
            }
            for peer in ["8.8.9.8", "::ffff:8.8.9.8", "64:ff9b::8.8.9.8", "2002:808:908::1", "2a00:1450::1"] {
                assert_eq!(class(&policy, peer), PeerClass::Outside, "{peer}");
            }
        }
    }

    #[test]
    fn a_network_of_ipv6_may_be_denied_too() {
        let policy = policy(&[], &["2a00:1450::/32", "2a01::1/128"], &[]);
        assert_eq!(class(&policy, "2a00:1450::5"), PeerClass::Denied);
        assert_eq!(class(&policy, "2a01::1"), PeerClass::Denied);
        assert_eq!(class(&policy, "2a01::2"), PeerClass::Outside);
    }

    #[test]
    fn the_unspecified_address_is_denied_even_if_everything_is_allowed() {
        let policy = policy(&["0.0.0.0/0", "::/0"], &[], &[]);
        assert_eq!(class(&policy, "0.0.0.0"), PeerClass::Denied);
        assert_eq!(class(&policy, "::"), PeerClass::Denied);
        assert_eq!(class(&policy, "127.0.0.1"), PeerClass::Outside);
    }

    #[test]
    fn a_denied_address_of_this_machine_still_reaches_its_allocations() {
        let policy = policy(&[], &["198.51.100.0/24"], &["198.51.100.7"]);
        assert_eq!(class(&policy, "198.51.100.7"), PeerClass::Own);
        assert_eq!(class(&policy, "198.51.100.8"), PeerClass::Denied);
    }
}
