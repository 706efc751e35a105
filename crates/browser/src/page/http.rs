//! Requests to a server over plain HTTP.

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::window::{member, window};
use crate::js::{dictionary::dictionary, error::BrowserError, promise::settled};

/// Checks whether anything answers at `url`. The content of an answer from another origin is hidden.
///
/// Dropping the future does not abort the request.
///
/// # Errors
/// [`BrowserError`]: a `TypeError` where nothing answers, or the page's policy forbids asking.
pub async fn reach(url: &str) -> Result<(), BrowserError> {
    let init = dictionary(&[
        ("mode", JsValue::from_str("no-cors")),
        ("cache", JsValue::from_str("no-store")),
        ("credentials", JsValue::from_str("omit")),
    ]);
    let asking: Promise =
        window().fetch_with_str_and_init(url, &web_sys::RequestInit::from(JsValue::from(init)));
    let answer = settled(asking).await?;
    // An answer from another origin is hidden and has the status 0.
    match member(&answer, "status").and_then(|status| status.as_f64()) {
        Some(status) if status == 0.0 || (200.0..300.0).contains(&status) => Ok(()),
        status => Err(BrowserError::of("NetworkError", &format!("{:?}", status.map(|status| status as u16)))),
    }
}
