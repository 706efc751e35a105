//! The normal time between two frames, with which each gap is compared.

use std::{collections::VecDeque, time::Duration};

use crate::short_list;

/// Number of intervals before a gap that determine the normal one: as many as in the W3C's definition of a freeze.
const BEFORE: usize = 30;
/// Number of gaps after a gap that show whether the rate changed.
pub(super) const AFTER: usize = 8;
/// The normal interval while nothing is known, which is that of the most common rate.
const UNKNOWN: Duration = Duration::from_micros(33_333);
/// Longest normal interval: at less than two frames per second a picture stands still by any measure.
pub(super) const LONGEST: Duration = Duration::from_millis(500);

/// Shortest stall, in addition to the normal interval. At 30 frames per second two frames may be missing (67 ms, plus 17 ms for
/// a refresh of a 60 Hz display), and three may not.
const SHORTEST: Duration = Duration::from_millis(90);
/// A gap is judged after this time, even if fewer than [`AFTER`] gaps followed it.
pub(super) const JUDGED_AFTER: Duration = Duration::from_secs(2);

/// The normal interval around a gap: the greater of the typical intervals before and after it, and at most half a second. So a
/// decreasing rate (a camera in the dark, a variable frame rate) is no stall, and neither is the first frame at the lower rate.
#[derive(Debug, Clone, Default)]
pub(super) struct NormalInterval {
    before: VecDeque<Duration>,
}

impl NormalInterval {
    /// Takes an interval that was no stall.
    pub(super) fn handle_interval(&mut self, interval: Duration) {
        self.before.push_back(interval);
        if self.before.len() > BEFORE {
            self.before.pop_front();
        }
    }

    /// The normal interval, given the intervals that followed.
    pub(super) fn around(&self, after: impl Iterator<Item = Duration>) -> Duration {
        self.known_around(after).unwrap_or(UNKNOWN).min(LONGEST)
    }

    /// The same; `None` while nothing is known.
    pub(super) fn known_around(&self, after: impl Iterator<Item = Duration>) -> Option<Duration> {
        let before = typical(self.before.iter().copied());
        before.max(typical(after.take(AFTER)))
    }
}

/// The mean of the intervals that are at most twice the lower quartile. The quartile alone is wrong if a display's refresh
/// makes 25 frames per second alternate between 33 and 50 ms; the mean alone is wrong if one interval is half a second. While
/// more than one frame in four comes at the old rate, the rate has not decreased: the long intervals are several stalls in a
/// row.
pub(super) fn typical(values: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut values: Vec<_> = values.collect();
    short_list::sort(&mut values);
    let quartile = *values.get(values.len() / 4)?;
    let kept = values.partition_point(|value| *value <= quartile * 2);
    let count = u32::try_from(kept).ok()?;
    Some(values[..kept].iter().sum::<Duration>() / count)
}

/// At low rates, one frame that is shown for almost two intervals is no stall.
pub(super) fn shortest(normal: Duration) -> Duration {
    SHORTEST.max(normal * 3 / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(values: &[u64]) -> impl Iterator<Item = Duration> {
        values.iter().map(|value| Duration::from_millis(*value))
    }

    #[test]
    fn an_interval_far_longer_than_the_others_is_not_typical() {
        assert_eq!(typical(ms(&[])), None);
        assert_eq!(typical(ms(&[7])), Some(Duration::from_millis(7)));
        assert_eq!(typical(ms(&[33, 50, 33, 50, 33, 50])), Some(Duration::from_micros(41_500)));
        assert_eq!(typical(ms(&[900, 30, 40, 50, 700])), Some(Duration::from_millis(40)));
        assert_eq!(typical(ms(&[300, 270, 300, 67, 300, 330, 67, 67])), Some(Duration::from_millis(67)));
    }

    #[test]
    fn the_slower_side_of_a_gap_determines_the_normal_interval() {
        let mut normal = NormalInterval::default();
        assert_eq!(normal.around(ms(&[])), UNKNOWN);
        ms(&[33; 10]).for_each(|interval| normal.handle_interval(interval));
        assert_eq!(normal.around(ms(&[143; 8])), Duration::from_millis(143));
        assert_eq!(normal.around(ms(&[16; 8])), Duration::from_millis(33));
        assert_eq!(normal.around(ms(&[])), Duration::from_millis(33));
        assert_eq!(normal.around(ms(&[2000; 8])), LONGEST);
    }

    #[test]
    fn old_samples_do_not_count() {
        let mut normal = NormalInterval::default();
        ms(&[143; 100]).chain(ms(&[33; 30])).for_each(|interval| normal.handle_interval(interval));
        assert_eq!(normal.around(ms(&[])), Duration::from_millis(33));
    }
}
