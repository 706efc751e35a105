//! The axes of charts: a time axis that all charts share, and a value axis with round numbers for each chart.

use std::time::Duration;

use super::HISTORY_SPAN;
use crate::{Timestamp, duration_of_seconds};

/// Possible spans of the time axis, shortest first.
const SPANS: [Duration; 3] = [Duration::from_secs(60), Duration::from_secs(120), HISTORY_SPAN];

/// Smallest upper end of a value axis, so that the steps are distinct numbers.
const SMALLEST_TOP: f64 = 1e-9;
const GREATEST_TOP: f64 = 1e18;

/// The time span that charts show, up to the latest report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeAxis {
    /// The time at the right end.
    pub to: Timestamp,
    /// The time from the left end to the right end.
    pub span: Duration,
}

impl TimeAxis {
    /// The shortest axis that shows everything from `first` to `last`, or else the longest axis.
    #[must_use]
    pub fn fitting(first: Timestamp, last: Timestamp) -> Self {
        let length = last - first;
        let span = SPANS.into_iter().find(|span| *span >= length).unwrap_or(HISTORY_SPAN);
        Self { to: last, span }
    }

    /// The position of a time, from 0 at the left to 1 at the right; `None` outside of the axis.
    #[must_use]
    pub fn position(self, at: Timestamp) -> Option<f64> {
        let ago = self.to - at;
        let is_on = at <= self.to && ago <= self.span && !self.span.is_zero();
        is_on.then(|| 1.0 - ago.as_secs_f64() / self.span.as_secs_f64())
    }

    /// The time at a position between 0 and 1.
    #[must_use]
    pub fn time_at(self, position: f64) -> Timestamp {
        // Positions that are not a number count as the right end.
        let position = if position.is_nan() { 1.0 } else { position.clamp(0.0, 1.0) };
        let ago = duration_of_seconds(self.span.as_secs_f64() * (1.0 - position)).unwrap_or_default();
        Timestamp::from_origin(self.to.since_origin().saturating_sub(ago))
    }

    /// The age of each tick, from left to right; the last is zero.
    #[must_use]
    pub fn ticks(self) -> Vec<Duration> {
        let parts = if self.span == HISTORY_SPAN { 5 } else { 4 };
        (0..=parts).rev().map(|part| self.span * part / parts).collect()
    }
}

/// A value axis that begins at 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueAxis {
    /// The value at the upper end.
    pub top: f64,
    /// The difference between two ticks.
    pub step: f64,
}

impl ValueAxis {
    /// An axis with two to four steps of 1, 2 or 5 times a power of ten, whose upper end is at least `largest` and
    /// `smallest_top`.
    #[must_use]
    pub fn reaching(largest: f64, smallest_top: f64) -> Self {
        let smallest_top =
            if smallest_top.is_nan() { SMALLEST_TOP } else { smallest_top.clamp(SMALLEST_TOP, GREATEST_TOP) };
        let largest =
            if largest.is_finite() { largest.clamp(smallest_top, GREATEST_TOP) } else { smallest_top };
        // Three steps if possible: starts with the power of ten below a third of the range, and takes the first sufficient
        // round number.
        let power = 10_f64.powf((largest / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|digit| digit * power)
            .find(|step| step * 4.0 >= largest * (1.0 - 1e-9))
            .unwrap_or(10.0 * power);
        Self { top: step * (largest / step * (1.0 - 1e-9)).ceil().max(2.0), step }
    }

    /// The position of a value, from 0 at the bottom to 1 at the top.
    #[must_use]
    pub fn position(self, value: f64) -> f64 {
        if self.top > 0.0 && !value.is_nan() { (value / self.top).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// The ticks from 0 to the top.
    #[must_use]
    pub fn ticks(self) -> Vec<f64> {
        let mut ticks = Vec::new();
        let mut count = 0.0;
        while count * self.step <= self.top * (1.0 + 1e-9) && ticks.len() < 6 {
            ticks.push(count * self.step);
            count += 1.0;
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn an_axis_has_few_and_round_marks() {
        for (largest, top, step) in [
            (0.0, 10.0, 5.0),
            (30.0, 30.0, 10.0),
            (31.0, 40.0, 10.0),
            (1_240_000.0, 1_500_000.0, 500_000.0),
            (2_000_000.0, 2_000_000.0, 500_000.0),
            (61.0, 80.0, 20.0),
            (99.0, 100.0, 50.0),
        ] {
            assert_eq!(ValueAxis::reaching(largest, 10.0), ValueAxis { top, step }, "{largest}");
        }
    }

    #[test]
    fn every_axis_reaches_its_largest_value_with_two_to_four_steps() {
        for exponent in -6..9 {
            for digits in 10..100 {
                let largest = f64::from(digits) * 10_f64.powi(exponent);
                let axis = ValueAxis::reaching(largest, 0.0);
                let steps = axis.ticks().len() - 1;
                assert!(axis.top >= largest * 0.999_999, "{largest}: {axis:?}");
                assert!((2..=4).contains(&steps), "{largest}: {axis:?}");
                assert!((axis.position(axis.ticks()[steps]) - 1.0).abs() < 1e-6, "{axis:?}");
            }
        }
    }

    #[test]
    fn infinite_and_nan_values_do_not_stretch_an_axis() {
        assert_eq!(ValueAxis::reaching(f64::INFINITY, 10.0), ValueAxis::reaching(10.0, 10.0));
        assert_eq!(ValueAxis::reaching(f64::NAN, 10.0), ValueAxis::reaching(10.0, 10.0));
    }

    #[test]
    fn an_axis_is_bounded_for_any_value() {
        let extremes = [
            -1e300,
            -0.0,
            0.0,
            5e-324,
            1e-300,
            1e18,
            1e19,
            1e300,
            f64::MAX,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for largest in extremes {
            for smallest in extremes {
                let axis = ValueAxis::reaching(largest, smallest);
                assert!(
                    axis.top.is_finite() && axis.top > 0.0 && axis.step > 0.0,
                    "{largest} {smallest}: {axis:?}"
                );
                assert!((2..=6).contains(&axis.ticks().len()), "{largest} {smallest}: {axis:?}");
                for value in extremes {
                    assert!((0.0..=1.0).contains(&axis.position(value)), "{axis:?} {value}");
                }
            }
        }
    }

    #[test]
    fn any_position_has_a_time_on_the_axis() {
        let axis = TimeAxis { to: second(30), span: Duration::from_secs(60) };
        for position in [-1e300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            assert!(axis.time_at(position) <= second(30), "{position}");
        }
        let empty = TimeAxis { to: second(30), span: Duration::ZERO };
        assert!(empty.position(second(30)).is_none_or(|position| (0.0..=1.0).contains(&position)));
    }

    #[test]
    fn the_time_axis_grows_with_the_length_of_the_history() {
        assert_eq!(TimeAxis::fitting(second(10), second(20)).span, Duration::from_secs(60));
        assert_eq!(TimeAxis::fitting(second(10), second(71)).span, Duration::from_secs(120));
        assert_eq!(TimeAxis::fitting(second(10), second(900)).span, HISTORY_SPAN);
    }

    #[test]
    fn a_position_on_the_axis_converts_to_its_time_and_back() {
        let axis = TimeAxis::fitting(second(100), second(130));
        assert_eq!(axis.position(second(130)), Some(1.0));
        assert_eq!(axis.position(second(100)), Some(0.5));
        assert_eq!(axis.position(second(69)), None);
        assert_eq!(axis.position(second(131)), None);
        assert_eq!(axis.time_at(0.5), second(100));
        assert_eq!(axis.time_at(7.0), second(130));
        assert_eq!(axis.ticks().first(), Some(&Duration::from_secs(60)));
        assert_eq!(axis.ticks().last(), Some(&Duration::ZERO));
    }
}
