//! A token bucket that runs on the caller's clock.

use super::Limit;
use crate::Timestamp;

/// An empty bucket gives nothing until this share of it is full again: without the pause a flood would get through at the
/// sustained rate.
const RESUME_SHARE: f64 = 0.25;

/// The remaining amount of one [`Limit`]; a new bucket is full.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bucket {
    used: f64,
    at: Timestamp,
    is_exhausted: bool,
}

impl Bucket {
    /// Takes `amount` if the bucket holds that much. All calls must pass the same `limit`.
    pub fn take(&mut self, limit: Limit, amount: u64, now: Timestamp) -> bool {
        let burst = f64::from(limit.burst);
        self.used = (self.used - limit.per_second * now.since(self.at).as_secs_f64()).max(0.0);
        self.at = self.at.max(now);
        if self.is_exhausted && burst - self.used < burst * RESUME_SHARE {
            return false;
        }
        self.is_exhausted = self.used + amount as f64 > burst;
        if !self.is_exhausted {
            self.used += amount as f64;
        }
        !self.is_exhausted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMIT: Limit = Limit { burst: 8, per_second: 2.0 };

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(milliseconds))
    }

    #[test]
    fn a_burst_and_then_the_sustained_rate_pass() {
        let mut bucket = Bucket::default();
        assert!((0..8).all(|_| bucket.take(LIMIT, 1, at(0))));
        assert!((1..100).all(|second| bucket.take(LIMIT, 2, at(1_000 * second))));
    }

    #[test]
    fn an_empty_bucket_admits_nothing_until_it_is_a_quarter_full() {
        let mut bucket = Bucket::default();
        assert!(bucket.take(LIMIT, 8, at(0)));
        assert!(!bucket.take(LIMIT, 1, at(0)));
        assert!(!bucket.take(LIMIT, 1, at(900)), "1.8 of 8");
        assert!(bucket.take(LIMIT, 1, at(1_000)), "2 of 8");
    }

    #[test]
    fn more_than_the_burst_at_once_never_passes_and_time_does_not_run_backwards() {
        let mut bucket = Bucket::default();
        assert!(!bucket.take(LIMIT, u64::MAX, at(5_000)));
        assert!(bucket.take(LIMIT, 8, at(1_000)));
        assert!(!bucket.take(LIMIT, 1, at(0)));
        assert!(!bucket.take(LIMIT, 1, at(5_000)), "no time passed since the latest call");
    }
}
