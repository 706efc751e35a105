//! A token bucket: so much at once, then so much a second.

use std::time::Duration;

use tokio::time::Instant;

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    capacity: f64,
    per_s: f64,
    level: f64,
    filled_at: Instant,
}

impl Bucket {
    pub(crate) fn full(capacity: f64, per_s: f64, now: Instant) -> Self {
        Self { capacity, per_s, level: capacity, filled_at: now }
    }

    pub(crate) fn take(&mut self, amount: f64, now: Instant) -> bool {
        self.take_above(0.0, amount, now)
    }

    /// Takes `amount` only where `reserve` is left afterwards.
    pub(crate) fn take_above(&mut self, reserve: f64, amount: f64, now: Instant) -> bool {
        self.level = self.level_at(now);
        self.filled_at = now;
        let enough = self.level >= amount + reserve;
        if enough {
            self.level -= amount;
        }
        enough
    }

    /// Time until `amount` can be taken.
    pub(crate) fn wait_for(&self, amount: f64, now: Instant) -> Duration {
        let missing = (amount - self.level_at(now)).max(0.0);
        Duration::try_from_secs_f64(missing / self.per_s).unwrap_or(Duration::MAX)
    }

    /// Whether it is as if it had never been used.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.level_at(now) >= self.capacity
    }

    fn level_at(&self, now: Instant) -> f64 {
        let elapsed_s = now.saturating_duration_since(self.filled_at).as_secs_f64();
        (self.level + elapsed_s * self.per_s).min(self.capacity)
    }
}
