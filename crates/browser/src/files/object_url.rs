//! A URL for a file, for a link that saves it.

use wasm_bindgen::JsCast;
use web_sys::{Blob, File, HtmlAnchorElement, Url};

use crate::{js::error::BrowserError, page::window::window};

/// A `blob:` URL, revoked when this is dropped.
#[derive(Debug)]
pub struct ObjectUrl(String);

impl ObjectUrl {
    /// A URL for saving a file. Without a media type Chromium guesses one and adds its extension to a name without extension
    /// (`Makefile.txt`); the type used here has no extension.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn for_saving(file: &File) -> Result<Self, BrowserError> {
        let blob: Blob =
            file.slice_with_f64_and_f64_and_content_type(0.0, file.size(), "application/octet-stream")?;
        Ok(Self(Url::create_object_url_with_blob(&blob)?))
    }

    /// The URL as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // Cannot fail for a URL that this type made.
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// Saves a blob in the downloads folder, under a name that the browser may change.
pub(super) fn download(name: &str, blob: &Blob) -> Result<(), BrowserError> {
    let url = ObjectUrl(Url::create_object_url_with_blob(blob)?);
    let document = window().document().ok_or_else(|| BrowserError::not_supported("document"))?;
    let link: HtmlAnchorElement = document.create_element("a")?.unchecked_into();
    link.set_href(url.as_str());
    link.set_download(name);
    link.click();
    // The download has its own reference to the data by now, so the URL can be revoked.
    Ok(())
}
