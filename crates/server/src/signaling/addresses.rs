//! Counts the sockets and the joins of each address.

use std::{collections::HashMap, net::IpAddr};

use tokio::time::Instant;

use super::limits::AddressLimits;
use crate::{proxy::limited_address, token_bucket::Bucket};

/// Idle addresses are forgotten when there are more than this and twice as many as were left the last time.
const KEPT_AT_LEAST: usize = 1_024;

const S_PER_MIN: f64 = 60.0;

/// Every address that has a socket, or joined within the last minute.
#[derive(Debug)]
pub(super) struct Addresses {
    limits: AddressLimits,
    entries: HashMap<IpAddr, Entry>,
    look_through_at: usize,
}

#[derive(Debug)]
struct Entry {
    sockets: usize,
    joins: Bucket<Instant>,
}

impl Addresses {
    pub(super) fn new(limits: AddressLimits) -> Self {
        Self { limits, entries: HashMap::new(), look_through_at: KEPT_AT_LEAST }
    }

    /// Counts a new socket; `false` where it is one too many.
    pub(super) fn open(&mut self, address: IpAddr, now: Instant) -> bool {
        if self.is_free(address) {
            return true;
        }
        if self.entries.len() >= self.look_through_at {
            self.entries.retain(|_, entry| entry.sockets > 0 || !entry.joins.is_full(now));
            self.look_through_at = (2 * self.entries.len()).max(KEPT_AT_LEAST);
        }
        let joins = self.limits.joins_per_min;
        let entry = self.entries.entry(limited_address(address)).or_insert_with(|| Entry {
            sockets: 0,
            joins: Bucket::full(f64::from(joins), f64::from(joins) / S_PER_MIN, now),
        });
        let fits = entry.sockets < self.limits.max_sockets;
        entry.sockets += usize::from(fits);
        fits
    }

    /// Counts the end of a socket.
    pub(super) fn close(&mut self, address: IpAddr) {
        if let Some(entry) = self.entries.get_mut(&limited_address(address)) {
            entry.sockets = entry.sockets.saturating_sub(1);
        }
    }

    /// Counts a join of a socket; `false` where it is one too many.
    pub(super) fn join(&mut self, address: IpAddr, now: Instant) -> bool {
        self.is_free(address)
            || self.entries.get_mut(&limited_address(address)).is_some_and(|entry| entry.joins.take(1.0, now))
    }

    fn is_free(&self, address: IpAddr) -> bool {
        address.is_loopback() && !self.limits.includes_loopback
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    const LIMITS: AddressLimits =
        AddressLimits { max_sockets: 2, joins_per_min: 3, includes_loopback: false };

    fn address(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0xc000_0200 + n).into()
    }

    #[test]
    fn the_socket_limit_counts_each_address_separately() {
        let (mut addresses, now) = (Addresses::new(LIMITS), Instant::now());
        assert_eq!([1, 1, 1, 2].map(|n| addresses.open(address(n), now)), [true, true, false, true]);
        addresses.close(address(1));
        assert_eq!([1, 1].map(|n| addresses.open(address(n), now)), [true, false]);
    }

    #[test]
    fn the_joins_of_an_address_are_limited_over_its_sockets_and_replenished() {
        let (mut addresses, now) = (Addresses::new(LIMITS), Instant::now());
        addresses.open(address(1), now);
        assert_eq!([0; 4].map(|_| addresses.join(address(1), now)), [true, true, true, false]);
        addresses.close(address(1));
        addresses.open(address(1), now);
        assert!(!addresses.join(address(1), now), "a new socket does not reset the count");
        assert!(addresses.join(address(1), now + Duration::from_secs(20)));
    }

    #[test]
    fn this_machine_is_limited_only_if_configured() {
        let (this, now) = (IpAddr::from([127, 0, 0, 1]), Instant::now());
        let mut free = Addresses::new(LIMITS);
        let mut limited = Addresses::new(AddressLimits { includes_loopback: true, ..LIMITS });
        assert!((0..9).all(|_| free.open(this, now) && free.join(this, now)));
        assert!(!(0..9).all(|_| limited.open(this, now)));
    }

    #[test]
    fn addresses_without_sockets_and_recent_joins_are_forgotten() {
        let (mut addresses, start) = (Addresses::new(LIMITS), Instant::now());
        for n in 0..10_000 {
            let now = start + Duration::from_secs(u64::from(n));
            addresses.open(address(n), now);
            addresses.join(address(n), now);
            addresses.close(address(n));
        }
        assert!(addresses.entries.len() <= KEPT_AT_LEAST, "{}", addresses.entries.len());
    }
}
