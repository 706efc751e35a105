//! Time as the caller gives it.

use std::{
    ops::{Add, Sub},
    time::Duration,
};

use sightline_protocol::telemetry::PageTime;

/// A point on a monotonic clock whose origin is the caller's (in a browser: `performance.timeOrigin`).
///
/// `std::time::Instant` cannot be made on wasm32-unknown-unknown, nor in a test at a chosen point.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(Duration);

impl Timestamp {
    /// The origin of the clock.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// The point in time `since_origin` after the origin.
    #[must_use]
    pub const fn from_origin(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// The time from the origin to this point.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// The time as it is sent to another page.
    #[must_use]
    pub fn page_time(self) -> PageTime {
        PageTime::saturating(u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX))
    }

    /// The time from `earlier` to this point; zero if this point is earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(duration))
    }
}

impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// Longest duration that is accepted from a number: thirty years.
const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// A duration from a number of seconds; `None` for a negative, infinite or undefined number, and for more than thirty years. The
/// conversions of the standard library panic for those.
#[must_use]
pub fn duration_of_seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|length| *length <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_a_duration_is_refused() {
        for seconds in [-1e300, -0.001, 2e19, 1e300, f64::MAX, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(duration_of_seconds(seconds), None, "{seconds}");
        }
        assert_eq!(duration_of_seconds(1.5), Some(Duration::from_millis(1500)));
        assert_eq!(duration_of_seconds(0.0), Some(Duration::ZERO));
    }

    #[test]
    fn timestamp_arithmetic_saturates() {
        let last = Timestamp::from_origin(Duration::MAX);
        assert_eq!(last + Duration::MAX, last);
        assert_eq!(Timestamp::ZERO - last, Duration::ZERO);
        assert_eq!(Timestamp::ZERO - Duration::MAX, Timestamp::ZERO);
    }
}
