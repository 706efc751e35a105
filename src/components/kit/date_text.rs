//! Formats dates and times for a language.

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::language::Locale;

/// A function that formats a `Date` in the person's time zone, with these options of `Intl.DateTimeFormat`.
#[must_use]
pub fn date_format(locale: Locale, parts: &[(&str, &str)]) -> Function {
    let options = Object::new();
    for (key, value) in parts {
        let _ = Reflect::set(&options, &(*key).into(), &(*value).into());
    }
    Intl::DateTimeFormat::new(&Array::of1(&locale.as_str().into()), &options).format()
}

/// The result of [`date_format`] for a moment; empty if the moment is out of range, for which `format` throws.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit in 53 bits until the year 287396")]
pub fn format_date(format: &Function, ms_since_1970: u64) -> String {
    let date = Date::new(&(ms_since_1970 as f64).into());
    if date.get_time().is_nan() {
        return String::new();
    }
    format.call1(&JsValue::UNDEFINED, &date).ok().and_then(|text| text.as_string()).unwrap_or_default()
}

/// Day, month and year.
#[must_use]
pub fn day_text(ms_since_1970: u64, locale: Locale) -> String {
    let format = date_format(locale, &[("year", "numeric"), ("month", "long"), ("day", "numeric")]);
    format_date(&format, ms_since_1970)
}
