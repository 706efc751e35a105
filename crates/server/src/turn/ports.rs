//! Sockets for relayed addresses: from a range of ports, at random within it (RFC 8656 section 7.2).

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
};

use rand::{RngExt, rngs::StdRng};

use super::udp::UdpPort;

/// So many ports are tried, unless the range is shorter.
const TRIES: u32 = 100;

/// Makes sockets for relayed addresses.
#[derive(Debug)]
pub(super) struct RelayPorts {
    range: RangeInclusive<u16>,
    random: Mutex<StdRng>,
}

/// Two sockets for a client that wants neighbouring ports.
pub(super) type Pair = (UdpPort, Option<UdpPort>);

impl RelayPorts {
    pub(super) fn new(range: RangeInclusive<u16>, random: StdRng) -> Self {
        Self { range, random: Mutex::new(random) }
    }

    /// A socket on a free port.
    pub(super) fn bind(&self, ip: IpAddr) -> io::Result<UdpPort> {
        self.try_each(|port| UdpPort::bind(SocketAddr::new(ip, port)))
    }

    /// A socket on a free even port and, if wanted, one on the port after it.
    pub(super) fn bind_even(&self, ip: IpAddr, with_next: bool) -> io::Result<Pair> {
        self.try_each(|port| {
            if port % 2 != 0 || (with_next && port == *self.range.end()) {
                return Err(io::ErrorKind::AddrNotAvailable.into());
            }
            let even = UdpPort::bind(SocketAddr::new(ip, port))?;
            let next = with_next.then(|| UdpPort::bind(SocketAddr::new(ip, port + 1))).transpose()?;
            Ok((even, next))
        })
    }

    /// From a random one on, all in turn; the last error where none is free.
    fn try_each<T>(&self, bind: impl Fn(u16) -> io::Result<T>) -> io::Result<T> {
        let (first, last) = (*self.range.start(), *self.range.end());
        let count = u32::from(last.saturating_sub(first)) + 1;
        let start = self.random.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..count);
        let mut failure = io::ErrorKind::AddrInUse.into();
        for step in 0..TRIES.min(count) {
            let offset = u16::try_from((start + step) % count).unwrap_or_default();
            match bind(first + offset) {
                Ok(bound) => return Ok(bound),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}
