//! The global object of the page.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MediaDevices, Window};

use crate::js::error::BrowserError;

/// The page's window. This crate is for pages, not for workers.
pub(crate) fn window() -> Window {
    js_sys::global().unchecked_into()
}

/// The value of `object[name]`, unless it is missing, `undefined` or `null`.
pub(crate) fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// `navigator.mediaDevices`, which a page in an insecure context does not have.
pub(crate) fn media_devices() -> Result<MediaDevices, BrowserError> {
    member(&window().navigator(), "mediaDevices")
        .map(JsCast::unchecked_into)
        .ok_or_else(|| BrowserError::not_supported("navigator.mediaDevices"))
}
