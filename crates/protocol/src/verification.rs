//! The steps by which two members agree on a short code that they compare by voice. `sightline-core` computes them (`trust`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    limits::{COMMITMENT_CHARS, VERIFICATION_NONCE_CHARS},
    sealed::is_base64url,
};

/// SHA-256 that binds the leading side to its nonce before it knows the nonce of the other side.
pub type Commitment = Base64Url<COMMITMENT_CHARS>;

/// 128 random bits of one side.
pub type VerificationNonce = Base64Url<VERIFICATION_NONCE_CHARS>;

/// One step. The side that offered the peer connection first leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum VerificationStep {
    /// The leading side begins.
    Commit {
        /// The hash of its nonce.
        commitment: Commitment,
    },
    /// The following side answers a `commit`.
    Answer {
        /// The commitment that it answers.
        commitment: Commitment,
        /// Its nonce.
        nonce: VerificationNonce,
    },
    /// The leading side shows the nonce to which it committed itself.
    Reveal {
        /// Its nonce.
        nonce: VerificationNonce,
    },
    /// A step of a later version.
    #[serde(other)]
    Unknown,
}

/// Text of exactly `CHARS` characters of base64url.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Base64Url<const CHARS: usize>(String);

/// The error for a string that is not [`Base64Url`] of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is base64url of a fixed length")]
pub struct Base64UrlInvalid;

impl<const CHARS: usize> Base64Url<CHARS> {
    /// Takes a text from outside.
    ///
    /// # Errors
    /// [`Base64UrlInvalid`] where it has another length or other characters.
    pub fn new(raw: String) -> Result<Self, Base64UrlInvalid> {
        if raw.len() == CHARS && is_base64url(&raw) { Ok(Self(raw)) } else { Err(Base64UrlInvalid) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const CHARS: usize> TryFrom<String> for Base64Url<CHARS> {
    type Error = Base64UrlInvalid;

    fn try_from(raw: String) -> Result<Self, Base64UrlInvalid> {
        Self::new(raw)
    }
}

impl<const CHARS: usize> From<Base64Url<CHARS>> for String {
    fn from(text: Base64Url<CHARS>) -> Self {
        text.0
    }
}

impl<const CHARS: usize> fmt::Debug for Base64Url<CHARS> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_exactly_one_length_and_no_character_that_needs_escaping() {
        assert!(Base64Url::<4>::new("aZ-_".to_owned()).is_ok());
        for raw in ["", "aZ0", "aZ09-", "a=bc", "a+bc", "a/bc", "a\"bc", "éaa"] {
            assert_eq!(Base64Url::<4>::new(raw.to_owned()), Err(Base64UrlInvalid), "{raw}");
        }
    }
}
