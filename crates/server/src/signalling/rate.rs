//! How much one socket may send.

use tokio::time::Instant;

use super::limits::RateLimits;

/// Two token buckets, one for frames and one for bytes.
#[derive(Debug)]
pub(super) struct RateLimiter {
    frames: Bucket,
    bytes: Bucket,
}

impl RateLimiter {
    pub(super) fn new(limits: RateLimits, now: Instant) -> Self {
        Self {
            frames: Bucket::full(limits.burst_frames, limits.frames_per_s, now),
            bytes: Bucket::full(limits.burst_bytes, limits.bytes_per_s, now),
        }
    }

    /// Takes a frame of so many bytes; `false` where it is one too many.
    pub(super) fn take(&mut self, frame_bytes: usize, now: Instant) -> bool {
        let bytes = u32::try_from(frame_bytes).unwrap_or(u32::MAX);
        self.frames.take(1, now) && self.bytes.take(bytes, now)
    }
}

#[derive(Debug)]
struct Bucket {
    capacity: f64,
    per_s: f64,
    level: f64,
    filled_at: Instant,
}

impl Bucket {
    fn full(capacity: u32, per_s: u32, now: Instant) -> Self {
        Self { capacity: capacity.into(), per_s: per_s.into(), level: capacity.into(), filled_at: now }
    }

    fn take(&mut self, amount: u32, now: Instant) -> bool {
        let elapsed_s = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.level = (self.level + elapsed_s * self.per_s).min(self.capacity);
        self.filled_at = now;
        let enough = self.level >= f64::from(amount);
        if enough {
            self.level -= f64::from(amount);
        }
        enough
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
    fn few_frames_with_many_bytes_are_too_much_as_well() {
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
