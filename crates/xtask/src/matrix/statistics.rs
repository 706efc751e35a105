//! Median, deviation, and a bootstrap interval.

/// Number of samples that are drawn for an interval.
const DRAWS: usize = 2000;
/// The same numbers have the same interval.
const SEED: u64 = 0x5167_6874_6c69_6e65;

/// What several runs say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    pub(super) median: f64,
    /// Standard deviation of the sample, 0 for one run.
    pub(super) deviation: f64,
    /// Bounds of the 95 % percentile bootstrap interval of the median.
    pub(super) interval: (f64, f64),
}

impl Summary {
    /// `None` without values.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let median = median(values.to_vec())?;
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        let mut random = SEED;
        let mut medians: Vec<f64> = (0..DRAWS)
            .filter_map(|_| {
                self::median((0..values.len()).map(|_| values[below(&mut random, values.len())]).collect())
            })
            .collect();
        medians.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| medians[((medians.len() - 1) as f64 * share).round() as usize];
        Some(Self { median, deviation, interval: (at(0.025), at(0.975)) })
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(f64::midpoint(values[(values.len() - 1) / 2], upper))
}

/// A random number below `limit` (splitmix64).
fn below(state: &mut u64, limit: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((mixed ^ (mixed >> 31)) % limit as u64) as usize
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_two() {
        assert_eq!(Summary::of(&[1.0, 4.0, 2.0, 9.0]).unwrap().median, 3.0);
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn one_value_has_no_deviation_and_an_interval_of_itself() {
        let one = Summary::of(&[7.0]).unwrap();
        assert_eq!((one.median, one.deviation, one.interval), (7.0, 0.0, (7.0, 7.0)));
    }

    #[test]
    fn the_same_values_have_the_same_interval_around_their_median() {
        let values: Vec<f64> = (0..30).map(|at| f64::from(at * at % 17)).collect();
        let summary = Summary::of(&values).unwrap();
        assert_eq!(Some(summary), Summary::of(&values));
        let (low, high) = summary.interval;
        assert!(low < summary.median && summary.median < high && low >= 0.0 && high <= 16.0, "{summary:?}");
        assert!(
            (Summary::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap().deviation - 2.138).abs() < 0.001
        );
    }

    #[test]
    fn the_interval_holds_the_true_median_about_as_often_as_it_says() {
        let mut random = 7;
        let held = (0..200)
            .filter(|_| {
                let values: Vec<f64> = (0..25).map(|_| below(&mut random, 1001) as f64).collect();
                let (low, high) = Summary::of(&values).unwrap().interval;
                low <= 500.0 && 500.0 <= high
            })
            .count();
        assert!((176..=200).contains(&held), "{held} of 200");
    }
}
