//! Formats the time of day for a language.

use std::cell::RefCell;

use js_sys::Function;

use crate::{
    components::kit::date_text::{date_format, format_date},
    language::Locale,
};

thread_local! {
    /// The format of the language in use; making one costs more than showing a message.
    static FORMAT: RefCell<Option<(Locale, Function)>> = const { RefCell::new(None) };
}

/// Hours and minutes in the person's time zone. The time comes from another member's clock and may be out of range; the text is then
/// empty.
#[must_use]
pub fn clock_time(ms_since_1970: u64, locale: Locale) -> String {
    FORMAT.with_borrow_mut(|known| {
        if known.as_ref().is_none_or(|(language, _)| *language != locale) {
            *known = Some((locale, date_format(locale, &[("hour", "numeric"), ("minute", "2-digit")])));
        }
        known.as_ref().map(|(_, format)| format_date(format, ms_since_1970)).unwrap_or_default()
    })
}
