//! Formats sizes and times with few digits.

use std::time::Duration;

use crate::{language::Locale, sentence};

/// `0 B`, `999 B`, `1.0 kB`, `12 MB`: decimal units, as for disks and networks.
#[must_use]
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let rounded = |scale: u128| (u128::from(bytes) + scale / 2) / scale;
    let (mut unit, mut scale) = (0, 1000);
    while rounded(scale) >= 1000 && unit + 1 < UNITS.len() {
        unit += 1;
        scale *= 1000;
    }
    let (name, tenths) = (UNITS[unit], rounded(scale / 10));
    if tenths < 100 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", rounded(scale))
    }
}

/// `5 s`, `3 min`, `2 h`: rounded up, since it is a remaining time.
#[must_use]
pub fn time(duration: Duration, locale: Locale) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        0..60 => (seconds, sentence!(files.seconds)),
        60..3600 => (seconds.div_ceil(60), sentence!(files.minutes)),
        _ => (seconds.div_ceil(3600), sentence!(files.hours)),
    };
    format!("{number} {}", unit(locale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_two_or_three_digits_and_a_decimal_unit() {
        for (bytes, words) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (65_536, "66 kB"),
            (999_499, "999 kB"),
            (999_999, "1.0 MB"),
            (64 * 1024 * 1024, "67 MB"),
            (4 * 1024 * 1024 * 1024, "4.3 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(size(bytes), words, "{bytes}");
        }
    }

    #[test]
    fn times_left_are_rounded_up() {
        for (seconds, words) in [(0, "0 s"), (59, "59 s"), (61, "2 min"), (3600, "1 h"), (3601, "2 h")] {
            assert_eq!(time(Duration::from_secs(seconds), Locale::En), words);
        }
    }
}
