//! Chooses the relayed address for a client: one that peers can send to.

use std::net::IpAddr;

use stun_types::AddressFamily;

/// Chooses addresses for allocations.
#[derive(Debug)]
pub(super) struct RelayedAddresses {
    /// Addresses of a NAT in front of this machine, by which it is reached from outside.
    external: Vec<IpAddr>,
    /// The only address that the server was configured to use.
    bind: Option<IpAddr>,
    /// The addresses that this machine's default routes start from.
    default: Vec<IpAddr>,
}

/// An address of this machine, and the address that peers use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RelayedAddress {
    pub(super) bind: IpAddr,
    pub(super) told: IpAddr,
}

impl RelayedAddresses {
    pub(super) fn new(external: Vec<IpAddr>, bind: Option<IpAddr>) -> Self {
        Self { external, bind: bind.filter(|bind| !bind.is_unspecified()), default: Vec::new() }
    }

    /// Takes the addresses that this machine's default routes start from now.
    pub(super) fn set_default(&mut self, default: Vec<IpAddr>) {
        self.default = default;
    }

    /// The address for a client that reached this machine at `reached`; `None` if there is no address of this family.
    pub(super) fn of(&self, family: AddressFamily, reached: IpAddr) -> Option<RelayedAddress> {
        let is_of_family = |address: &IpAddr| address.is_ipv4() == (family == AddressFamily::IPV4);
        let bind = match self.bind {
            Some(bind) => Some(bind).filter(is_of_family)?,
            // A client that came over loopback may talk to a peer elsewhere.
            None => Some(reached)
                .filter(|reached| {
                    is_of_family(reached) && !reached.is_loopback() && !reached.is_unspecified()
                })
                .or_else(|| self.default.iter().copied().find(is_of_family))
                .or_else(|| Some(reached).filter(is_of_family))?,
        };
        let told = self.external.iter().copied().find(is_of_family).unwrap_or(bind);
        Some(RelayedAddress { bind, told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(
        external: &[&str],
        bind: Option<&str>,
        family: AddressFamily,
        reached: &str,
    ) -> Option<(String, String)> {
        let mut addresses = RelayedAddresses::new(
            external.iter().map(|raw| raw.parse().unwrap()).collect(),
            bind.map(|raw| raw.parse().unwrap()),
        );
        addresses.set_default(vec!["10.0.0.5".parse().unwrap()]);
        let address = addresses.of(family, reached.parse().unwrap())?;
        Some((address.bind.to_string(), address.told.to_string()))
    }

    fn pair(bind: &str, told: &str) -> Option<(String, String)> {
        Some((bind.to_owned(), told.to_owned()))
    }

    #[test]
    fn a_client_gets_the_address_that_it_reached_or_that_of_the_default_route() {
        use AddressFamily::{IPV4, IPV6};
        assert_eq!(chosen(&[], None, IPV4, "192.0.2.1"), pair("192.0.2.1", "192.0.2.1"));
        assert_eq!(chosen(&[], None, IPV4, "127.0.0.1"), pair("10.0.0.5", "10.0.0.5"));
        assert_eq!(chosen(&[], None, IPV4, "2001:db8::1"), pair("10.0.0.5", "10.0.0.5"));
        assert_eq!(chosen(&[], None, IPV6, "2001:db8::1"), pair("2001:db8::1", "2001:db8::1"));
        assert_eq!(chosen(&[], None, IPV6, "::1"), pair("::1", "::1"), "there is no other");
        assert_eq!(chosen(&[], None, IPV6, "192.0.2.1"), None);
    }

    #[test]
    fn peers_see_the_external_address_of_the_family() {
        use AddressFamily::{IPV4, IPV6};
        let external = ["198.51.100.7", "2001:db8::7"];
        assert_eq!(chosen(&external, None, IPV4, "10.0.0.5"), pair("10.0.0.5", "198.51.100.7"));
        assert_eq!(chosen(&external[..1], None, IPV6, "2001:db8::1"), pair("2001:db8::1", "2001:db8::1"));
    }

    #[test]
    fn a_server_on_one_address_relays_from_that_address_only() {
        use AddressFamily::{IPV4, IPV6};
        assert_eq!(chosen(&[], Some("127.0.0.1"), IPV4, "127.0.0.1"), pair("127.0.0.1", "127.0.0.1"));
        assert_eq!(chosen(&[], Some("127.0.0.1"), IPV6, "127.0.0.1"), None);
        assert_eq!(chosen(&[], Some("0.0.0.0"), IPV4, "192.0.2.1"), pair("192.0.2.1", "192.0.2.1"));
    }
}
