//! Formats the time of day for a language.

use js_sys::{Array, Date, Intl, Object, Reflect};

use crate::language::Locale;

/// Hours and minutes in the person's time zone.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit in 53 bits until the year 287396")]
pub fn clock_time(ms_since_1970: u64, locale: Locale) -> String {
    let options = Object::new();
    for (key, value) in [("hour", "numeric"), ("minute", "2-digit")] {
        let _ = Reflect::set(&options, &key.into(), &value.into());
    }
    let date = Date::new(&(ms_since_1970 as f64).into());
    if date.get_time().is_nan() {
        // The time comes from another member's clock and may be out of range, for which `format` throws.
        return String::new();
    }
    let format = Intl::DateTimeFormat::new(&Array::of1(&locale.as_str().into()), &options);
    let text = format.format().call1(&wasm_bindgen::JsValue::UNDEFINED, &date);
    text.ok().and_then(|text| text.as_string()).unwrap_or_default()
}
