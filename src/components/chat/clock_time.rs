//! Formats the time of day for a language.

use std::cell::RefCell;

use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::language::Locale;

thread_local! {
    /// The format of the language in use; making one costs more than showing a message.
    static FORMAT: RefCell<Option<(Locale, Function)>> = const { RefCell::new(None) };
}

/// Hours and minutes in the person's time zone.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit in 53 bits until the year 287396")]
pub fn clock_time(ms_since_1970: u64, locale: Locale) -> String {
    let date = Date::new(&(ms_since_1970 as f64).into());
    if date.get_time().is_nan() {
        // The time comes from another member's clock and may be out of range, for which `format` throws.
        return String::new();
    }
    let text = FORMAT.with_borrow_mut(|known| {
        if known.as_ref().is_none_or(|(language, _)| *language != locale) {
            *known = Some((locale, hours_and_minutes(locale)));
        }
        let (_, format) = known.as_ref()?;
        format.call1(&JsValue::UNDEFINED, &date).ok()?.as_string()
    });
    text.unwrap_or_default()
}

fn hours_and_minutes(locale: Locale) -> Function {
    let options = Object::new();
    for (key, value) in [("hour", "numeric"), ("minute", "2-digit")] {
        let _ = Reflect::set(&options, &key.into(), &value.into());
    }
    Intl::DateTimeFormat::new(&Array::of1(&locale.as_str().into()), &options).format()
}
