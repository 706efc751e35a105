//! Ports kept for the second allocation of a client that wants two in a row (RFC 8656 section 7.2, EVEN-PORT with R).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use tokio::time::Instant;

use super::{quotas::Place, udp::UdpPort};

/// How long a port is kept: the least that the standard allows.
const RESERVATION_LIFE: Duration = Duration::from_secs(30);
/// Ports kept at the same time.
const MAX_RESERVATIONS: usize = 256;
/// Those of one address.
const MAX_RESERVATIONS_PER_ADDRESS: usize = 64;

/// Ports that wait for their client.
#[derive(Debug)]
pub(super) struct Reservations {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    random: StdRng,
    kept: HashMap<u64, Kept>,
}

#[derive(Debug)]
struct Kept {
    port: UdpPort,
    /// A port that is kept counts like an allocation, which it becomes.
    place: Place,
    username: String,
    expires_at: Instant,
}

impl Reservations {
    pub(super) fn new(random: StdRng) -> Self {
        Self { state: Mutex::new(State { random, kept: HashMap::new() }) }
    }

    /// Whether a port can be kept for this address.
    pub(super) fn has_room(&self, place: &Place, now: Instant) -> bool {
        self.forget_expired(now);
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = state.kept.values().filter(|kept| kept.place.address() == place.address()).count();
        state.kept.len() < MAX_RESERVATIONS && of_address < MAX_RESERVATIONS_PER_ADDRESS
    }

    /// Keeps a port for a user; the token to have it by.
    pub(super) fn keep(&self, port: UdpPort, place: Place, username: &str, now: Instant) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let token = state.random.random();
        let kept = Kept { port, place, username: username.to_owned(), expires_at: now + RESERVATION_LIFE };
        state.kept.insert(token, kept);
        token
    }

    /// The port that was kept for this user under this token, and its place.
    pub(super) fn take(&self, token: u64, username: &str, now: Instant) -> Option<(UdpPort, Place)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_for_them =
            state.kept.get(&token).is_some_and(|kept| kept.username == username && kept.expires_at > now);
        if is_for_them { state.kept.remove(&token).map(|kept| (kept.port, kept.place)) } else { None }
    }

    /// Gives back the ports that nobody came for.
    pub(super) fn forget_expired(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.kept.retain(|_, kept| kept.expires_at > now);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::SeedableRng;

    use super::*;
    use crate::turn::quotas::{AllocationLimits, Quotas, UserKind};

    fn quotas(per_address: usize) -> Arc<Quotas> {
        Quotas::new(AllocationLimits { per_user: 1_000, per_address, total: 1_000 })
    }

    fn place(quotas: &Arc<Quotas>, address: &str) -> Option<Place> {
        quotas.take("ada", UserKind::Member, address.parse().unwrap()).ok()
    }

    fn port() -> UdpPort {
        UdpPort::bind("127.0.0.1:0".parse().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_port_is_kept_for_its_user_for_half_a_minute() {
        let (start, quotas) = (Instant::now(), quotas(1_000));
        let reservations = Reservations::new(StdRng::seed_from_u64(1));
        let [first, second] =
            [0; 2].map(|_| reservations.keep(port(), place(&quotas, "192.0.2.1").unwrap(), "ada", start));
        assert!(reservations.take(first, "bo", start).is_none());
        assert!(reservations.take(first, "ada", start).is_some());
        assert!(reservations.take(first, "ada", start).is_none(), "it is taken");
        assert!(reservations.take(second, "ada", start + RESERVATION_LIFE).is_none());
    }

    #[tokio::test]
    async fn one_address_takes_a_quarter_and_room_comes_back_with_time() {
        let (start, quotas) = (Instant::now(), quotas(1_000));
        let reservations = Reservations::new(StdRng::seed_from_u64(1));
        let fill = |address: &str, now| {
            let mut kept = 0;
            while let Some(place) = place(&quotas, address).filter(|place| reservations.has_room(place, now))
            {
                reservations.keep(port(), place, "ada", now);
                kept += 1;
            }
            kept
        };
        let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"];
        assert_eq!(addresses.map(|address| fill(address, start)), [64, 64, 64, 64, 0]);
        assert_eq!(fill("192.0.2.5", start + RESERVATION_LIFE), 64);
    }

    #[tokio::test]
    async fn a_port_that_is_kept_counts_for_its_address_until_it_is_given_back() {
        let (start, quotas) = (Instant::now(), quotas(2));
        let reservations = Reservations::new(StdRng::seed_from_u64(1));
        for _ in 0..2 {
            reservations.keep(port(), place(&quotas, "192.0.2.1").unwrap(), "ada", start);
        }
        assert!(place(&quotas, "192.0.2.1").is_none());
        reservations.forget_expired(start + RESERVATION_LIFE);
        assert!(place(&quotas, "192.0.2.1").is_some());
    }
}
