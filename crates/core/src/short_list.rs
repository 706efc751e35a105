//! Sorting of short lists.
//!
//! The sorting of the standard library is fast for millions of values and makes 4 KB of code for each type and order: fifteen of them
//! were 3 % of the room's module. The lists here have at most a few hundred values.

use std::cmp::Ordering;

/// Sorts a short list in ascending order. Equal values keep their order.
pub(crate) fn sort<T: Ord>(values: &mut [T]) {
    sort_by(values, T::cmp);
}

/// Sorts a short list of numbers, as [`f64::total_cmp`] orders them.
pub(crate) fn sort_numbers(values: &mut [f64]) {
    sort_by(values, f64::total_cmp);
}

/// Sorts a short list by `order`. Values that it calls equal keep their order.
pub(crate) fn sort_by<T>(values: &mut [T], order: impl Fn(&T, &T) -> Ordering) {
    for sorted in 1..values.len() {
        let mut at = sorted;
        while at > 0 && order(&values[at - 1], &values[at]) == Ordering::Greater {
            values.swap(at - 1, at);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_is_sorted_as_by_the_standard_library(values: Vec<(u8, u8)>) {
            let (mut ours, mut theirs) = (values.clone(), values);
            sort_by(&mut ours, |one, other| one.0.cmp(&other.0));
            theirs.sort_by_key(|value| value.0);
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn numbers_have_a_total_order(mut values: Vec<f64>) {
            sort_numbers(&mut values);
            prop_assert!(values.is_sorted_by(|one, other| one.total_cmp(other).is_le()));
        }
    }
}
