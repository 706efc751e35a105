//! Text that members encrypt for each other, and the tag that admits to a protected room. The server stores and relays both without
//! reading them; `sightline-core` makes and opens them (`trust`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::{ADMISSION_TAG_CHARS, MAX_SEALED_NAME_CHARS, MAX_SEALED_SIGNAL_CHARS};

/// An encrypted [`SignalPayload`](crate::signaling::SignalPayload).
pub type SealedSignal = Sealed<MAX_SEALED_SIGNAL_CHARS>;

/// An encrypted [`DisplayName`](crate::DisplayName).
pub type SealedName = Sealed<MAX_SEALED_NAME_CHARS>;

/// Encrypted bytes in base64url without padding, at most `MAX` characters.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Sealed<const MAX: usize>(String);

/// The error for a string that is not [`Sealed`] or no [`AdmissionTag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is base64url of a limited length")]
pub struct SealedInvalid;

impl<const MAX: usize> Sealed<MAX> {
    /// Takes a text from outside.
    ///
    /// # Errors
    /// [`SealedInvalid`] where it is too long or has other characters.
    pub fn new(raw: String) -> Result<Self, SealedInvalid> {
        if raw.len() <= MAX && is_base64url(&raw) { Ok(Self(raw)) } else { Err(SealedInvalid) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Sealed<MAX> {
    type Error = SealedInvalid;

    fn try_from(raw: String) -> Result<Self, SealedInvalid> {
        Self::new(raw)
    }
}

impl<const MAX: usize> From<Sealed<MAX>> for String {
    fn from(sealed: Sealed<MAX>) -> Self {
        sealed.0
    }
}

impl<const MAX: usize> fmt::Debug for Sealed<MAX> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sealed({} characters)", self.0.len())
    }
}

/// Admits to a protected room: 256 bits in base64url, derived from the secret of the invitation. Whoever knows the tag can take a
/// place, but reads no signal. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AdmissionTag(String);

impl AdmissionTag {
    /// Takes a text from outside.
    ///
    /// # Errors
    /// [`SealedInvalid`] where it has another length or other characters.
    pub fn new(raw: String) -> Result<Self, SealedInvalid> {
        if raw.len() == ADMISSION_TAG_CHARS && is_base64url(&raw) {
            Ok(Self(raw))
        } else {
            Err(SealedInvalid)
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AdmissionTag {
    type Error = SealedInvalid;

    fn try_from(raw: String) -> Result<Self, SealedInvalid> {
        Self::new(raw)
    }
}

impl From<AdmissionTag> for String {
    fn from(tag: AdmissionTag) -> Self {
        tag.0
    }
}

impl fmt::Debug for AdmissionTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AdmissionTag")
    }
}

pub(crate) fn is_base64url(raw: &str) -> bool {
    raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_text_is_bounded_and_has_no_character_that_needs_escaping() {
        assert!(Sealed::<4>::new("aZ-_".to_owned()).is_ok());
        for raw in ["aZ09-", "a=", "a+b", "a/b", "a\"b", "é"] {
            assert_eq!(Sealed::<4>::new(raw.to_owned()), Err(SealedInvalid), "{raw}");
        }
    }

    #[test]
    fn an_admission_tag_has_exactly_one_length_and_is_not_printed() {
        let tag = AdmissionTag::new("a".repeat(ADMISSION_TAG_CHARS)).unwrap();
        assert_eq!(format!("{tag:?}"), "AdmissionTag");
        for length in [0, ADMISSION_TAG_CHARS - 1, ADMISSION_TAG_CHARS + 1] {
            assert_eq!(AdmissionTag::new("a".repeat(length)), Err(SealedInvalid), "{length}");
        }
    }
}
