//! Whole numbers with an upper limit. A message with a larger number is not read at all, so no code behind the decoder has to
//! check the numbers of a peer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A whole number from 0 to `MAX`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct UpTo<const MAX: u64>(u64);

/// The error for a number above the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number here is at most {most}")]
pub struct OutOfRange {
    /// The largest accepted number.
    pub most: u64,
}

impl<const MAX: u64> UpTo<MAX> {
    /// The number as `u64`.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// A number that this page computed: a larger one becomes `MAX`.
    #[must_use]
    pub fn saturating(number: u64) -> Self {
        Self(number.min(MAX))
    }

    /// A value that this page computed, rounded. A negative or undefined value becomes 0, a larger one `MAX`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
    pub fn rounded(number: f64) -> Self {
        Self::saturating(number.round() as u64)
    }
}

impl<const MAX: u64> TryFrom<u64> for UpTo<MAX> {
    type Error = OutOfRange;

    fn try_from(number: u64) -> Result<Self, OutOfRange> {
        if number <= MAX { Ok(Self(number)) } else { Err(OutOfRange { most: MAX }) }
    }
}

impl<const MAX: u64> From<UpTo<MAX>> for u64 {
    fn from(number: UpTo<MAX>) -> Self {
        number.0
    }
}

impl<const MAX: u64> From<UpTo<MAX>> for f64 {
    #[allow(clippy::cast_precision_loss, reason = "a figure that is shown")]
    fn from(number: UpTo<MAX>) -> Self {
        number.0 as Self
    }
}

impl<const MAX: u64> fmt::Display for UpTo<MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_beyond_the_greatest_is_not_read() {
        let read = |text: &str| serde_json::from_str::<UpTo<1000>>(text).ok().map(UpTo::get);
        assert_eq!((read("0"), read("1000")), (Some(0), Some(1000)));
        for text in ["1001", "-1", "1.5", "1e300", "18446744073709551616", "\"7\"", "null", "NaN"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_local_number_is_rounded_and_clamped_to_the_range() {
        let rounded = |number| UpTo::<1000>::rounded(number).get();
        assert_eq!((rounded(12.4), rounded(12.5)), (12, 13));
        assert_eq!((rounded(-3.0), rounded(f64::NAN), rounded(f64::NEG_INFINITY)), (0, 0, 0));
        assert_eq!((rounded(1e300), rounded(f64::INFINITY)), (1000, 1000));
    }
}
