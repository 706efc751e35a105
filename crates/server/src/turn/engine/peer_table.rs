//! A hash map with a cheap hash, for lookups that every packet needs.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// For tables of bounded size, where clients gain nothing by finding keys with the same hash.
pub(super) type PeerTable<K, V> = HashMap<K, V, BuildHasherDefault<PeerHasher>>;

/// Multiplies and folds, as `FxHasher` does.
#[derive(Debug, Default)]
pub(super) struct PeerHasher(u64);

impl PeerHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for PeerHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            self.mix(chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    fn write_u16(&mut self, number: u16) {
        self.mix(number.into());
    }

    fn write_u32(&mut self, number: u32) {
        self.mix(number.into());
    }

    fn write_u128(&mut self, number: u128) {
        self.mix((number >> 64) as u64);
        self.mix(number as u64);
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn write_isize(&mut self, number: isize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        // The table uses the lower bits, which a multiplication mixes badly.
        self.0 ^ (self.0 >> 32)
    }
}
