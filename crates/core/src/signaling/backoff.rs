//! When to reconnect.

use std::time::Duration;

use crate::{Timestamp, random::SeededRandom};

/// When the first attempts begin, counted from the loss. The first ones follow quickly, because most interruptions are short;
/// later ones come at even intervals, because nobody should wait long after the network has returned.
const SCHEDULE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(1_200), Duration::from_millis(2_700)];
/// Time from the beginning of one later attempt to the beginning of the next.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// A fifth in either direction, so that clients do not all meet a restarted server at once.
const JITTER: f64 = 0.2;

/// Counts the attempts since the last success.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    tries: usize,
    /// When the connection was lost, and when the latest attempt was to begin.
    lost_at: Option<Timestamp>,
    latest: Timestamp,
    random: SeededRandom,
}

impl Backoff {
    pub(super) fn new(random: SeededRandom) -> Self {
        Self { tries: 0, lost_at: None, latest: Timestamp::ZERO, random }
    }

    pub(super) fn reset(&mut self) {
        (self.tries, self.lost_at) = (0, None);
    }

    /// Time to wait before the next attempt, which counts from then on. If an attempt takes longer than the interval, the next
    /// one follows at once.
    pub(super) fn next_delay(&mut self, now: Timestamp) -> Duration {
        let lost_at = *self.lost_at.get_or_insert(now);
        let mut jittered =
            |pause: Duration| pause.mul_f64(1.0 + JITTER * (2.0 * self.random.next_unit() - 1.0));
        let due = match SCHEDULE.get(self.tries) {
            Some(offset) => lost_at + jittered(*offset),
            None => self.latest + jittered(AFTERWARDS),
        };
        self.tries += 1;
        self.latest = due.max(now);
        due.since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(value: Duration, least_ms: u64, most_ms: u64) {
        let range = Duration::from_millis(least_ms)..=Duration::from_millis(most_ms);
        assert!(range.contains(&value), "{value:?}");
    }

    #[test]
    fn attempts_that_fail_at_once_begin_at_0_0_3_1_2_and_2_7_seconds_then_every_3_s() {
        let mut backoff = Backoff::new(SeededRandom::new(1));
        let mut now = Timestamp::ZERO;
        assert_eq!(backoff.next_delay(now), Duration::ZERO);
        for (least, most) in [(240, 360), (960, 1_440), (2_160, 3_240)] {
            now = now + backoff.next_delay(now);
            between(now.since_origin(), least, most);
        }
        for _ in 0..100 {
            let delay = backoff.next_delay(now);
            between(delay, 2_400, 3_600);
            now = now + delay;
        }
        backoff.reset();
        assert_eq!(backoff.next_delay(now), Duration::ZERO);
    }

    #[test]
    fn the_duration_of_an_attempt_counts_toward_the_pause_after_it() {
        let mut backoff = Backoff::new(SeededRandom::new(1));
        let mut now = Timestamp::ZERO;
        for _ in 0..20 {
            now = now + backoff.next_delay(now) + Duration::from_secs(2);
        }
        between(backoff.next_delay(now), 400, 1_600);
    }
}
