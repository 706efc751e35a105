//! Time as the state machines see it: given by the caller, comparable across a restart of the server.

use std::{
    ops::Add,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// A point in time, kept as the duration since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(Duration);

impl UnixTime {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_ms(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn as_s(self) -> u64 {
        self.0.as_secs()
    }

    /// How long ago `earlier` was; zero where it is later.
    #[must_use]
    pub fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for UnixTime {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

/// A point in time on any clock, for arithmetic that does not care which.
pub(crate) trait Moment: Copy {
    /// The time since `earlier`; zero where that is later.
    fn since(self, earlier: Self) -> Duration;
}

impl Moment for UnixTime {
    fn since(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

impl Moment for Instant {
    fn since(self, earlier: Self) -> Duration {
        self.saturating_duration_since(earlier)
    }
}

/// Reads the system's clock once and counts on from there, so that time never jumps while the server runs.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started_at: UnixTime,
    started: Instant,
}

impl Clock {
    /// A clock that starts at the system's time.
    #[must_use]
    pub fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place of the server that reads the clock")]
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started_at: UnixTime(since_1970), started: Instant::now() }
    }

    /// The system's time at the start, plus the time that passed since.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        self.started_at + self.started.elapsed()
    }

    /// The same point in time for tokio's timers.
    #[must_use]
    pub fn instant_of(&self, time: UnixTime) -> Instant {
        self.started + time.saturating_since(self.started_at)
    }
}
