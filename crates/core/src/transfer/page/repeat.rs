//! When to repeat a message that was not answered.

use std::time::Duration;

use crate::Timestamp;

const FIRST: Duration = Duration::from_secs(8);
const LONGEST: Duration = Duration::from_secs(64);

/// A deadline whose interval grows each time it passes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeat {
    interval: Duration,
    at: Timestamp,
}

impl Repeat {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { interval: FIRST, at: now + FIRST }
    }

    /// Notes that the other side responded.
    pub(super) fn reset(&mut self, now: Timestamp) {
        *self = Self::new(now);
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.at
    }

    /// Whether the deadline has passed. If so, sets the next one, after a longer interval.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.at <= now;
        if is_due {
            self.interval = (self.interval * 2).min(LONGEST);
            self.at = now + self.interval;
        }
        is_due
    }
}
