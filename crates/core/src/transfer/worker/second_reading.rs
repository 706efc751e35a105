//! Whether a file is still what was sent of it, where the browser does not say.

use std::ops::Range;

use super::prefix::PrefixHasher;

/// How far a file is from being proven unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// These bytes are to be read next.
    Next(Range<u64>),
    /// All of it was read a second time, and is as it was.
    Same,
    /// And is not.
    Changed,
}

/// Reads a file once more from its beginning, before the last of it leaves: Firefox reads a file that was changed since it was chosen
/// as it is now, without a word, and what arrived would be part old and part new.
#[derive(Debug, Clone, Default)]
pub struct SecondReading {
    hasher: PrefixHasher,
}

impl SecondReading {
    /// What is left to do until it has read what `first` has, in parts of so many bytes.
    #[must_use]
    pub fn next(&mut self, first: &PrefixHasher, part_bytes: u64) -> Reading {
        let (here, end) = (self.hasher.length_bytes(), first.length_bytes());
        if here == end {
            return if self.hasher.digest() == first.digest() { Reading::Same } else { Reading::Changed };
        }
        // The first reading went back.
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

    /// Reads to the end of what was read first; in how many parts.
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
    fn a_file_that_is_as_it_was_is_read_once_more_in_parts() {
        let file: Vec<u8> = (0..35).collect();
        assert_eq!(read(&mut SecondReading::default(), &of(&file), &file), (Reading::Same, 4));
        assert_eq!(read(&mut SecondReading::default(), &of(&[]), &[]), (Reading::Same, 0));
    }

    #[test]
    fn one_other_byte_anywhere_is_a_changed_file() {
        let file: Vec<u8> = (0..35).collect();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert_eq!(read(&mut SecondReading::default(), &of(&file), &changed).0, Reading::Changed);
        }
    }

    #[test]
    fn it_goes_on_where_it_was_when_the_first_reading_comes_to_its_end_again() {
        let file: Vec<u8> = (0..35).collect();
        let mut reading = SecondReading::default();
        read(&mut reading, &of(&file[..20]), &file);
        assert_eq!(read(&mut reading, &of(&file), &file), (Reading::Same, 2));
        // And begins anew where that ends earlier.
        assert_eq!(read(&mut reading, &of(&file[..30]), &file), (Reading::Same, 3));
    }
}
