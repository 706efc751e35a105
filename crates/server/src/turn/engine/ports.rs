//! Chooses the ports of relayed addresses: at random within a range (RFC 8656 section 7.2).

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};

use super::{client::PortId, network::Network};
use crate::time::UnixTime;

/// Number of ports that are tried for one request, unless the range is shorter.
const TRIES: u32 = 100;
/// After that many failures no request tries again for this long, since each attempt is a system call.
const PAUSE_WHEN_FULL: Duration = Duration::from_millis(100);

/// Chooses ports for relayed addresses.
#[derive(Debug)]
pub(super) struct RelayPorts {
    range: RangeInclusive<u16>,
    /// Until when no port of an address is looked for. There are as many keys as this machine has addresses, three times.
    full_until: HashMap<(IpAddr, Wanted), UnixTime>,
}

/// Which ports a client can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    Any,
    Even,
    /// An even port and the one after it.
    Pair,
}

/// An open port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenPort {
    pub(super) id: PortId,
    pub(super) number: u16,
}

impl RelayPorts {
    pub(super) fn new(range: RangeInclusive<u16>) -> Self {
        Self { range, full_until: HashMap::new() }
    }

    /// Opens a free port, and of a pair the second one too. `None` where none is found.
    pub(super) fn open(
        &mut self,
        wanted: Wanted,
        ip: IpAddr,
        now: UnixTime,
        random: &mut StdRng,
        network: &mut impl Network,
    ) -> Option<(OpenPort, Option<OpenPort>)> {
        let (first, last) = (*self.range.start(), *self.range.end());
        let count = u32::from(last.saturating_sub(first)) + 1;
        if self.full_until.get(&(ip, wanted)).is_some_and(|until| *until > now) {
            return None;
        }
        let start = random.random_range(0..count);
        let opened = (0..TRIES.min(count)).find_map(|step| {
            let number = first + u16::try_from((start + step) % count).unwrap_or_default();
            open_at(wanted, ip, number, last, network)
        });
        if opened.is_none() {
            self.full_until.insert((ip, wanted), now + PAUSE_WHEN_FULL);
        }
        opened
    }
}

fn open_at(
    wanted: Wanted,
    ip: IpAddr,
    number: u16,
    last: u16,
    network: &mut impl Network,
) -> Option<(OpenPort, Option<OpenPort>)> {
    let is_even = number.is_multiple_of(2);
    let is_wanted = match wanted {
        Wanted::Any => true,
        Wanted::Even => is_even,
        Wanted::Pair => is_even && number < last,
    };
    if !is_wanted {
        return None;
    }
    let id = network.open_port(SocketAddr::new(ip, number))?;
    let port = OpenPort { id, number };
    if wanted != Wanted::Pair {
        return Some((port, None));
    }
    match network.open_port(SocketAddr::new(ip, number + 1)) {
        Some(id) => Some((port, Some(OpenPort { id, number: number + 1 }))),
        None => {
            network.close_port(port.id);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::{super::client::Client, *};

    const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    /// A network in which some ports are taken.
    struct Ports {
        is_free: fn(u16) -> bool,
        tries: u32,
        closed: usize,
    }

    impl Network for Ports {
        fn open_port(&mut self, at: SocketAddr) -> Option<PortId> {
            self.tries += 1;
            (self.is_free)(at.port()).then_some(PortId(at.port().into()))
        }

        fn close_port(&mut self, _: PortId) {
            self.closed += 1;
        }

        fn send_to_peer(&mut self, _: PortId, _: SocketAddr, _: &[u8]) {}

        fn send_to_client(&mut self, _: &Client, _: &[u8], _: &[u8]) -> bool {
            false
        }

        fn answer(&mut self, _: &Client, _: &[u8]) {}
    }

    fn network(is_free: fn(u16) -> bool) -> Ports {
        Ports { is_free, tries: 0, closed: 0 }
    }

    #[test]
    fn when_all_ports_are_taken_a_thousand_requests_cost_no_more_than_one() {
        let (mut network, mut random) = (network(|_| false), StdRng::seed_from_u64(1));
        let mut ports = RelayPorts::new(50_000..=60_000);
        let (ip, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..1_000 {
            assert_eq!(ports.open(Wanted::Any, ip, START, &mut random, &mut network), None);
        }
        assert_eq!(network.tries, TRIES);
        network.is_free = |_| true;
        assert!(
            ports.open(Wanted::Any, other, START, &mut random, &mut network).is_some(),
            "another address"
        );
        assert!(ports.open(Wanted::Any, ip, START + PAUSE_WHEN_FULL, &mut random, &mut network).is_some());
    }

    #[test]
    fn a_pair_is_an_even_port_and_the_next_and_half_a_pair_is_closed_again() {
        let (mut network, mut random) = (network(|port| port != 50_003), StdRng::seed_from_u64(1));
        let mut ports = RelayPorts::new(50_000..=50_004);
        let ip = "192.0.2.1".parse().unwrap();
        for _ in 0..20 {
            let (even, next) = ports.open(Wanted::Pair, ip, START, &mut random, &mut network).unwrap();
            assert_eq!((even.number, next.unwrap().number), (50_000, 50_001));
        }
        assert!(network.closed > 0, "50002 was open while 50003 was tried");
    }
}
