//! The journal of a received file: which of its bytes are safely stored.
//!
//! Write an entry only after the bytes that it lists are flushed. Entries are written alternately to two places, so that one of
//! them is intact whenever the program ends.

use sightline_protocol::transfer::Sha256Digest;

use super::prefix::PrefixHasher;

/// Bytes between two flushes: the end of the program loses at most this many.
pub const FLUSH_BYTES: u64 = 4 * 1024 * 1024;

/// An entry: a length, the hash of that many bytes, and 8 bytes of the entry's own hash.
const ENTRY_BYTES: usize = 48;

/// Number of bytes of a whole journal.
pub const JOURNAL_BYTES: usize = 2 * ENTRY_BYTES;

/// Makes the entries of one journal.
#[derive(Debug, Default)]
pub struct Journal {
    entries: u64,
}

impl Journal {
    /// The next entry: where it is written, and its bytes.
    pub fn entry(&mut self, verified_bytes: u64, sha256: Sha256Digest) -> (u64, [u8; ENTRY_BYTES]) {
        let mut entry = [0; ENTRY_BYTES];
        entry[..8].copy_from_slice(&verified_bytes.to_be_bytes());
        entry[8..40].copy_from_slice(&sha256.0);
        let check = check_of(&entry);
        entry[40..].copy_from_slice(&check);
        self.entries += 1;
        ((self.entries % 2) * ENTRY_BYTES as u64, entry)
    }

    /// The newest intact entry of a stored journal: a number of bytes and their hash.
    #[must_use]
    pub fn newest(stored: &[u8]) -> Option<(u64, Sha256Digest)> {
        let entries = stored.chunks_exact(ENTRY_BYTES).filter_map(|entry| {
            let entry: &[u8; ENTRY_BYTES] = entry.try_into().ok()?;
            let verified_bytes = u64::from_be_bytes(entry[..8].try_into().ok()?);
            let digest = Sha256Digest(entry[8..40].try_into().ok()?);
            (check_of(entry) == entry[40..]).then_some((verified_bytes, digest))
        });
        entries.max_by_key(|(verified_bytes, _)| *verified_bytes)
    }
}

fn check_of(entry: &[u8; ENTRY_BYTES]) -> [u8; 8] {
    let mut hasher = PrefixHasher::default();
    hasher.update(&entry[..40]);
    let mut check = [0; 8];
    check.copy_from_slice(&hasher.digest().0[..8]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(entries: &[(u64, [u8; ENTRY_BYTES])]) -> Vec<u8> {
        let mut stored = vec![0; JOURNAL_BYTES];
        for (at, entry) in entries {
            stored[*at as usize..][..ENTRY_BYTES].copy_from_slice(entry);
        }
        stored
    }

    #[test]
    fn the_newest_entry_counts_and_an_empty_journal_has_none() {
        let mut journal = Journal::default();
        let digest = Sha256Digest([7; 32]);
        let entries: Vec<_> = [10, 20, 30].map(|bytes| journal.entry(bytes, digest)).into();
        assert_eq!(Journal::newest(&stored(&entries)), Some((30, digest)));
        assert_eq!(Journal::newest(&stored(&[])), None);
        assert_eq!(Journal::newest(&[]), None);
    }

    #[test]
    fn a_torn_entry_leaves_the_one_before() {
        let mut journal = Journal::default();
        let digest = Sha256Digest([7; 32]);
        let (first, (at, mut torn)) = (journal.entry(10, digest), journal.entry(20, digest));
        for byte in 0..ENTRY_BYTES {
            torn[byte] ^= 1;
            assert_eq!(Journal::newest(&stored(&[first, (at, torn)])), Some((10, digest)), "{byte}");
            torn[byte] ^= 1;
        }
        // The second half of the file was never written.
        assert_eq!(Journal::newest(&stored(&[first])[..]), Some((10, digest)));
    }
}
