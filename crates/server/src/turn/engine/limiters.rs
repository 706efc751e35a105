//! Limits the rates of requests, answers and connections, in memory of a fixed size.
//!
//! Answers to requests without credentials are limited for each address, because a request with a forged sender must not make this
//! server send much to someone else. Requests of clients that have shown their address are limited for each client and then for
//! each address, so that one client cannot use up what belongs to its neighbors.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hash},
    net::IpAddr,
    time::Duration,
};

use super::client::FiveTuple;
use crate::{proxy::limited_address, time::UnixTime, token_bucket::Bucket};

/// Keys with the same hash share a bucket, so memory is bounded for any input.
const BUCKETS: usize = 16_384;

/// A burst is this many seconds' worth, for an office whose people all start a call at once.
const BURST_S: u32 = 4;

/// Requests a second of one client, after a burst of four times as many. Gathering takes about ten, and each peer two more.
const CLIENT_REQUESTS_PER_S: u32 = 50;

/// A token bucket for each key, in a fixed number of buckets.
#[derive(Debug)]
struct HashedBuckets {
    hasher: RandomState,
    buckets: Box<[Bucket<UnixTime>]>,
}

impl HashedBuckets {
    fn new(per_s: u32, now: UnixTime) -> Self {
        let bucket = || Bucket::full(f64::from(per_s.saturating_mul(BURST_S)), f64::from(per_s), now);
        let buckets = std::iter::repeat_with(bucket).take(BUCKETS).collect();
        Self { hasher: RandomState::new(), buckets }
    }

    fn index_of(&self, key: &impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % BUCKETS as u64).unwrap_or_default()
    }

    fn is_empty(&self, key: &impl Hash, now: UnixTime) -> bool {
        self.buckets.get(self.index_of(key)).is_none_or(|bucket| bucket.wait_for(1.0, now) > Duration::ZERO)
    }

    /// Takes one token, or says how long it takes until there is one.
    fn take(&mut self, key: &impl Hash, now: UnixTime) -> Result<(), Duration> {
        let index = self.index_of(key);
        let bucket = self.buckets.get_mut(index).ok_or(Duration::MAX)?;
        if bucket.take(1.0, now) { Ok(()) } else { Err(bucket.wait_for(1.0, now)) }
    }
}

/// Limits the answers to each address.
#[derive(Debug)]
pub(super) struct AnswerLimiter(HashedBuckets);

impl AnswerLimiter {
    pub(super) fn new(per_s: u32, now: UnixTime) -> Self {
        Self(HashedBuckets::new(per_s, now))
    }

    /// Takes one answer to this address; `false` where it is one too many.
    pub(super) fn take(&mut self, address: IpAddr, now: UnixTime) -> bool {
        self.0.take(&limited_address(address), now).is_ok()
    }
}

/// Limits the requests of each client, and of all clients of an address together.
#[derive(Debug)]
pub(super) struct RequestLimiter {
    clients: HashedBuckets,
    addresses: HashedBuckets,
}

impl RequestLimiter {
    pub(super) fn new(address_per_s: u32, now: UnixTime) -> Self {
        let clients = HashedBuckets::new(CLIENT_REQUESTS_PER_S.min(address_per_s), now);
        Self { clients, addresses: HashedBuckets::new(address_per_s, now) }
    }

    /// Counts one request of this client, or says when the client may ask again.
    pub(super) fn take(&mut self, client: &FiveTuple, now: UnixTime) -> Result<(), Duration> {
        self.clients.take(client, now)?;
        self.addresses.take(&limited_address(client.client.ip()), now)
    }

    /// Whether this client has used up its requests, so that another need not be read.
    pub(super) fn is_exhausted(&self, client: &FiveTuple, now: UnixTime) -> bool {
        self.clients.is_empty(client, now)
    }
}

/// Limits the new connections of each address. This machine has no limit, because a proxy on it may forward many clients.
#[derive(Debug)]
pub(in crate::turn) struct ConnectionLimiter(HashedBuckets);

impl ConnectionLimiter {
    pub(in crate::turn) fn new(per_s: u32, now: UnixTime) -> Self {
        Self(HashedBuckets::new(per_s, now))
    }

    pub(in crate::turn) fn take(&mut self, address: IpAddr, now: UnixTime) -> bool {
        address.to_canonical().is_loopback() || self.0.take(&limited_address(address), now).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::client::Transport, *};

    const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    #[test]
    fn after_the_burst_an_address_is_answered_at_the_rate() {
        let mut answers = AnswerLimiter::new(5, START);
        let victim: IpAddr = "192.0.2.1".parse().unwrap();
        let mut answered = |now| (0..1_000).filter(|_| answers.take(victim, now)).count();
        assert_eq!(answered(START), 20);
        assert_eq!(answered(START + Duration::from_secs(1)), 5);
        assert_eq!(answered(START + Duration::from_secs(100)), 20);
    }

    #[test]
    fn the_connections_of_an_address_are_limited_except_for_this_machine() {
        let mut connections = ConnectionLimiter::new(200, START);
        let mut opened = |address: &str| {
            let address = address.parse().unwrap();
            (0..10_000).filter(|_| connections.take(address, START)).count()
        };
        assert_eq!(opened("2001:db8::1"), 800);
        assert_eq!(opened("2001:db8::2"), 0, "of the same network");
        assert_eq!(
            (opened("127.0.0.1"), opened("::ffff:127.0.0.1"), opened("::1")),
            (10_000, 10_000, 10_000)
        );
    }

    fn client(address: &str) -> FiveTuple {
        let server = "198.51.100.1:3478".parse().unwrap();
        FiveTuple { transport: Transport::Udp, client: address.parse().unwrap(), server }
    }

    #[test]
    fn four_clients_that_flood_leave_their_neighbor_its_requests() {
        let mut requests = RequestLimiter::new(2_000, START);
        // Keys are spread at random: clients that happen to share a bucket share its tokens.
        let mut used = HashSet::new();
        let mut clients = (1_000..)
            .map(|port| client(&format!("192.0.2.1:{port}")))
            .filter(|client| used.insert(requests.clients.index_of(client)))
            .take(5)
            .collect::<Vec<_>>();
        let neighbor = clients.pop().unwrap();
        for flooder in clients {
            let taken = (0..10_000).filter(|_| requests.take(&flooder, START).is_ok()).count();
            assert_eq!(taken, 200, "its burst");
            let wait = requests.take(&flooder, START).unwrap_err();
            assert!(requests.is_exhausted(&flooder, START) && !requests.is_exhausted(&flooder, START + wait));
            assert!(
                requests.take(&flooder, START + wait).is_ok(),
                "after the wait that the limiter returned"
            );
        }
        assert!((0..100).all(|_| requests.take(&neighbor, START).is_ok()));
    }

    #[test]
    fn all_clients_of_an_address_have_its_rate_together() {
        let mut requests = RequestLimiter::new(2_000, START);
        let bucket_of = |address: &str| requests.addresses.index_of(&address.parse::<IpAddr>().unwrap());
        let first = bucket_of("192.0.2.1");
        let other =
            (2..).map(|end| format!("192.0.2.{end}")).find(|address| bucket_of(address) != first).unwrap();
        let mut taken = |address: &str| {
            let clients = (0..1_000).map(|port| client(&format!("{address}:{}", 1_000 + port)));
            clients
                .map(|client| (0..20).filter(|_| requests.take(&client, START).is_ok()).count())
                .sum::<usize>()
        };
        assert_eq!(taken("192.0.2.1"), 8_000);
        // Some of its clients share a bucket with one of the others.
        assert!(taken(&other) > 7_000);
    }
}
