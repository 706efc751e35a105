//! Measures the round-trip time to a member while files are sent to it.

use std::time::Duration;

use crate::{
    Timestamp,
    ping::{Pings, Pong},
};

/// Ping interval during a call, whose delay must not grow.
const BUSY_INTERVAL: Duration = Duration::from_millis(50);
/// Ping interval without a call, where only the length of the path matters.
const CALM_INTERVAL: Duration = Duration::from_secs(1);
/// Number of pings at the short interval at the start of a transfer, since a single one may have been delayed.
const FIRST_PINGS: u32 = 5;

/// Sends pings through [`Pings`] while files are sent to a member, and keeps the measured times.
#[derive(Debug, Default)]
pub struct RoundTrips {
    /// Number of the first ping of this transfer; earlier pings belong to a time without files.
    first: Option<u32>,
    asked: u32,
    asked_at: Timestamp,
    shortest: Option<Duration>,
}

impl RoundTrips {
    /// Sends a ping if one is due, and returns its number.
    pub fn poll_ping(&mut self, pings: &mut Pings, beside_call: bool, now: Timestamp) -> Option<u32> {
        if now < self.due(beside_call) {
            return None;
        }
        let nonce = pings.ask(now);
        self.first.get_or_insert(nonce);
        (self.asked, self.asked_at) = (self.asked.saturating_add(1), now);
        Some(nonce)
    }

    /// The time at which [`Self::poll_ping`] sends the next ping.
    #[must_use]
    pub fn due(&self, beside_call: bool) -> Timestamp {
        let interval = if beside_call || self.asked < FIRST_PINGS { BUSY_INTERVAL } else { CALM_INTERVAL };
        if self.asked == 0 { Timestamp::ZERO } else { self.asked_at + interval }
    }

    /// Takes the answer to a ping. Returns its round-trip time if it was sent during the transfer.
    pub fn handle_pong(&mut self, pong: Pong) -> Option<Duration> {
        self.first.filter(|first| pong.nonce >= *first)?;
        let round_trip = pong.round_trip?;
        self.shortest = Some(self.shortest.map_or(round_trip, |shortest| shortest.min(round_trip)));
        Some(round_trip)
    }

    /// How long the oldest unanswered ping has been on its way, among the pings after the last answered one.
    #[must_use]
    pub fn waiting(&self, pings: &Pings, now: Timestamp) -> Duration {
        self.first.map_or(Duration::ZERO, |first| pings.waiting(first, now))
    }

    /// The shortest round-trip time so far, which is that of the path itself.
    #[must_use]
    pub fn shortest(&self) -> Option<Duration> {
        self.shortest
    }
}

#[cfg(test)]
mod tests {
    use sightline_protocol::telemetry::TelemetryMessage;

    use super::*;
    use crate::ping::Heard;

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    fn answer(pings: &mut Pings, trips: &mut RoundTrips, nonce: u32, now: Timestamp) -> Option<Duration> {
        match pings.handle(TelemetryMessage::Pong { nonce }, now) {
            Heard::Answered(pong) => trips.handle_pong(pong),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_ping_sent_before_the_transfer_gives_no_round_trip_time() {
        let (mut pings, mut trips) = (Pings::default(), RoundTrips::default());
        let before = pings.ask(ms(0));
        let first = trips.poll_ping(&mut pings, false, ms(1000)).expect("the first is due");
        assert_eq!(trips.waiting(&pings, ms(1030)), Duration::from_millis(30));
        assert_eq!(answer(&mut pings, &mut trips, before, ms(1040)), None);
        assert_eq!((trips.shortest(), trips.due(false)), (None, ms(1050)));
        assert_eq!(answer(&mut pings, &mut trips, first, ms(1060)), Some(Duration::from_millis(60)));
        assert_eq!(trips.shortest(), Some(Duration::from_millis(60)));
    }

    #[test]
    fn a_ping_of_another_caller_during_the_transfer_counts_too() {
        let (mut pings, mut trips) = (Pings::default(), RoundTrips::default());
        trips.poll_ping(&mut pings, false, ms(0));
        let other = pings.ask(ms(10));
        assert_eq!(answer(&mut pings, &mut trips, other, ms(30)), Some(Duration::from_millis(20)));
        assert_eq!(trips.waiting(&pings, ms(40)), Duration::ZERO);
    }
}
