//! Writes to the browser's console.

use wasm_bindgen::JsValue;

/// Writes a line of the level `debug`, which most consoles hide by default.
pub fn debug(line: &str) {
    web_sys::console::debug_1(&JsValue::from_str(line));
}

/// Writes a line of the level `info`.
pub fn info(line: &str) {
    web_sys::console::info_1(&JsValue::from_str(line));
}

/// Writes a line of the level `warn`, which consoles highlight.
pub fn warn(line: &str) {
    web_sys::console::warn_1(&JsValue::from_str(line));
}
