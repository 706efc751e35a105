//! The secret of a protected room, as it stands in an invitation behind the `#`.

use std::fmt;

use sightline_protocol::{SecretText, verification::Base64Url};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The secret that everyone with the invitation knows: 128 random bits. `Debug` does not print it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RoomSecret(u128);

/// The error for a text that is not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is {} characters of base64url", RoomSecret::CHARS)]
pub struct SecretInvalid;

impl RoomSecret {
    /// Length of a secret in an invitation: 16 bytes in base64url without padding.
    pub const CHARS: usize = 22;

    /// A secret from random bits, which must come from a cryptographic generator.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        Self(bits)
    }

    /// Reads a secret. Each secret has exactly one text.
    ///
    /// # Errors
    /// [`SecretInvalid`] where the text has another length or other characters.
    pub fn parse(text: &str) -> Result<Self, SecretInvalid> {
        let digits = text.as_bytes();
        if digits.len() != Self::CHARS {
            return Err(SecretInvalid);
        }
        let mut bits: u128 = 0;
        for (at, digit) in digits.iter().enumerate() {
            let value = ALPHABET.iter().position(|known| known == digit).ok_or(SecretInvalid)? as u128;
            // The last digit has two bits of the secret, and four that are 0.
            bits = match at {
                0..21 => bits << 6 | value,
                _ if value & 15 == 0 => bits << 2 | value >> 4,
                _ => return Err(SecretInvalid),
            };
        }
        Ok(Self(bits))
    }

    /// The secret in a message to another member.
    #[must_use]
    pub fn to_message(self) -> Option<SecretText> {
        Base64Url::new(self.to_string()).ok().map(SecretText::new)
    }

    /// The secret as bytes, for [`RoomKeys`](super::RoomKeys).
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for RoomSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digit = |value: u128| char::from(ALPHABET[(value & 63) as usize]);
        let mut text: String = (0..21).map(|at| digit(self.0 >> (122 - 6 * at))).collect();
        text.push(digit((self.0 & 3) << 4));
        formatter.write_str(&text)
    }
}

impl fmt::Debug for RoomSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RoomSecret")
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_secret_is_base64url_of_its_bytes(bits: u128) {
            let secret = RoomSecret::from_random(bits);
            let text = secret.to_string();
            prop_assert_eq!(&text, &URL_SAFE_NO_PAD.encode(bits.to_be_bytes()));
            prop_assert_eq!(RoomSecret::parse(&text), Ok(secret));
        }
    }

    #[test]
    fn another_text_is_no_secret() {
        let sound = RoomSecret::from_random(0).to_string();
        assert!(RoomSecret::parse(&sound).is_ok());
        for text in [
            "",
            "chat",
            &sound[1..],
            &format!("{sound}A"),
            &sound.replacen('A', "+", 1),
            &sound.replacen('A', "é", 1),
            "AAAAAAAAAAAAAAAAAAAAAB",
        ] {
            assert_eq!(RoomSecret::parse(text), Err(SecretInvalid), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_printed_by_debug() {
        assert_eq!(format!("{:?}", RoomSecret::from_random(7)), "RoomSecret");
    }
}
