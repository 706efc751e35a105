//! Formats figures for people.

use sightline_core::measure::{Figure, FigureValue, Metric, Unit};

/// The value of a metric; `None` if it has none.
#[must_use]
pub fn value_of(figures: &[Figure], metric: Metric) -> Option<FigureValue> {
    figures.iter().find(|figure| figure.metric == metric).and_then(|figure| figure.value.clone())
}

/// The value for tests and exports: the number in base units, or the word; empty without a value.
#[must_use]
pub fn raw(value: Option<&FigureValue>) -> String {
    match value {
        None => String::new(),
        Some(FigureValue::Number(number)) => number.to_string(),
        Some(FigureValue::Word(word)) => word.clone(),
    }
}

/// The value for people, with its unit; `None` without a value.
#[must_use]
pub fn human(metric: Metric, value: Option<&FigureValue>) -> Option<String> {
    Some(match value? {
        FigureValue::Word(word) => word.clone(),
        FigureValue::Number(number) => of_number(metric.unit(), *number),
    })
}

/// A number with its unit.
#[must_use]
pub fn of_number(unit: Unit, number: f64) -> String {
    match unit {
        Unit::BitsPerSecond => bitrate(number),
        Unit::Seconds => duration(number),
        Unit::Ratio => format!("{} %", decimals(number * 100.0, 1)),
        Unit::FramesPerSecond => format!("{} fps", decimals(number, 0)),
        Unit::Pixels => format!("{} px", decimals(number, 0)),
        Unit::PerMinute => decimals(number, 1),
        Unit::Bytes => bytes(number),
        Unit::Count | Unit::Word => decimals(number, 0),
    }
}

/// A number of tenths as text with one decimal.
#[must_use]
pub fn tenths(tenths: u32) -> String {
    [(tenths / 10).to_string(), (tenths % 10).to_string()].join(".")
}

/// A point on a time axis that begins at zero, as minutes and seconds.
#[must_use]
pub fn clock(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
    let tenths = (seconds * 10.0) as u64;
    let (minutes, rest) = (tenths / 600, tenths % 600);
    format!("{minutes}:{:02}.{}", rest / 10, rest % 10)
}

fn bitrate(bps: f64) -> String {
    if bps >= 1e6 {
        format!("{} Mbit/s", decimals(bps / 1e6, 1))
    } else if bps >= 1e3 {
        format!("{} kbit/s", decimals(bps / 1e3, 0))
    } else {
        format!("{} bit/s", decimals(bps, 0))
    }
}

fn bytes(number: f64) -> String {
    if number >= 1e6 {
        format!("{} MB", decimals(number / 1e6, 1))
    } else {
        format!("{} kB", decimals(number / 1e3, 0))
    }
}

fn duration(seconds: f64) -> String {
    if seconds < 0.01 {
        format!("{} ms", decimals(seconds * 1e3, 1))
    } else if seconds < 1.0 {
        format!("{} ms", decimals(seconds * 1e3, 0))
    } else {
        format!("{} s", decimals(seconds, 1))
    }
}

/// Rounds to some digits; a whole number has no fraction.
fn decimals(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(metric: Metric, number: f64) -> String {
        human(metric, Some(&FigureValue::Number(number))).expect("a text")
    }

    #[test]
    fn numbers_carry_the_unit_that_suits_their_size() {
        assert_eq!(shown(Metric::ReceiveBitrate, 1_234_567.0), "1.2 Mbit/s");
        assert_eq!(shown(Metric::ReceiveBitrate, 64_400.0), "64 kbit/s");
        assert_eq!(shown(Metric::ReceiveBitrate, 0.0), "0 bit/s");
        assert_eq!(shown(Metric::RoundTripTime, 0.0341), "34 ms");
        assert_eq!(shown(Metric::RoundTripTime, 0.0004), "0.4 ms");
        assert_eq!(shown(Metric::TotalFreezesDuration, 2.0), "2 s");
        assert_eq!(shown(Metric::LossRatio, 0.0151), "1.5 %");
        assert_eq!(shown(Metric::FramesPerSecond, 29.97), "30 fps");
        assert_eq!(shown(Metric::FrameWidth, 1280.0), "1280 px");
        assert_eq!(shown(Metric::PacketsLost, 7.0), "7");
    }

    #[test]
    fn an_unreported_value_is_not_zero() {
        assert_eq!(human(Metric::Jitter, None), None);
        assert_eq!(raw(None), "");
        assert_eq!(raw(Some(&FigureValue::Number(0.0))), "0");
    }

    #[test]
    fn a_point_in_time_is_minutes_and_seconds() {
        assert_eq!(clock(0.0), "0:00.0");
        assert_eq!(clock(75.46), "1:15.4");
        assert_eq!(tenths(47), "4.7");
        assert_eq!(shown(Metric::BytesReceived, 1_250_000.0), "1.2 MB");
        assert_eq!(shown(Metric::StallsPerMinute, 1.25), "1.2");
    }

    #[test]
    fn words_stay_as_they_are() {
        let word = FigureValue::Word("VP8".to_owned());
        assert_eq!(human(Metric::Codec, Some(&word)).as_deref(), Some("VP8"));
        assert_eq!(raw(Some(&word)), "VP8");
    }
}
