//! Tokens of the server's operator that allow to open a room, for a server on which not everybody may.
//!
//! `base64url(payload) "." base64url(HMAC-SHA256(key, payload))`. The payload is the word `create` and the expiry in seconds since 1970.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;
use sightline_protocol::limits::MAX_CREATE_TOKEN_CHARS;

use crate::time::UnixTime;

const WORD: &str = "create";

/// Signs and checks tokens that allow to open rooms.
#[derive(Debug, Clone)]
pub struct CreateKey(hmac::Key);

impl CreateKey {
    /// The key with these secret bytes.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// A token that is valid until this time.
    #[must_use]
    pub fn sign(&self, expires: UnixTime) -> String {
        let payload = format!("{WORD} {}", expires.as_s());
        let tag = hmac::sign(&self.0, payload.as_bytes());
        format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(tag))
    }

    /// Whether this key signed a token, and the token has not expired.
    #[must_use]
    pub fn admits(&self, token: &str, now: UnixTime) -> bool {
        self.expiry_s(token).is_some_and(|expires_s| now.as_s() < expires_s)
    }

    fn expiry_s(&self, token: &str) -> Option<u64> {
        if token.len() > MAX_CREATE_TOKEN_CHARS {
            return None;
        }
        let (payload, tag) = token.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        hmac::verify(&self.0, &payload, &URL_SAFE_NO_PAD.decode(tag).ok()?).ok()?;
        std::str::from_utf8(&payload).ok()?.strip_prefix(WORD)?.strip_prefix(' ')?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_ms(1_000_000);
    const LATER: UnixTime = UnixTime::from_ms(2_000_000);

    fn key(byte: u8) -> CreateKey {
        CreateKey::new(&[byte; 32])
    }

    #[test]
    fn a_token_is_valid_until_its_expiry() {
        let token = key(1).sign(LATER);
        assert!(key(1).admits(&token, NOW));
        assert!(!key(1).admits(&token, LATER));
    }

    #[test]
    fn a_token_of_another_key_or_with_any_character_changed_is_refused() {
        let token = key(1).sign(LATER);
        assert!(!key(2).admits(&token, NOW));
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert!(!key(1).admits(&String::from_utf8(forged).unwrap(), NOW), "changed at {at}");
        }
    }

    #[test]
    fn what_the_key_signed_for_another_purpose_opens_no_room() {
        let tag = hmac::sign(&key(1).0, b"team-7 m1 i1 5 9999999999");
        let token = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode("team-7 m1 i1 5 9999999999"),
            URL_SAFE_NO_PAD.encode(tag)
        );
        assert!(!key(1).admits(&token, NOW));
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        for raw in ["", ".", "a", "a.b", "é.é", &"a".repeat(100_000)] {
            assert!(!key(1).admits(raw, NOW));
        }
    }
}
