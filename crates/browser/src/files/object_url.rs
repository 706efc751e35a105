//! An address for a file, as a link to save it needs one.

use web_sys::{Blob, File, Url};

use crate::js::error::BrowserError;

/// A `blob:` address, which ends with this.
#[derive(Debug)]
pub struct ObjectUrl(String);

impl ObjectUrl {
    /// One to save a file from. Without a media type Chromium guesses one and adds its extension to a name that has none
    /// (`Makefile.txt`); to this type no extension belongs.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn for_saving(file: &File) -> Result<Self, BrowserError> {
        let blob: Blob =
            file.slice_with_f64_and_f64_and_content_type(0.0, file.size(), "application/octet-stream")?;
        Ok(Self(Url::create_object_url_with_blob(&blob)?))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        // Fails for no address of ours.
        let _ = Url::revoke_object_url(&self.0);
    }
}
