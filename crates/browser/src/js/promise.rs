//! Promises as futures.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::error::BrowserError;

/// The value of the promise.
pub(crate) async fn settled(promise: Promise) -> Result<JsValue, BrowserError> {
    JsFuture::from(promise).await.map_err(BrowserError::from)
}
