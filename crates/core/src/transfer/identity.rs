//! Which file a file is, beyond its name, size and time: two can be equal in all of these.
//!
//! The source reads the ranges of [`IdentityReading`](super::IdentityReading) when a file is offered and when one is chosen again after a reload; equal
//! [`FileIdentity`]s are the same file.

use serde::{Deserialize, Serialize};
use sightline_protocol::transfer::Sha256Digest;

/// What tells a file from another one of equal name, size and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileIdentity {
    /// SHA-256 of samples of the file.
    pub sampled: Sha256Digest,
    /// SHA-256 of all of it; only computed where another file of equal name, size and time was offered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Sha256Digest>,
}

impl FileIdentity {
    /// Whether both are of the same file, as far as both know.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let is_whole_equal = self.whole.zip(other.whole).is_none_or(|(one, other)| one == other);
        self.sampled == other.sampled && is_whole_equal
    }
}
