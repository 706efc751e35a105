//! Random numbers from a seed that the caller gives, for ids and jitter. Not for keys.

/// SplitMix64 (Steele, Lea and Flood, 2014), seeded with 128 bits by the caller.
#[derive(Debug, Clone)]
pub struct SeededRandom {
    state: u64,
    salt: u64,
}

impl SeededRandom {
    /// A generator; different seeds give different sequences.
    #[must_use]
    pub fn new(seed: u128) -> Self {
        Self { state: seed as u64, salt: (seed >> 64) as u64 }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state ^ self.salt;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// The next 128 random bits.
    pub fn next_u128(&mut self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }

    /// The next number in the range 0..1.
    pub fn next_unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}
