//! When to try again.

use std::time::Duration;

use crate::random::SeededRandom;

/// The first tries come quickly, because most interruptions are short; the later ones evenly, because whoever waits
/// for a network to return should not wait long for us.
const SCHEDULE: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(300), Duration::from_millis(1_200), Duration::from_millis(2_700)];
const AFTERWARDS: Duration = Duration::from_secs(3);
/// A fifth either way, so that a server that comes back is not met by everyone at once.
const JITTER: f64 = 0.2;

/// Counts the tries since things last went well.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    tries: usize,
    random: SeededRandom,
}

impl Backoff {
    pub(super) fn new(random: SeededRandom) -> Self {
        Self { tries: 0, random }
    }

    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    /// How long to wait before the next try.
    pub(super) fn next_delay(&mut self) -> Duration {
        let base = SCHEDULE.get(self.tries).copied().unwrap_or(AFTERWARDS);
        self.tries += 1;
        base.mul_f64(1.0 + JITTER * (2.0 * self.random.next_unit() - 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_try_is_at_once_and_later_ones_about_three_seconds_apart() {
        let mut backoff = Backoff::new(SeededRandom::new(1));
        assert_eq!(backoff.next_delay(), Duration::ZERO);
        for _ in 0..3 {
            backoff.next_delay();
        }
        for _ in 0..100 {
            let delay = backoff.next_delay();
            assert!(
                (Duration::from_millis(2_400)..=Duration::from_millis(3_600)).contains(&delay),
                "{delay:?}"
            );
        }
        backoff.reset();
        assert_eq!(backoff.next_delay(), Duration::ZERO);
    }
}
