//! Spreads the datagrams of a socket over time.
//!
//! SCTP sends what its congestion window allows at once. Such a burst is larger than the receive buffer of the other side's socket, which
//! in a browser holds 64 KiB, and what finds no room is lost (RFC 9260, section 7.2.4, allows bursts of four packets for this reason; the
//! crate `rtc-sctp` 0.21 has no such limit). The machine here lets small bursts through, and larger ones at twice the rate of the last
//! tenth of a second, so that the rate can still double in each round trip.

use std::time::Duration;

use sightline_core::{Timestamp, duration_of_seconds};

/// What may be sent at once: ten datagrams of data, or what is due between two ticks of the timer.
const BURST_BYTES: f64 = 12_000.0;
const TICK: Duration = Duration::from_millis(1);
/// A slower sender is not held up.
const LEAST_BYTES_PER_SECOND: f64 = 4_000_000.0;
/// The rate is allowed to become this much higher than it was.
const GROWTH: f64 = 2.0;
/// The time over which the rate is averaged.
const AVERAGED: Duration = Duration::from_millis(100);

/// The pacing of one socket.
#[derive(Debug, Default)]
pub(super) struct Pacer {
    /// What was sent and not yet worked off, at `at`.
    level_bytes: f64,
    average_bytes_per_second: f64,
    at: Timestamp,
}

impl Pacer {
    /// The time from which on the next datagram may be sent; `None` for now.
    pub(super) fn ready_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        let excess_bytes = self.level_bytes - (self.rate() * TICK.as_secs_f64()).max(BURST_BYTES);
        if excess_bytes <= 0.0 {
            return None;
        }
        Some(now + duration_of_seconds(excess_bytes / self.rate())?)
    }

    /// Notes that `bytes` were sent.
    pub(super) fn handle_sent(&mut self, bytes: usize, now: Timestamp) {
        self.advance(now);
        self.level_bytes += bytes as f64;
        self.average_bytes_per_second += bytes as f64 / AVERAGED.as_secs_f64();
    }

    fn rate(&self) -> f64 {
        (self.average_bytes_per_second * GROWTH).max(LEAST_BYTES_PER_SECOND)
    }

    fn advance(&mut self, now: Timestamp) {
        let passed = now.since(std::mem::replace(&mut self.at, now));
        self.level_bytes = (self.level_bytes - self.rate() * passed.as_secs_f64()).max(0.0);
        self.average_bytes_per_second *= (-passed.as_secs_f64() / AVERAGED.as_secs_f64()).exp();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATAGRAM: usize = 1200;

    /// Sends as much as is allowed for this long. Returns the bytes of each millisecond.
    fn greedy(pacer: &mut Pacer, from: Timestamp, milliseconds: u32) -> Vec<usize> {
        let slots = (0..milliseconds).map(|ms| from + Duration::from_millis(ms.into()));
        slots
            .map(|now| {
                let mut sent = 0;
                while pacer.ready_at(now).is_none() {
                    pacer.handle_sent(DATAGRAM, now);
                    sent += DATAGRAM;
                }
                sent
            })
            .collect()
    }

    #[test]
    fn a_large_burst_is_spread_and_a_small_one_is_not() {
        let (mut pacer, now) = (Pacer::default(), Timestamp::ZERO);
        for _ in 0..10 {
            assert_eq!(pacer.ready_at(now), None);
            pacer.handle_sent(DATAGRAM, now);
        }
        let sent = greedy(&mut pacer, now, 10);
        let most = sent.iter().skip(1).max().copied().unwrap_or_default();
        assert!(most <= BURST_BYTES as usize, "{sent:?}");
    }

    #[test]
    fn who_waits_as_told_may_send() {
        let (mut pacer, now) = (Pacer::default(), Timestamp::ZERO);
        pacer.handle_sent(200_000, now);
        let at = pacer.ready_at(now).expect("that was a large burst");
        assert!(at - now < Duration::from_millis(60), "{:?}", at - now);
        assert_eq!(pacer.ready_at(at + Duration::from_millis(1)), None);
    }

    #[test]
    fn the_rate_doubles_in_each_tenth_of_a_second_for_as_long_as_it_is_used() {
        let (mut pacer, now) = (Pacer::default(), Timestamp::ZERO);
        let sent = greedy(&mut pacer, now, 1000);
        let of_tenth = |tenth: usize| sent[tenth * 100..(tenth + 1) * 100].iter().sum::<usize>();
        assert!(of_tenth(9) > of_tenth(0) * 20, "{} {}", of_tenth(0), of_tenth(9));
    }

    #[test]
    fn a_picture_and_sound_are_not_held_up() {
        let (mut pacer, mut now) = (Pacer::default(), Timestamp::ZERO);
        // 4 Mbit/s at 25 frames a second, in key frames of eight datagrams at most.
        for _ in 0..500 {
            for _ in 0..8 {
                assert_eq!(pacer.ready_at(now), None);
                pacer.handle_sent(DATAGRAM, now);
            }
            now = now + Duration::from_millis(40);
        }
    }
}
