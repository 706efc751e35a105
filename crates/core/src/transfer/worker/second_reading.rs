//! Detects a file that changed while it was sent, in browsers that do not report the change.

use std::ops::Range;

use super::prefix::PrefixHasher;

/// The state of the proof that a file is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// These bytes are to be read next.
    Next(Range<u64>),
    /// The second reading is complete and equals the first.
    Same,
    /// The second reading differs from the first.
    Changed,
}

/// Reads a file again from its beginning before its last chunk is sent. Firefox silently reads the present content of a file
/// that was changed after it was chosen, so the receiver would get a mixture of old and new bytes.
#[derive(Debug, Clone, Default)]
pub struct SecondReading {
    hasher: PrefixHasher,
}

impl SecondReading {
    /// The next step until the bytes of `first` were read again, in parts of at most `part_bytes`.
    #[must_use]
    pub fn next(&mut self, first: &PrefixHasher, part_bytes: u64) -> Reading {
        let (here, end) = (self.hasher.length_bytes(), first.length_bytes());
        if here == end {
            return if self.hasher.digest() == first.digest() { Reading::Same } else { Reading::Changed };
        }
        // The first reading went back to an earlier position.
        if here > end {
            *self = Self::default();
        }
        let start = self.hasher.length_bytes();
        Reading::Next(start..end.min(start + part_bytes))
    }

    /// Takes the bytes that were to be read.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
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

    /// Reads the bytes of `first` a second time. Returns the result and the number of parts.
    fn read(reading: &mut SecondReading, first: &PrefixHasher, file: &[u8]) -> (Reading, usize) {
        let mut parts = 0;
        loop {
            match reading.next(first, 10) {
                Reading::Next(part) => reading.update(&file[part.start as usize..part.end as usize]),
                result => return (result, parts),
            }
            parts += 1;
        }
    }

    #[test]
    fn an_unchanged_file_is_read_a_second_time_in_parts() {
        let file: Vec<u8> = (0..35).collect();
        assert_eq!(read(&mut SecondReading::default(), &of(&file), &file), (Reading::Same, 4));
        assert_eq!(read(&mut SecondReading::default(), &of(&[]), &[]), (Reading::Same, 0));
    }

    #[test]
    fn one_changed_byte_anywhere_is_detected() {
        let file: Vec<u8> = (0..35).collect();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert_eq!(read(&mut SecondReading::default(), &of(&file), &changed).0, Reading::Changed);
        }
    }

    #[test]
    fn the_second_reading_continues_if_the_first_one_ends_again() {
        let file: Vec<u8> = (0..35).collect();
        let mut reading = SecondReading::default();
        read(&mut reading, &of(&file[..20]), &file);
        assert_eq!(read(&mut reading, &of(&file), &file), (Reading::Same, 2));
        // The second reading starts again if the first one ends earlier.
        assert_eq!(read(&mut reading, &of(&file[..30]), &file), (Reading::Same, 3));
    }
}
