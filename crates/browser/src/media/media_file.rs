//! A video file: chosen, dropped, or shipped with the app.

use std::ops::Range;

use js_sys::{ArrayBuffer, Function, Promise, Uint8Array};
use sightline_core::media::OrientationFinder;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, DragEvent, Event, FileList, HtmlInputElement, Response};

use crate::{
    js::{error::BrowserError, promise::settled},
    page::window::{member, window},
};

/// Size of the largest file whose SHA-256 is computed, in bytes: the browser needs all of it in memory.
const LARGEST_HASHED: f64 = 64.0 * 1024.0 * 1024.0;

/// A file that may be a video. A clone refers to the same bytes.
#[derive(Debug, Clone)]
pub struct MediaFile {
    name: String,
    pub(crate) blob: Blob,
}

impl MediaFile {
    /// The file chosen in the input of this event. The input is emptied, so that the same file can be chosen again.
    #[must_use]
    pub fn chosen(event: &Event) -> Option<Self> {
        let input: HtmlInputElement = event.target()?.dyn_into().ok()?;
        let file = first(input.files());
        input.set_value("");
        file
    }

    /// The dropped file. Prevents the browser from opening it instead of the page.
    #[must_use]
    pub fn dropped(event: &DragEvent) -> Option<Self> {
        event.prevent_default();
        first(event.data_transfer()?.files())
    }

    /// Fetches a whole file of this server, so that playing it does not depend on the network.
    ///
    /// # Errors
    /// [`BrowserError`] where the server does not answer, or has no such file.
    pub async fn fetch(url: &str, name: &str) -> Result<Self, BrowserError> {
        let response: Response = settled(window().fetch_with_str(url)).await?.unchecked_into();
        if !response.ok() {
            return Err(BrowserError::of("NotFoundError", &response.status_text()));
        }
        let reading: Promise = response.blob()?;
        Ok(Self { name: name.to_owned(), blob: settled(reading).await?.unchecked_into() })
    }

    /// Whether the file can still be read to its end. Chromium refuses to read a changed file; Firefox reads as much as there is.
    pub async fn is_readable(&self) -> bool {
        let length = self.blob.size() as u64;
        let last = length.saturating_sub(1)..length;
        self.read(last.clone()).await.is_ok_and(|bytes| bytes.len() as u64 == last.end - last.start)
    }

    /// Whether the file says that its pictures are to be turned; false if it cannot be read.
    pub async fn is_turned(&self) -> bool {
        let mut finder = OrientationFinder::new(self.blob.size() as u64);
        while let Some(range) = finder.poll_read() {
            finder.handle_read(&self.read(range).await.unwrap_or_default());
        }
        finder.is_turned()
    }

    /// The size in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> f64 {
        self.blob.size()
    }

    /// SHA-256 of the bytes, as 64 lower-case hex digits; `None` for a large file, and where the browser cannot compute it.
    pub async fn sha256(&self) -> Option<String> {
        if self.blob.size() > LARGEST_HASHED {
            return None;
        }
        let bytes: ArrayBuffer = settled(self.blob.array_buffer()).await.ok()?.unchecked_into();
        // Only a secure context has it.
        let subtle = member(&member(&window(), "crypto")?, "subtle")?;
        let digest: Function = member(&subtle, "digest")?.dyn_into().ok()?;
        let hashing: Promise = digest.call2(&subtle, &"SHA-256".into(), &bytes).ok()?.dyn_into().ok()?;
        let digest: ArrayBuffer = settled(hashing).await.ok()?.unchecked_into();
        Some(Uint8Array::new(&digest).to_vec().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    async fn read(&self, range: Range<u64>) -> Result<Vec<u8>, BrowserError> {
        let part = self.blob.slice_with_f64_and_f64(range.start as f64, range.end as f64)?;
        let bytes: ArrayBuffer = settled(part.array_buffer()).await?.unchecked_into();
        Ok(Uint8Array::new(&bytes).to_vec())
    }

    /// The file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Whether files are being dragged, and not text or a link.
#[must_use]
pub fn are_files_dragged(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|dragged| dragged.types().includes(&JsValue::from_str("Files"), 0))
}

fn first(files: Option<FileList>) -> Option<MediaFile> {
    let file = files?.get(0)?;
    Some(MediaFile { name: file.name(), blob: file.unchecked_into() })
}
