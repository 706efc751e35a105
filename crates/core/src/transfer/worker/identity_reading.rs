//! Computes the identity of a file from its bytes.

use std::ops::Range;

use super::prefix::PrefixHasher;
use crate::transfer::identity::FileIdentity;

/// Largest file that is sampled as a whole.
const WHOLE_BYTES: u64 = 1024 * 1024;
/// Number and size of the samples of a larger file, spread evenly from its beginning to its end.
const SAMPLES: u64 = 16;
const SAMPLE_BYTES: u64 = WHOLE_BYTES / SAMPLES;
/// Maximum number of bytes to read at a time.
const PART_BYTES: u64 = 8 * 1024 * 1024;

/// Computes a [`FileIdentity`]. Read each range of [`Self::next_range`] and pass its bytes to [`Self::update`], until no range
/// is left.
#[derive(Debug)]
pub struct IdentityReading {
    ranges: Vec<Range<u64>>,
    /// Index of the current range, and the number of its bytes that were read.
    place: (usize, u64),
    samples: usize,
    sampled: PrefixHasher,
    whole: PrefixHasher,
    is_whole: bool,
    size_bytes: u64,
}

impl IdentityReading {
    /// A reading of a file of this size; `is_whole` also computes [`FileIdentity::whole`].
    #[must_use]
    pub fn new(size_bytes: u64, is_whole: bool) -> Self {
        let mut ranges = Vec::new();
        if size_bytes <= WHOLE_BYTES {
            ranges.push(0..size_bytes);
        } else {
            let last = size_bytes - SAMPLE_BYTES;
            // With 128 bits, no file size overflows.
            let start = |at: u64| {
                u64::try_from(u128::from(last) * u128::from(at) / u128::from(SAMPLES - 1)).unwrap_or(last)
            };
            ranges.extend((0..SAMPLES).map(|at| start(at)..start(at) + SAMPLE_BYTES));
        }
        let samples = ranges.len();
        if is_whole && size_bytes > WHOLE_BYTES {
            ranges.push(0..size_bytes);
        }
        let (sampled, whole) = (PrefixHasher::default(), PrefixHasher::default());
        Self { ranges, place: (0, 0), samples, sampled, whole, is_whole, size_bytes }
    }

    /// The next bytes to read; `None` at the end.
    #[must_use]
    pub fn next_range(&self) -> Option<Range<u64>> {
        let (mut index, mut read) = self.place;
        loop {
            let range = self.ranges.get(index)?;
            let start = range.start + read;
            if start < range.end {
                return Some(start..range.end.min(start + PART_BYTES));
            }
            (index, read) = (index + 1, 0);
        }
    }

    /// Takes the bytes of [`Self::next_range`].
    pub fn update(&mut self, bytes: &[u8]) {
        while self.ranges.get(self.place.0).is_some_and(|range| range.start + self.place.1 >= range.end) {
            self.place = (self.place.0 + 1, 0);
        }
        let hasher = if self.place.0 < self.samples { &mut self.sampled } else { &mut self.whole };
        hasher.update(bytes);
        self.place.1 += bytes.len() as u64;
    }

    /// The identity, once no range is left to read.
    #[must_use]
    pub fn identity(&self) -> FileIdentity {
        let sampled = self.sampled.digest();
        let whole = if self.size_bytes <= WHOLE_BYTES { sampled } else { self.whole.digest() };
        let has_whole = self.is_whole || self.size_bytes <= WHOLE_BYTES;
        FileIdentity { sampled, whole: has_whole.then_some(whole) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(file: &[u8], is_whole: bool) -> FileIdentity {
        let mut reading = IdentityReading::new(file.len() as u64, is_whole);
        while let Some(range) = reading.next_range() {
            reading.update(&file[range.start as usize..range.end as usize]);
        }
        reading.identity()
    }

    #[test]
    fn one_changed_byte_gives_a_small_file_another_identity() {
        let file = vec![1; 1000];
        for at in 0..file.len() {
            let mut other = file.clone();
            other[at] = 2;
            assert!(!identity(&file, false).is_same(&identity(&other, false)), "{at}");
        }
        assert!(identity(&file, false).is_same(&identity(&file, true)));
        assert!(identity(&[], false).is_same(&identity(&[], true)));
    }

    #[test]
    fn a_large_file_is_identified_by_samples_or_on_request_by_every_byte() {
        let file = vec![1; 3 * WHOLE_BYTES as usize + 5];
        for (at, is_sampled) in [(0, true), (file.len() - 1, true), (70_000, false)] {
            let mut other = file.clone();
            other[at] = 2;
            assert_eq!(!identity(&file, false).is_same(&identity(&other, false)), is_sampled, "{at}");
            assert!(!identity(&file, true).is_same(&identity(&other, true)), "{at}");
        }
    }

    #[test]
    fn a_bounded_part_of_a_large_file_is_read() {
        for size_bytes in [WHOLE_BYTES + 1, 1 << 40, (1 << 53) - 1] {
            let reading = IdentityReading::new(size_bytes, false);
            assert_eq!(reading.ranges.iter().map(|range| range.end - range.start).sum::<u64>(), WHOLE_BYTES);
            assert_eq!(reading.ranges.last().map(|range| range.end), Some(size_bytes));
        }
    }
}
