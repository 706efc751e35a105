//! How long the way to a member and back takes while files go there.

use std::time::Duration;

use crate::{
    Timestamp,
    ping::{Pings, Pong},
};

/// Beside a call, whose delay is watched.
const BUSY_INTERVAL: Duration = Duration::from_millis(50);
/// Alone, where only the path's length is to be known.
const CALM_INTERVAL: Duration = Duration::from_secs(1);
/// Pings that are sent at the busy interval in any case, since one alone may have been held up.
const FIRST_PINGS: u32 = 5;

/// Has [`Pings`] sent while files go to a member, and takes the time.
#[derive(Debug, Default)]
pub struct RoundTrips {
    /// The first ping that was sent for this; those before it are of a time without files.
    first: Option<u32>,
    asked: u32,
    asked_at: Timestamp,
    shortest: Option<Duration>,
}

impl RoundTrips {
    /// Sends a ping where it is time for one; its number.
    pub fn poll_ping(&mut self, pings: &mut Pings, beside_call: bool, now: Timestamp) -> Option<u32> {
        if now < self.due(beside_call) {
            return None;
        }
        let nonce = pings.ask(now);
        self.first.get_or_insert(nonce);
        (self.asked, self.asked_at) = (self.asked.saturating_add(1), now);
        Some(nonce)
    }

    /// When [`Self::poll_ping`] has the next.
    #[must_use]
    pub fn due(&self, beside_call: bool) -> Timestamp {
        let interval = if beside_call || self.asked < FIRST_PINGS { BUSY_INTERVAL } else { CALM_INTERVAL };
        if self.asked == 0 { Timestamp::ZERO } else { self.asked_at + interval }
    }

    /// A ping was answered; how long that took, if it was sent while files went.
    pub fn handle_pong(&mut self, pong: Pong) -> Option<Duration> {
        self.first.filter(|first| pong.nonce >= *first)?;
        let round_trip = pong.round_trip?;
        self.shortest = Some(self.shortest.map_or(round_trip, |shortest| shortest.min(round_trip)));
        Some(round_trip)
    }

    /// How long the oldest of these pings is on its way of those after the last that was answered.
    #[must_use]
    pub fn waiting(&self, pings: &Pings, now: Timestamp) -> Duration {
        self.first.map_or(Duration::ZERO, |first| pings.waiting(first, now))
    }

    /// The shortest so far: the path's own.
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
    fn a_ping_of_the_time_before_the_files_says_nothing_of_their_way() {
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
    fn a_ping_of_another_while_files_go_counts_too() {
        let (mut pings, mut trips) = (Pings::default(), RoundTrips::default());
        trips.poll_ping(&mut pings, false, ms(0));
        let other = pings.ask(ms(10));
        assert_eq!(answer(&mut pings, &mut trips, other, ms(30)), Some(Duration::from_millis(20)));
        assert_eq!(trips.waiting(&pings, ms(40)), Duration::ZERO);
    }
}
