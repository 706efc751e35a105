//! The clocks of this computer, as the core takes the time.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sightline_core::Timestamp;

/// A monotonic clock whose origin is the start of the session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    #[allow(clippy::disallowed_methods, reason = "native only")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> Timestamp {
        Timestamp::from_origin(self.0.elapsed())
    }

    /// The point in time as tokio's timers take it.
    pub(crate) fn instant(self, at: Timestamp) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.0 + at.since_origin())
    }
}

/// Waits until a point in time; forever without one.
pub(crate) async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Milliseconds since 1970.
#[allow(clippy::disallowed_methods, reason = "native only")]
pub(crate) fn unix_ms() -> u64 {
    milliseconds_since_1970(SystemTime::now())
}

/// The time as milliseconds since 1970; 0 for an earlier time.
pub(crate) fn milliseconds_since_1970(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
