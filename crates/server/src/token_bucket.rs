//! A token bucket: a burst at once, then a rate.

use std::time::Duration;

use crate::time::Moment;

/// Holds up to `capacity` tokens and gains `per_s` tokens a second.
#[derive(Debug)]
pub(crate) struct Bucket<T> {
    capacity: f64,
    per_s: f64,
    level: f64,
    filled_at: T,
}

impl<T: Moment> Bucket<T> {
    pub(crate) fn full(capacity: f64, per_s: f64, now: T) -> Self {
        Self { capacity, per_s, level: capacity, filled_at: now }
    }

    /// Takes `amount`; `false` if the bucket has less.
    pub(crate) fn take(&mut self, amount: f64, now: T) -> bool {
        self.take_above(0.0, amount, now)
    }

    /// Takes `amount` if `reserve` is left afterwards.
    pub(crate) fn take_above(&mut self, reserve: f64, amount: f64, now: T) -> bool {
        self.level = self.level_at(now);
        self.filled_at = now;
        let enough = self.level >= amount + reserve;
        if enough {
            self.level -= amount;
        }
        enough
    }

    /// Time until `amount` can be taken.
    pub(crate) fn wait_for(&self, amount: f64, now: T) -> Duration {
        let missing = (amount - self.level_at(now)).max(0.0);
        Duration::try_from_secs_f64(missing / self.per_s).unwrap_or(Duration::MAX)
    }

    /// Whether the bucket is full, as a new one is.
    pub(crate) fn is_full(&self, now: T) -> bool {
        self.level_at(now) >= self.capacity
    }

    fn level_at(&self, now: T) -> f64 {
        let elapsed_s = now.since(self.filled_at).as_secs_f64();
        (self.level + elapsed_s * self.per_s).min(self.capacity)
    }
}
