//! Releases the memory of an `ArrayBuffer`.

use js_sys::{ArrayBuffer, Reflect, global};
use wasm_bindgen::JsValue;

/// Releases the memory now in Firefox, which would otherwise accumulate some hundred megabytes: its garbage collector does not
/// see the memory behind a small object.
///
/// Chromium's collector sees the memory and runs often enough. In Chromium a buffer that came with a message is also referenced
/// by the message's event: an explicit release hides the memory from the collector, and more than a gigabyte accumulates.
pub fn release(buffer: &ArrayBuffer) {
    thread_local!(static IS_FIREFOX: bool = user_agent().contains("Firefox/"));
    if IS_FIREFOX.with(|is_firefox| *is_firefox) {
        // Transferring to length zero frees the memory. An older browser without this method frees it later.
        let _ = buffer.transfer_with_length(0);
    }
}

/// The user agent string, in a page or in a worker.
fn user_agent() -> String {
    let of = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).ok();
    let navigator = of(&global(), "navigator");
    navigator.and_then(|navigator| of(&navigator, "userAgent")?.as_string()).unwrap_or_default()
}
