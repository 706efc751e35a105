//! The sender's position in a file, and the hash of the file up to there.

use std::collections::VecDeque;

use super::prefix::PrefixHasher;
use crate::transfer::{CHUNK_BYTES, WINDOW_BYTES};

/// Number of positions to return to: enough for all bytes in flight, and some that were verified meanwhile.
const MAX_CHECKPOINTS: usize = 2 * (WINDOW_BYTES as usize / CHUNK_BYTES) + 16;

/// The hash of a file that is read in order, with occasional returns to an earlier position.
#[derive(Debug, Default)]
pub struct OutgoingChunks {
    hasher: PrefixHasher,
    /// Hashes at earlier positions, oldest first.
    checkpoints: VecDeque<PrefixHasher>,
}

impl OutgoingChunks {
    /// Takes the next bytes of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        // Several small chunks share a checkpoint, so that the checkpoints always reach equally far back.
        let last = self.checkpoints.back().map_or(0, PrefixHasher::length_bytes);
        let here = self.hasher.length_bytes();
        if self.checkpoints.is_empty() || here + bytes.len() as u64 > last + CHUNK_BYTES as u64 {
            if self.checkpoints.len() == MAX_CHECKPOINTS {
                self.checkpoints.pop_front();
            }
            self.checkpoints.push_back(self.hasher.clone());
        }
        self.hasher.update(bytes);
    }

    /// Goes back to `offset` or to a checkpoint before it. The file must be read again from there.
    pub fn seek(&mut self, offset: u64) {
        while self.hasher.length_bytes() > offset {
            self.hasher = self.checkpoints.pop_back().unwrap_or_default();
        }
    }

    /// The hash of the file up to the present position.
    #[must_use]
    pub fn hasher(&self) -> &PrefixHasher {
        &self.hasher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> PrefixHasher {
        let mut hasher = PrefixHasher::default();
        hasher.update(bytes);
        hasher
    }

    #[test]
    fn seeking_goes_back_to_the_nearest_checkpoint_or_to_the_start() {
        let mut chunks = OutgoingChunks::default();
        let chunk = vec![7; CHUNK_BYTES];
        for _ in 0..MAX_CHECKPOINTS + 10 {
            chunks.update(&chunk);
        }
        let (end, chunk) = (chunks.hasher().length_bytes(), CHUNK_BYTES as u64);
        chunks.seek(end - 10 * chunk);
        assert_eq!(chunks.hasher().length_bytes(), end - 10 * chunk);
        // An offset between two checkpoints leads to the earlier one.
        chunks.seek(end - 10 * chunk - 1);
        assert_eq!(chunks.hasher().length_bytes(), end - 11 * chunk);
        // The checkpoint of this offset was dropped.
        chunks.seek(2 * chunk);
        assert_eq!(chunks.hasher().length_bytes(), 0);
        chunks.update(&[0; 4]);
        assert_eq!(chunks.hasher().digest(), of(&[0; 4]).digest());
    }

    #[test]
    fn the_hash_after_seeking_is_that_of_the_new_bytes() {
        let mut chunks = OutgoingChunks::default();
        let first = vec![1; CHUNK_BYTES];
        chunks.update(&first);
        chunks.update(&vec![2; CHUNK_BYTES]);
        chunks.seek(CHUNK_BYTES as u64);
        chunks.update(b"three");
        assert_eq!(chunks.hasher().digest(), of(&[first.as_slice(), b"three"].concat()).digest());
    }

    #[test]
    fn small_chunks_leave_checkpoints_as_far_back_as_large_ones() {
        let mut chunks = OutgoingChunks::default();
        for _ in 0..2 * WINDOW_BYTES / 1000 {
            chunks.update(&[3; 1000]);
        }
        let end = chunks.hasher().length_bytes();
        chunks.seek(end - WINDOW_BYTES);
        let here = chunks.hasher().length_bytes();
        assert!(here > end - WINDOW_BYTES - 2 * CHUNK_BYTES as u64, "{here}");
    }
}
