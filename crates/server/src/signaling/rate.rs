//! The rate of one socket, in frames and in bytes.

use tokio::time::Instant;

use super::limits::RateLimits;
use crate::token_bucket::Bucket;

/// Two token buckets, one for frames and one for bytes.
#[derive(Debug)]
pub(super) struct RateLimiter {
    frames: Bucket<Instant>,
    bytes: Bucket<Instant>,
}

impl RateLimiter {
    pub(super) fn new(limits: RateLimits, now: Instant) -> Self {
        Self {
            frames: Bucket::full(limits.burst_frames.into(), limits.frames_per_s.into(), now),
            bytes: Bucket::full(limits.burst_bytes.into(), limits.bytes_per_s.into(), now),
        }
    }

    /// Counts a frame of this length; `false` where the socket has sent too much.
    pub(super) fn take(&mut self, frame_bytes: usize, now: Instant) -> bool {
        let bytes = u32::try_from(frame_bytes).unwrap_or(u32::MAX);
        self.frames.take(1.0, now) && self.bytes.take(bytes.into(), now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: RateLimits =
        RateLimits { burst_frames: 3, frames_per_s: 2, burst_bytes: 1_000, bytes_per_s: 100 };

    #[test]
    fn after_the_burst_frames_pass_at_the_rate() {
        let start = Instant::now();
        let mut limiter = RateLimiter::new(LIMITS, start);
        assert_eq!([0; 4].map(|_| limiter.take(1, start)), [true, true, true, false]);
        let later = start + Duration::from_secs(1);
        assert_eq!([0; 3].map(|_| limiter.take(1, later)), [true, true, false]);
    }

    #[test]
    fn few_frames_with_many_bytes_exceed_the_limit_too() {
        let start = Instant::now();
        let mut limiter = RateLimiter::new(LIMITS, start);
        assert!(limiter.take(1_000, start));
        assert!(!limiter.take(1, start));
        assert!(limiter.take(100, start + Duration::from_secs(1)));
    }

    #[test]
    fn a_long_rest_saves_up_no_more_than_the_burst() {
        let start = Instant::now();
        let mut limiter = RateLimiter::new(LIMITS, start);
        let later = start + Duration::from_secs(3_600);
        assert_eq!([0; 4].map(|_| limiter.take(1, later)), [true, true, true, false]);
    }

    #[test]
    fn a_newcomer_to_a_full_room_of_the_default_size_is_within_the_default_burst() {
        let start = Instant::now();
        let mut limiter = RateLimiter::new(RateLimits::default(), start);
        for _ in 0..7 {
            assert!(limiter.take(20 * 1024, start));
            for _ in 0..60 {
                assert!(limiter.take(300, start));
            }
        }
    }
}
