//! How long a frame is normally shown: the measure by which a gap is too long.

use std::{collections::VecDeque, time::Duration};

/// Intervals before a gap that say what is normal: as many as the W3C's freeze looks at.
const BEFORE: usize = 30;
/// Gaps after it that say whether the rate is another now.
pub(super) const AFTER: usize = 8;
/// Where nothing is known yet, the most common rate.
const UNKNOWN: Duration = Duration::from_micros(33_333);
/// At less than two frames a second the picture stands still by anyone's measure.
const LONGEST: Duration = Duration::from_millis(500);

/// The normal interval around a gap: the greater of what is typical before and after it, at most half a second. A rate that
/// falls (a camera in the dark, a variable frame rate) is no stall then, and neither is the first frame of a slower rate.
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

    /// What is normal, given the intervals that followed.
    pub(super) fn around(&self, after: impl Iterator<Item = Duration>) -> Duration {
        self.known_around(after).unwrap_or(UNKNOWN).min(LONGEST)
    }

    /// The same; `None` where nothing is known.
    pub(super) fn known_around(&self, after: impl Iterator<Item = Duration>) -> Option<Duration> {
        let before = typical(self.before.iter().copied());
        before.max(typical(after.take(AFTER)))
    }
}

/// The mean of those that are not longer than twice the lower quartile. The quartile alone is wrong where a display's refresh
/// makes 25 frames a second alternate between 33 and 50 ms; the mean alone where half a second stands among them; and a rate
/// has not fallen while more than one frame in four still comes at the old one: those are several stalls in a row.
pub(super) fn typical(values: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    let quartile = *values.get(values.len() / 4)?;
    let kept = values.partition_point(|value| *value <= quartile * 2);
    let count = u32::try_from(kept).ok()?;
    Some(values[..kept].iter().sum::<Duration>() / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(values: &[u64]) -> impl Iterator<Item = Duration> {
        values.iter().map(|value| Duration::from_millis(*value))
    }

    #[test]
    fn what_is_far_longer_than_the_rest_is_not_typical() {
        assert_eq!(typical(ms(&[])), None);
        assert_eq!(typical(ms(&[7])), Some(Duration::from_millis(7)));
        assert_eq!(typical(ms(&[33, 50, 33, 50, 33, 50])), Some(Duration::from_micros(41_500)));
        assert_eq!(typical(ms(&[900, 30, 40, 50, 700])), Some(Duration::from_millis(40)));
        assert_eq!(typical(ms(&[300, 270, 300, 67, 300, 330, 67, 67])), Some(Duration::from_millis(67)));
    }

    #[test]
    fn the_slower_side_of_a_gap_says_what_is_normal() {
        let mut normal = NormalInterval::default();
        assert_eq!(normal.around(ms(&[])), UNKNOWN);
        ms(&[33; 10]).for_each(|interval| normal.handle_interval(interval));
        assert_eq!(normal.around(ms(&[143; 8])), Duration::from_millis(143));
        assert_eq!(normal.around(ms(&[16; 8])), Duration::from_millis(33));
        assert_eq!(normal.around(ms(&[])), Duration::from_millis(33));
        assert_eq!(normal.around(ms(&[2000; 8])), LONGEST);
    }

    #[test]
    fn what_lies_far_back_does_not_count() {
        let mut normal = NormalInterval::default();
        ms(&[143; 100]).chain(ms(&[33; 30])).for_each(|interval| normal.handle_interval(interval));
        assert_eq!(normal.around(ms(&[])), Duration::from_millis(33));
    }
}
