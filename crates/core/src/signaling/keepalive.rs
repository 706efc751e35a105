//! Pings on the socket: whether the server still answers, and the round trip to it.

use std::time::Duration;

use crate::Timestamp;

const PING_INTERVAL: Duration = Duration::from_secs(3);
const PONG_DEADLINE: Duration = Duration::from_secs(4);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeepaliveDue {
    /// A ping with this number is to be sent.
    Ping(u32),
    /// The server did not answer: the socket is dead.
    Lost,
}

/// The pings of one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keepalive {
    next_ping: Timestamp,
    pending: Option<Ping>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ping {
    nonce: u32,
    sent_at: Timestamp,
}

impl Keepalive {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { next_ping: now + PING_INTERVAL, pending: None }
    }

    /// Pings at once, unless a ping waits for its answer.
    pub(super) fn handle_wake(&mut self, now: Timestamp) {
        if self.pending.is_none() {
            self.next_ping = now;
        }
    }

    /// Takes the answer to a ping. Returns the round trip.
    pub(super) fn handle_pong(&mut self, nonce: u32, now: Timestamp) -> Option<Duration> {
        let ping = self.pending.take_if(|ping| ping.nonce == nonce)?;
        Some(now.since(ping.sent_at))
    }

    /// What is due now. `next_nonce` is counted over all sockets, so that a late answer is never taken for another one.
    pub(super) fn handle_timeout(&mut self, next_nonce: &mut u32, now: Timestamp) -> Option<KeepaliveDue> {
        if self.poll_timeout() > now {
            return None;
        }
        if self.pending.is_some() {
            return Some(KeepaliveDue::Lost);
        }
        let nonce = *next_nonce;
        *next_nonce = nonce.wrapping_add(1);
        (self.next_ping, self.pending) = (now + PING_INTERVAL, Some(Ping { nonce, sent_at: now }));
        Some(KeepaliveDue::Ping(nonce))
    }

    pub(super) fn poll_timeout(&self) -> Timestamp {
        self.pending.map_or(self.next_ping, |ping| ping.sent_at + PONG_DEADLINE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn an_answered_ping_is_followed_by_the_next_and_a_silent_server_is_lost() {
        let (mut keepalive, mut nonce) = (Keepalive::new(at(0)), 7);
        assert_eq!(keepalive.handle_timeout(&mut nonce, at(2)), None);
        assert_eq!(keepalive.handle_timeout(&mut nonce, at(3)), Some(KeepaliveDue::Ping(7)));
        assert_eq!(keepalive.handle_pong(6, at(4)), None, "the answer to an earlier socket's ping");
        assert_eq!(keepalive.handle_pong(7, at(4)), Some(Duration::from_secs(1)));
        assert_eq!(keepalive.handle_timeout(&mut nonce, at(6)), Some(KeepaliveDue::Ping(8)));
        assert_eq!(keepalive.handle_timeout(&mut nonce, at(9)), None);
        assert_eq!(keepalive.handle_timeout(&mut nonce, at(10)), Some(KeepaliveDue::Lost));
    }

    #[test]
    fn a_page_that_woke_up_pings_at_once_unless_an_answer_is_to_come() {
        let (mut keepalive, mut nonce) = (Keepalive::new(at(0)), 0);
        keepalive.handle_wake(at(1));
        assert_eq!(keepalive.handle_timeout(&mut nonce, at(1)), Some(KeepaliveDue::Ping(0)));
        keepalive.handle_wake(at(2));
        assert_eq!((keepalive.handle_timeout(&mut nonce, at(2)), keepalive.poll_timeout()), (None, at(5)));
    }
}
