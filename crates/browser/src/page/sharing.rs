//! Copies and shares links.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Clipboard, Navigator};

use super::window::{member, window};
use crate::js::{dictionary::dictionary, error::BrowserError, promise::settled};

/// Copies text to the clipboard.
///
/// # Errors
/// [`BrowserError`]: not supported in an insecure context, not allowed without a gesture.
pub async fn copy_text(text: &str) -> Result<(), BrowserError> {
    let clipboard: Clipboard = member(&window().navigator(), "clipboard")
        .ok_or_else(|| BrowserError::not_supported("navigator.clipboard"))?
        .unchecked_into();
    settled(clipboard.write_text(text)).await.map(drop)
}

/// Whether the system has a dialog for sharing.
#[must_use]
pub fn can_share() -> bool {
    member(&window().navigator(), "share").is_some()
}

/// Opens the system's dialog for sharing a link.
///
/// # Errors
/// [`BrowserError`]: not supported, not allowed without a gesture, aborted by the person.
pub async fn share(title: &str, url: &str) -> Result<(), BrowserError> {
    if !can_share() {
        return Err(BrowserError::not_supported("navigator.share"));
    }
    let navigator: Navigator = window().navigator();
    let data = dictionary(&[("title", JsValue::from_str(title)), ("url", JsValue::from_str(url))]);
    settled(navigator.share_with_data(data.unchecked_ref())).await.map(drop)
}
