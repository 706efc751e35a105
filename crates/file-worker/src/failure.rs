//! Why the browser does not read or store, as the page tells it.

use sightline_browser::BrowserError;
use sightline_protocol::transfer::TransferEnd;
use wasm_bindgen::JsValue;

/// Of a write.
pub(crate) fn of_storing(thrown: JsValue) -> TransferEnd {
    match BrowserError::from(thrown).name.as_str() {
        "QuotaExceededError" | "NS_ERROR_FILE_NO_DEVICE_SPACE" | "NS_ERROR_DOM_QUOTA_EXCEEDED_ERR" => {
            TransferEnd::DiskFull
        }
        _ => TransferEnd::StorageRefused,
    }
}

/// Of a read. Chromium says `NotReadableError` of a file that is not as it was when it was chosen.
pub(crate) fn of_reading(thrown: JsValue) -> TransferEnd {
    match BrowserError::from(thrown).name.as_str() {
        "NotReadableError" => TransferEnd::FileChanged,
        _ => TransferEnd::FileUnreadable,
    }
}
