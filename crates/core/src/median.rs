//! The median.

use std::time::Duration;

use crate::short_list;

/// Of an even count the mean of the two in the middle; `None` of none.
pub(crate) fn median(values: impl Iterator<Item = Duration>) -> Option<Duration> {
    let mut values: Vec<_> = values.collect();
    short_list::sort(&mut values);
    let upper = *values.get(values.len() / 2)?;
    Some((values[(values.len() - 1) / 2] + upper) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_count_is_the_mean_of_the_middle_two() {
        let of = |values: &[u64]| median(values.iter().map(|ms| Duration::from_millis(*ms)));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some(Duration::from_millis(7)));
        assert_eq!(of(&[10, 4]), Some(Duration::from_millis(7)));
        assert_eq!(of(&[9, 1, 5]), Some(Duration::from_millis(5)));
        assert_eq!(of(&[40, 10, 20, 31]), Some(Duration::from_micros(25_500)));
    }
}
