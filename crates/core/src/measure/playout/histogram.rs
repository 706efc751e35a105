//! A histogram of how long frames were shown.

use std::time::Duration;

/// Upper bounds of the buckets in milliseconds, exclusive. The last bucket has no bound.
pub const GAP_BUCKETS_MS: [u32; 11] = [10, 20, 30, 40, 50, 75, 100, 150, 200, 500, 1000];

/// Counts of inter-frame gaps, without those that a pause, a seek, an end or a hidden page lengthened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GapHistogram {
    /// One count for each of [`GAP_BUCKETS_MS`], and one for longer gaps.
    pub counts: [u32; GAP_BUCKETS_MS.len() + 1],
}

impl GapHistogram {
    /// Counts `frames` gaps of this length.
    pub(super) fn handle_gap(&mut self, gap: Duration, frames: u32) {
        let bucket = GAP_BUCKETS_MS.partition_point(|bound| Duration::from_millis(u64::from(*bound)) <= gap);
        self.counts[bucket] = self.counts[bucket].saturating_add(frames);
    }

    /// Number of all gaps.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_above_it() {
        let mut histogram = GapHistogram::default();
        for ms in [0, 9, 10, 999, 1000, 90_000] {
            histogram.handle_gap(Duration::from_millis(ms), 1);
        }
        assert_eq!(histogram.counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(histogram.total(), 6);
    }
}
