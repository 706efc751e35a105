//! The memory behind an `ArrayBuffer`.

use js_sys::{ArrayBuffer, Reflect, global};
use wasm_bindgen::JsValue;

/// Gives it back now, in Firefox, which else lets some hundred megabytes gather: its collector knows little of what hangs on a
/// small object.
///
/// Chromium's knows it, and collects as often as there is need. There a buffer that came with a message is held by that message's
/// event too: given back, nobody counts it any more, and more than a gigabyte gathers.
pub fn release(buffer: &ArrayBuffer) {
    thread_local!(static IS_FIREFOX: bool = user_agent().contains("Firefox/"));
    if IS_FIREFOX.with(|is_firefox| *is_firefox) {
        // What is moved elsewhere is no longer here, and nothing is left of it there. An older browser collects it some time.
        let _ = buffer.transfer_with_length(0);
    }
}

/// Of the page or the worker, whichever this is.
fn user_agent() -> String {
    let of = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).ok();
    let navigator = of(&global(), "navigator");
    navigator.and_then(|navigator| of(&navigator, "userAgent")?.as_string()).unwrap_or_default()
}
