//! The still picture that a visitor may show to the hosts of a locked room. The server stores and relays it; `sightline-core` makes it
//! and checks what is in it (`picture`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    limits::{MAX_PICTURE_CHARS, MAX_SEALED_PICTURE_CHARS},
    sealed::{Sealed, is_base64url},
};

/// The first three bytes of every JPEG file (FF D8 FF), in base64url.
const JPEG_MAGIC: &str = "_9j_";

/// An encrypted picture.
pub type SealedPicture = Sealed<MAX_SEALED_PICTURE_CHARS>;

/// The picture of a visitor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitorPicture {
    /// In an unprotected room.
    Jpeg(JpegText),
    /// Encrypted, in a protected room.
    Sealed(SealedPicture),
}

/// The bytes of a JPEG file in base64url without padding, at most [`MAX_PICTURE_CHARS`] characters. What follows the first three bytes is
/// not checked here. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JpegText(String);

/// The error for a string that is no [`JpegText`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is a small JPEG file in base64url")]
pub struct JpegInvalid;

impl JpegText {
    /// Takes a text from outside.
    ///
    /// # Errors
    /// [`JpegInvalid`] where it is too long, begins in another way, or has other characters.
    pub fn new(raw: String) -> Result<Self, JpegInvalid> {
        let is_jpeg = raw.len() <= MAX_PICTURE_CHARS && raw.starts_with(JPEG_MAGIC) && is_base64url(&raw);
        if is_jpeg { Ok(Self(raw)) } else { Err(JpegInvalid) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for JpegText {
    type Error = JpegInvalid;

    fn try_from(raw: String) -> Result<Self, JpegInvalid> {
        Self::new(raw)
    }
}

impl From<JpegText> for String {
    fn from(text: JpegText) -> Self {
        text.0
    }
}

impl fmt::Debug for JpegText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JpegText({} characters)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_bounded_and_begins_like_a_jpeg_file() {
        let longest = format!("{JPEG_MAGIC}{}", "A".repeat(MAX_PICTURE_CHARS - JPEG_MAGIC.len()));
        assert!(JpegText::new(longest.clone()).is_ok());
        // A PNG file, an SVG file, nothing, a JPEG file in another alphabet, and one with a foreign character.
        for raw in ["iVBORw0KGgo", "PHN2Zz4", "", "/9j/4AAQ", "_9j_4AAQ\""] {
            assert_eq!(JpegText::new(raw.to_owned()), Err(JpegInvalid), "{raw}");
        }
        assert_eq!(JpegText::new(longest + "A"), Err(JpegInvalid));
    }

    #[test]
    fn no_picture_is_printed() {
        let picture = JpegText::new("_9j_4AAQ".to_owned()).unwrap();
        assert_eq!(format!("{picture:?}"), "JpegText(8 characters)");
    }
}
