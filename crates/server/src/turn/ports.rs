//! Sockets for relayed addresses: from a range of ports, at random within it (RFC 8656 section 7.2).

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};

use tokio::time::Instant;

use super::udp::UdpPort;

/// So many ports are tried, unless the range is shorter.
const TRIES: u32 = 100;
/// After so many tries in vain nobody's request tries again for this long: each try is a system call.
const PAUSE_WHEN_FULL: Duration = Duration::from_millis(100);

/// Makes sockets for relayed addresses.
#[derive(Debug)]
pub(super) struct RelayPorts {
    range: RangeInclusive<u16>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: StdRng,
    /// Until when no port of an address is looked for. There are as many keys as this machine has addresses.
    full_until: HashMap<(IpAddr, Wanted), Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Wanted {
    Any,
    Even,
    Pair,
}

/// Two sockets for a client that wants neighbouring ports.
pub(super) type Pair = (UdpPort, Option<UdpPort>);

impl RelayPorts {
    pub(super) fn new(range: RangeInclusive<u16>, random: StdRng) -> Self {
        Self { range, state: Mutex::new(State { random, full_until: HashMap::new() }) }
    }

    /// A socket on a free port.
    pub(super) fn bind(&self, ip: IpAddr, now: Instant) -> io::Result<UdpPort> {
        self.try_each((ip, Wanted::Any), now, |port| UdpPort::bind(SocketAddr::new(ip, port)))
    }

    /// A socket on a free even port and, if wanted, one on the port after it.
    pub(super) fn bind_even(&self, ip: IpAddr, with_next: bool, now: Instant) -> io::Result<Pair> {
        let wanted = if with_next { Wanted::Pair } else { Wanted::Even };
        self.try_each((ip, wanted), now, |port| {
            if port % 2 != 0 || (with_next && port == *self.range.end()) {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            let even = UdpPort::bind(SocketAddr::new(ip, port))?;
            let next = with_next.then(|| UdpPort::bind(SocketAddr::new(ip, port + 1))).transpose()?;
            Ok((even, next))
        })
    }

    /// From a random one on, all in turn; the last error where none is free.
    fn try_each<T>(
        &self,
        wanted: (IpAddr, Wanted),
        now: Instant,
        bind: impl Fn(u16) -> io::Result<T>,
    ) -> io::Result<T> {
        let (first, last) = (*self.range.start(), *self.range.end());
        let count = u32::from(last.saturating_sub(first)) + 1;
        let mut failure = io::ErrorKind::AddrInUse.into();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.full_until.get(&wanted).is_some_and(|until| *until > now) {
            return Err(failure);
        }
        let start = state.random.random_range(0..count);
        for step in 0..TRIES.min(count) {
            let offset = u16::try_from((start + step) % count).unwrap_or_default();
            match bind(first + offset) {
                Ok(bound) => return Ok(bound),
                Err(error) => failure = error,
            }
        }
        state.full_until.insert(wanted, now + PAUSE_WHEN_FULL);
        Err(failure)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use rand::SeedableRng;

    use super::*;

    #[test]
    fn when_all_ports_are_taken_a_thousand_requests_cost_no_more_than_one() {
        let (start, tries) = (Instant::now(), Cell::new(0));
        let ports = RelayPorts::new(50_000..=60_000, StdRng::seed_from_u64(1));
        let all_taken = |_| {
            tries.set(tries.get() + 1);
            Err::<(), _>(io::ErrorKind::AddrInUse.into())
        };
        let wanted = ("192.0.2.1".parse().unwrap(), Wanted::Any);
        for _ in 0..1_000 {
            assert!(ports.try_each(wanted, start, all_taken).is_err());
        }
        assert_eq!(tries.get(), TRIES);
        assert!(ports.try_each(wanted, start + PAUSE_WHEN_FULL, |_| Ok(())).is_ok());
        let other = ("192.0.2.2".parse().unwrap(), Wanted::Any);
        assert!(ports.try_each(other, start, |_| Ok(())).is_ok(), "another address");
    }
}
