//! Text files that a person saves or opens.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
pub use web_sys::File;
use web_sys::{Blob, DragEvent, FileList, HtmlInputElement};

use super::object_url;
use crate::js::{dictionary::dictionary, error::BrowserError, promise::settled};

/// Saves `text` in the downloads folder, under a name that the browser may change; must be called from a gesture.
///
/// # Errors
/// [`BrowserError`] where the browser has no space for the text.
pub fn save(name: &str, media_type: &str, text: &str) -> Result<(), BrowserError> {
    let parts = Array::of1(&JsValue::from_str(text));
    let options = dictionary(&[("type", JsValue::from_str(media_type))]);
    let blob = Blob::new_with_str_sequence_and_options(&parts, options.unchecked_ref())?;
    object_url::download(name, &blob)
}

/// The files chosen in an `<input type="file">`. The input is emptied, so that the same files can be chosen again.
#[must_use]
pub fn chosen(input: &HtmlInputElement) -> Vec<File> {
    let files = input.files().map(|files| list(&files)).unwrap_or_default();
    input.set_value("");
    files
}

/// The files that were dropped.
#[must_use]
pub fn dropped(event: &DragEvent) -> Vec<File> {
    let files = event.data_transfer().and_then(|transfer| transfer.files());
    files.map(|files| list(&files)).unwrap_or_default()
}

/// Reads a file of at most `max_bytes`; `None` for a larger one.
///
/// # Errors
/// [`BrowserError`] where the file can no longer be read.
pub async fn read(file: &File, max_bytes: usize) -> Result<Option<Vec<u8>>, BrowserError> {
    if file.size() > max_bytes as f64 {
        return Ok(None);
    }
    let buffer = settled(file.array_buffer()).await?;
    Ok(Some(Uint8Array::new(&buffer).to_vec()))
}

fn list(files: &FileList) -> Vec<File> {
    (0..files.length()).filter_map(|at| files.get(at)).collect()
}
