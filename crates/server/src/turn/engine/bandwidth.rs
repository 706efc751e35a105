//! The bandwidth of the whole relay, shared fairly: an allocation that sends more than its share loses packets first.

use crate::{time::UnixTime, token_bucket::Bucket};

/// A burst is this part of a second's worth.
const BURST_S: f64 = 0.5;
/// The smallest burst: a few of the longest packets pass whatever the limit is.
const MIN_BURST_BYTES: f64 = 65_536.0;
/// The part of a burst that is reserved for allocations within their share.
const RESERVED: f64 = 0.5;

/// The bandwidth of all allocations together.
#[derive(Debug)]
pub(super) struct TotalBandwidth {
    bytes_per_s: f64,
    burst_bytes: f64,
    bucket: Bucket<UnixTime>,
}

/// The bytes that one allocation sent lately beyond its share of the total.
#[derive(Debug)]
pub(super) struct Share {
    sent_bytes: f64,
    counted_at: UnixTime,
}

impl TotalBandwidth {
    pub(super) fn new(bytes_per_s: f64, now: UnixTime) -> Self {
        let burst_bytes = (bytes_per_s * BURST_S).max(MIN_BURST_BYTES);
        Self { bytes_per_s, burst_bytes, bucket: Bucket::full(burst_bytes, bytes_per_s, now) }
    }

    /// Whether this many bytes of one of `allocations` may leave now.
    pub(super) fn take(&mut self, share: &mut Share, allocations: usize, bytes: f64, now: UnixTime) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "there are not that many allocations")]
        let allocations = allocations.max(1) as f64;
        let reserve = if share.is_within(self.bytes_per_s / allocations, now) {
            0.0
        } else {
            self.burst_bytes * RESERVED
        };
        let may = self.bucket.take_above(reserve, bytes, now);
        if may {
            share.sent_bytes += bytes;
        }
        may
    }
}

impl Share {
    pub(super) fn new(now: UnixTime) -> Self {
        Self { sent_bytes: 0.0, counted_at: now }
    }

    /// Whether the allocation is within its share. The share's rate changes with the number of allocations.
    fn is_within(&mut self, bytes_per_s: f64, now: UnixTime) -> bool {
        let elapsed_s = now.saturating_since(self.counted_at).as_secs_f64();
        self.sent_bytes = (self.sent_bytes - elapsed_s * bytes_per_s).max(0.0);
        self.counted_at = now;
        self.sent_bytes <= (bytes_per_s * BURST_S).max(1_500.0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    #[test]
    fn all_allocations_together_send_no_more_than_the_total() {
        let mut total = TotalBandwidth::new(1e6, START);
        let mut shares = [0; 4].map(|_| Share::new(START));
        let mut passed = 0;
        for millisecond in 0..10_000 {
            let now = START + Duration::from_millis(millisecond);
            for share in &mut shares {
                passed += (0..10).filter(|_| total.take(share, 4, 1_000.0, now)).count();
            }
        }
        assert!((9_900..=10_600).contains(&passed), "{passed} kilobytes in ten seconds");
    }

    #[test]
    fn an_allocation_within_its_share_loses_nothing_to_greedy_ones() {
        let mut total = TotalBandwidth::new(1e6, START);
        let mut hogs = [0; 3].map(|_| Share::new(START));
        let mut modest = Share::new(START);
        for millisecond in 0..10_000 {
            let now = START + Duration::from_millis(millisecond);
            for hog in &mut hogs {
                for _ in 0..20 {
                    total.take(hog, 4, 1_000.0, now);
                }
            }
            // A fifth of a megabyte a second, where a quarter is its share.
            if millisecond % 5 == 0 {
                assert!(total.take(&mut modest, 4, 1_000.0, now), "after {millisecond} ms");
            }
        }
    }

    #[test]
    fn the_only_allocation_may_use_the_whole_bandwidth() {
        let mut total = TotalBandwidth::new(1e6, START);
        let mut share = Share::new(START);
        let passed = (0..10_000).filter(|millisecond| {
            total.take(&mut share, 1, 1_000.0, START + Duration::from_millis(*millisecond))
        });
        assert!(passed.count() > 9_900);
    }
}
