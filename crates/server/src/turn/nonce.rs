//! Nonces that need no memory: each carries its time and a signature over that and the client's address, so whoever
//! asks for a million of them costs nothing (RFC 8489 section 9.2).

use std::{net::SocketAddr, time::Duration};

use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use tokio::time::Instant;

/// How long a nonce is taken. A client that comes with an older one is given another (438) and repeats its request.
const NONCE_LIFE: Duration = Duration::from_secs(60 * 60);

const TAG_BYTES: usize = 12;
const NONCE_CHARS: usize = 2 * (4 + TAG_BYTES);

/// Makes nonces and knows them again.
#[derive(Debug)]
pub(super) struct Nonces {
    key: hmac::Key,
    started: Instant,
}

impl Nonces {
    /// Nonces under a key of their own.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn new(now: Instant) -> Result<Self, ring::error::Unspecified> {
        let mut secret = [0; 32];
        SystemRandom::new().fill(&mut secret)?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &secret), started: now })
    }

    /// A nonce for this client.
    pub(super) fn hand_out(&self, client: SocketAddr, now: Instant) -> String {
        self.at(client, self.seconds(now))
    }

    /// Whether a nonce was given to this client, and not too long ago.
    pub(super) fn is_valid(&self, nonce: &str, client: SocketAddr, now: Instant) -> bool {
        if nonce.len() != NONCE_CHARS {
            return false;
        }
        let Some(issued_s) = nonce.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()) else {
            return false;
        };
        let age_s = self.seconds(now).checked_sub(issued_s);
        // The time of the comparison says nothing of use: whoever could guess a nonce still has no password.
        age_s.is_some_and(|age_s| u64::from(age_s) < NONCE_LIFE.as_secs())
            && self.at(client, issued_s) == nonce
    }

    fn at(&self, client: SocketAddr, seconds: u32) -> String {
        let tag = hmac::sign(&self.key, format!("{seconds} {client}").as_bytes());
        let head = seconds.to_be_bytes();
        head.iter().chain(&tag.as_ref()[..TAG_BYTES]).map(|byte| format!("{byte:02x}")).collect()
    }

    fn seconds(&self, now: Instant) -> u32 {
        u32::try_from(now.saturating_duration_since(self.started).as_secs()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_valid_for_its_client_and_for_an_hour() {
        let start = Instant::now();
        let nonces = Nonces::new(start).unwrap();
        let (client, other) = ("192.0.2.1:4000".parse().unwrap(), "192.0.2.1:4001".parse().unwrap());
        let issued = start + Duration::from_secs(100);
        let nonce = nonces.hand_out(client, issued);
        let is_valid = |client, s| nonces.is_valid(&nonce, client, issued + Duration::from_secs(s));
        assert!(is_valid(client, 0) && is_valid(client, 3_599));
        assert!(!is_valid(client, 3_600), "too old");
        assert!(!is_valid(other, 0), "another client's");
        assert!(!nonces.is_valid(&nonce, client, start), "of the future");
        assert!(!Nonces::new(start).unwrap().is_valid(&nonce, client, issued), "of another server");
    }

    #[test]
    fn anything_else_is_no_nonce() {
        let start = Instant::now();
        let nonces = Nonces::new(start).unwrap();
        let client = "[2001:db8::1]:4000".parse().unwrap();
        for nonce in ["", "x", "00000000", "0000000é", &"0".repeat(32), &"f".repeat(400)] {
            assert!(!nonces.is_valid(nonce, client, start), "{nonce}");
        }
    }
}
