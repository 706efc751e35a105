//! Translates the browser's read and write errors for the page.

use sightline_browser::BrowserError;
use sightline_protocol::transfer::TransferEnd;
use wasm_bindgen::JsValue;

/// The error of a write.
pub(crate) fn of_storing(thrown: JsValue) -> TransferEnd {
    match BrowserError::from(thrown).name.as_str() {
        "QuotaExceededError" | "NS_ERROR_FILE_NO_DEVICE_SPACE" | "NS_ERROR_DOM_QUOTA_EXCEEDED_ERR" => {
            TransferEnd::DiskFull
        }
        _ => TransferEnd::StorageRefused,
    }
}

/// The error of a read. Chromium reports `NotReadableError` for a file that changed after it was chosen.
pub(crate) fn of_reading(thrown: JsValue) -> TransferEnd {
    match BrowserError::from(thrown).name.as_str() {
        "NotReadableError" => TransferEnd::FileChanged,
        _ => TransferEnd::FileUnreadable,
    }
}
