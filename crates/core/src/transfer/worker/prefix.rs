//! The hash of a file from its beginning up to a position.

use sha2::{Digest, Sha256};
use sightline_protocol::transfer::Sha256Digest;

/// A SHA-256 that can give the digest of every prefix of its input.
#[derive(Debug, Clone, Default)]
pub struct PrefixHasher {
    sha: Sha256,
    length_bytes: u64,
}

impl PrefixHasher {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
        self.length_bytes += bytes.len() as u64;
    }

    /// Number of bytes that were hashed.
    #[must_use]
    pub fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// The digest of all bytes so far.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        Sha256Digest(self.sha.clone().finalize().into())
    }
}
