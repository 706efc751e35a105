//! Ports kept for the second allocation of a client that wants two in a row (RFC 8656 section 7.2, EVEN-PORT with R).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng};
use tokio::time::Instant;

use super::udp::UdpPort;

/// How long a port is kept: the least that the standard allows.
const RESERVATION_LIFE: Duration = Duration::from_secs(30);
/// Ports kept at the same time.
const MAX_RESERVATIONS: usize = 256;

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
    username: String,
    expires_at: Instant,
}

impl Reservations {
    pub(super) fn new(random: StdRng) -> Self {
        Self { state: Mutex::new(State { random, kept: HashMap::new() }) }
    }

    /// Whether one more fits.
    pub(super) fn has_room(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.kept.retain(|_, kept| kept.expires_at > now);
        state.kept.len() < MAX_RESERVATIONS
    }

    /// Keeps a port for a user; the token to have it by.
    pub(super) fn keep(&self, port: UdpPort, username: &str, now: Instant) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let token = state.random.random();
        let kept = Kept { port, username: username.to_owned(), expires_at: now + RESERVATION_LIFE };
        state.kept.insert(token, kept);
        token
    }

    /// The port that was kept for this user under this token.
    pub(super) fn take(&self, token: u64, username: &str, now: Instant) -> Option<UdpPort> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_for_them =
            state.kept.get(&token).is_some_and(|kept| kept.username == username && kept.expires_at > now);
        if is_for_them { state.kept.remove(&token).map(|kept| kept.port) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[tokio::test]
    async fn a_port_is_kept_for_its_user_for_half_a_minute() {
        let (start, local) = (Instant::now(), "127.0.0.1:0".parse().unwrap());
        let reservations = Reservations::new(StdRng::seed_from_u64(1));
        let [first, second] = [0; 2].map(|_| reservations.keep(UdpPort::bind(local).unwrap(), "ada", start));
        assert!(reservations.take(first, "bo", start).is_none());
        assert!(reservations.take(first, "ada", start).is_some());
        assert!(reservations.take(first, "ada", start).is_none(), "it is taken");
        assert!(reservations.take(second, "ada", start + RESERVATION_LIFE).is_none());
    }

    #[tokio::test]
    async fn so_many_are_kept_and_room_comes_back_with_time() {
        let (start, local) = (Instant::now(), "127.0.0.1:0".parse().unwrap());
        let reservations = Reservations::new(StdRng::seed_from_u64(1));
        while reservations.has_room(start) {
            reservations.keep(UdpPort::bind(local).unwrap(), "ada", start);
        }
        assert!(reservations.has_room(start + RESERVATION_LIFE));
    }
}
