//! Nonces that need no memory (RFC 8489 section 9.2). Each carries its time and a signature over the time and the client's address,
//! so a client that asks for a million nonces costs no memory.

use std::{net::SocketAddr, time::Duration};

use ring::hmac;

use crate::time::UnixTime;

/// How long a nonce is valid. A client that comes with an older one is given another (438) and repeats its request.
pub(super) const NONCE_LIFE: Duration = Duration::from_secs(60 * 60);

const TAG_BYTES: usize = 12;
const NONCE_CHARS: usize = 2 * (4 + TAG_BYTES);

/// Makes nonces and checks them.
#[derive(Debug)]
pub(super) struct Nonces {
    key: hmac::Key,
    started: UnixTime,
}

impl Nonces {
    /// Nonces under a random secret of this process.
    pub(super) fn new(secret: &[u8; 32], now: UnixTime) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), started: now }
    }

    /// A nonce for this client.
    pub(super) fn hand_out(&self, client: SocketAddr, now: UnixTime) -> String {
        self.at(client, self.seconds(now))
    }

    /// Whether a nonce was given to this client, and not too long ago.
    pub(super) fn is_valid(&self, nonce: &str, client: SocketAddr, now: UnixTime) -> bool {
        if nonce.len() != NONCE_CHARS {
            return false;
        }
        let Some(issued_s) = nonce.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()) else {
            return false;
        };
        let age_s = self.seconds(now).checked_sub(issued_s);
        // Comparing in constant time is not needed: a guessed nonce is useless without the password.
        age_s.is_some_and(|age_s| u64::from(age_s) < NONCE_LIFE.as_secs())
            && self.at(client, issued_s) == nonce
    }

    fn at(&self, client: SocketAddr, seconds: u32) -> String {
        let tag = hmac::sign(&self.key, format!("{seconds} {client}").as_bytes());
        let head = seconds.to_be_bytes();
        head.iter().chain(&tag.as_ref()[..TAG_BYTES]).map(|byte| format!("{byte:02x}")).collect()
    }

    fn seconds(&self, now: UnixTime) -> u32 {
        u32::try_from(now.saturating_since(self.started).as_secs()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);

    #[test]
    fn a_nonce_is_valid_for_its_client_and_for_an_hour() {
        let nonces = Nonces::new(&[1; 32], START);
        let (client, other) = ("192.0.2.1:4000".parse().unwrap(), "192.0.2.1:4001".parse().unwrap());
        let issued = START + Duration::from_secs(100);
        let nonce = nonces.hand_out(client, issued);
        let is_valid = |client, s| nonces.is_valid(&nonce, client, issued + Duration::from_secs(s));
        assert!(is_valid(client, 0) && is_valid(client, 3_599));
        assert!(!is_valid(client, 3_600), "too old");
        assert!(!is_valid(other, 0), "another client's");
        assert!(!nonces.is_valid(&nonce, client, START), "of the future");
        assert!(!Nonces::new(&[2; 32], START).is_valid(&nonce, client, issued), "of another server");
    }

    #[test]
    fn a_malformed_or_forged_nonce_is_invalid() {
        let nonces = Nonces::new(&[1; 32], START);
        let client = "[2001:db8::1]:4000".parse().unwrap();
        for nonce in ["", "x", "00000000", "0000000é", &"0".repeat(32), &"f".repeat(400)] {
            assert!(!nonces.is_valid(nonce, client, START), "{nonce}");
        }
    }
}
