//! Tells apart files that have the same name, size and time.
//!
//! The source reads the ranges of [`IdentityReading`](super::IdentityReading) when a file is offered, and when one is chosen
//! again after a reload. Files with equal [`FileIdentity`] are the same.

use serde::{Deserialize, Serialize};
use sightline_protocol::transfer::Sha256Digest;

/// Hashes that distinguish a file from others with the same name, size and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// SHA-256 of samples of the file.
    pub sampled: Sha256Digest,
    /// SHA-256 of the whole file; only computed if another file with the same name, size and time was offered, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Sha256Digest>,
}

impl FileIdentity {
    /// Whether both identify the same file, by the hashes that both have.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let is_whole_equal = self.whole.zip(other.whole).is_none_or(|(one, other)| one == other);
        self.sampled == other.sampled && is_whole_equal
    }
}
