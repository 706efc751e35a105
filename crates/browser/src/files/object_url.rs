//! An address for a file, as a link to save it needs one.

use web_sys::{Blob, Url};

use crate::error::BrowserError;

/// A `blob:` address, which ends with this.
#[derive(Debug)]
pub struct ObjectUrl(String);

impl ObjectUrl {
    /// Makes one.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn new(blob: &Blob) -> Result<Self, BrowserError> {
        Ok(Self(Url::create_object_url_with_blob(blob)?))
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
