//! How long the way to a member and back takes while files go there.

use std::{collections::VecDeque, time::Duration};

use crate::Timestamp;

/// Beside a call, whose delay is watched.
const BUSY_INTERVAL: Duration = Duration::from_millis(50);
/// Alone, where only the path's length is to be known.
const CALM_INTERVAL: Duration = Duration::from_secs(1);
/// Pings that may be on their way.
const MAX_OPEN: usize = 64;
/// Its nonces are beyond those of [`recovery`](crate::recovery), which uses the same pings.
const FIRST_NONCE: u32 = 1 << 31;

/// Asks again and again, and takes the time.
#[derive(Debug, Default)]
pub struct RoundTrips {
    /// Number and time of each ping on its way.
    open: VecDeque<(u32, Timestamp)>,
    next: u32,
    next_at: Timestamp,
    shortest: Option<Duration>,
}

impl RoundTrips {
    /// The next ping, where it is time for one.
    pub fn poll_ping(&mut self, beside_call: bool, now: Timestamp) -> Option<u32> {
        if now < self.due(beside_call) {
            return None;
        }
        self.next_at = now;
        let nonce = FIRST_NONCE + self.next;
        self.next = (self.next + 1) % FIRST_NONCE;
        if self.open.len() == MAX_OPEN {
            self.open.pop_front();
        }
        self.open.push_back((nonce, now));
        Some(nonce)
    }

    /// When [`Self::poll_ping`] has the next.
    #[must_use]
    pub fn due(&self, beside_call: bool) -> Timestamp {
        // Often at first, since one alone may have been held up.
        let interval = if beside_call || self.next < 5 { BUSY_INTERVAL } else { CALM_INTERVAL };
        if self.next == 0 { Timestamp::ZERO } else { self.next_at + interval }
    }

    /// An answer came; how long that took, if it is one to a ping of this.
    pub fn handle_pong(&mut self, nonce: u32, now: Timestamp) -> Option<Duration> {
        let at = self.open.iter().position(|(open, _)| *open == nonce)?;
        // Older ones are lost, or so late that they tell nothing.
        let (_, sent) = self.open.drain(..=at).next_back()?;
        let round_trip = now.since(sent);
        self.shortest = Some(self.shortest.map_or(round_trip, |shortest| shortest.min(round_trip)));
        Some(round_trip)
    }

    /// How long the oldest ping is on its way of those after the last that was answered.
    #[must_use]
    pub fn waiting(&self, now: Timestamp) -> Duration {
        self.open.front().map_or(Duration::ZERO, |(_, sent)| now.since(*sent))
    }

    /// The shortest so far: the path's own.
    #[must_use]
    pub fn shortest(&self) -> Option<Duration> {
        self.shortest
    }
}
