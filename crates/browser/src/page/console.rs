//! The browser's console.

use wasm_bindgen::JsValue;

/// Writes a line that most consoles hide until it is asked for.
pub fn debug(line: &str) {
    web_sys::console::debug_1(&JsValue::from_str(line));
}

/// Writes a line.
pub fn info(line: &str) {
    web_sys::console::info_1(&JsValue::from_str(line));
}

/// Writes a line that stands out.
pub fn warn(line: &str) {
    web_sys::console::warn_1(&JsValue::from_str(line));
}
