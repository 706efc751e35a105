//! Puts frames that arrive over any number of channels in order, and verifies them.

use std::collections::BTreeMap;

use sightline_protocol::transfer::{BulkHeader, Sha256Digest};

use super::prefix::PrefixHasher;
use crate::transfer::WINDOW_BYTES;

/// The result of taking a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// The frame was the next one: its bytes, and those that had waited for it, are verified and written.
    Written,
    /// The frame waits for missing bytes before it.
    Waiting,
    /// The frame is a duplicate, or does not belong to the file.
    Dropped,
    /// The frame's hash does not match: all waiting frames are discarded, and must be sent again.
    Wrong,
}

/// The receiver's position in a file.
#[derive(Debug)]
pub struct Arrivals {
    verified: PrefixHasher,
    size_bytes: u64,
    waiting: BTreeMap<u64, (Sha256Digest, Vec<u8>)>,
    waiting_bytes: u64,
}

impl Arrivals {
    /// A file of `size_bytes`, of which the bytes in `verified` are stored already.
    #[must_use]
    pub fn new(size_bytes: u64, verified: PrefixHasher) -> Self {
        Self { verified, size_bytes, waiting: BTreeMap::new(), waiting_bytes: 0 }
    }

    /// Takes a frame, and passes each newly verified chunk to `write`, in the file's order.
    ///
    /// # Errors
    /// The error of `write`; the chunk does not count then.
    pub fn handle_frame<E>(
        &mut self,
        header: &BulkHeader,
        payload: &[u8],
        mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<Arrival, E> {
        let here = self.verified.length_bytes();
        let is_inside =
            header.offset.checked_add(payload.len() as u64).is_some_and(|end| end <= self.size_bytes);
        if header.offset < here || !is_inside || (payload.is_empty() && self.size_bytes > 0) {
            return Ok(Arrival::Dropped);
        }
        if header.offset > here {
            return Ok(self.keep(header, payload));
        }
        if !self.verify(header.prefix_sha256, payload, &mut write)? {
            return Ok(Arrival::Wrong);
        }
        while let Some(next) = self.waiting.first_entry() {
            let here = self.verified.length_bytes();
            if *next.key() > here {
                break;
            }
            let (offset, (digest, payload)) = next.remove_entry();
            self.waiting_bytes -= payload.len() as u64;
            // An earlier frame may cover these bytes: chunks of another attempt may have other boundaries.
            if offset == here && !self.verify(digest, &payload, &mut write)? {
                return Ok(Arrival::Wrong);
            }
        }
        Ok(Arrival::Written)
    }

    /// Number of verified bytes.
    #[must_use]
    pub fn verified_bytes(&self) -> u64 {
        self.verified.length_bytes()
    }

    /// The hash of the verified bytes.
    #[must_use]
    pub fn digest(&self) -> Sha256Digest {
        self.verified.digest()
    }

    /// Whether all bytes of the file are verified.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.verified.length_bytes() == self.size_bytes
    }

    fn keep(&mut self, header: &BulkHeader, payload: &[u8]) -> Arrival {
        let length = payload.len() as u64;
        if let Some((_, before)) = self.waiting.remove(&header.offset) {
            self.waiting_bytes -= before.len() as u64;
        }
        if self.waiting_bytes + length > 2 * WINDOW_BYTES {
            return Arrival::Dropped;
        }
        self.waiting_bytes += length;
        self.waiting.insert(header.offset, (header.prefix_sha256, payload.to_vec()));
        Arrival::Waiting
    }

    fn verify<E>(
        &mut self,
        digest: Sha256Digest,
        payload: &[u8],
        write: &mut impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        let mut hasher = self.verified.clone();
        hasher.update(payload);
        if hasher.digest() != digest {
            self.waiting.clear();
            self.waiting_bytes = 0;
            return Ok(false);
        }
        write(self.verified.length_bytes(), payload)?;
        self.verified = hasher;
        Ok(true)
    }
}
