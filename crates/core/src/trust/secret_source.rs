//! Makes the secrets of one page.
//!
//! Invariant: SHA-256 of a seed and a number, so that no secret tells another.

use std::fmt;

use sha2::{Digest, Sha256};

use super::RoomSecret;

#[derive(Clone)]
pub(super) struct SecretSource {
    seed: u128,
    drawn: u64,
}

impl SecretSource {
    /// `seed` must come from a cryptographic generator and serve nothing else.
    pub(super) fn new(seed: u128) -> Self {
        Self { seed, drawn: 0 }
    }

    pub(super) fn draw(&mut self) -> RoomSecret {
        self.drawn += 1;
        let hash = Sha256::new_with_prefix("sightline/1 secret\n").chain_update(self.seed.to_be_bytes());
        let hash = <[u8; 32]>::from(hash.chain_update(self.drawn.to_be_bytes()).finalize());
        let bits = hash.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        RoomSecret::from_random(bits)
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretSource").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_comes_twice_or_from_another_seed() {
        let [mut one, mut other] = [1, 2].map(SecretSource::new);
        let secrets: Vec<_> = (0..100).flat_map(|_| [one.draw(), other.draw()]).collect();
        for (at, secret) in secrets.iter().enumerate() {
            assert!(!secrets[..at].contains(secret), "{at}");
        }
        assert!(SecretSource::new(1).draw() == secrets[0]);
    }
}
