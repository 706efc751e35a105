//! Newtypes for everything that has an identity in the protocol.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_ID_CHARS;

/// The error for a string that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to {MAX_ID_CHARS} characters of A-Z, a-z, 0-9, '-', '_'")]
pub struct IdInvalid;

macro_rules! string_id {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes an id that came from outside.
            ///
            /// # Errors
            /// [`IdInvalid`] where it is empty, too long or has other characters.
            pub fn new(raw: impl Into<String>) -> Result<Self, IdInvalid> {
                let raw = raw.into();
                if is_id(&raw) { Ok(Self(raw)) } else { Err(IdInvalid) }
            }

            /// An id of 26 characters of base 32 from 128 random bits.
            #[must_use]
            pub fn from_random(bits: u128) -> Self {
                Self(base32(bits))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdInvalid;

            fn try_from(raw: String) -> Result<Self, IdInvalid> {
                Self::new(raw)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

string_id! {
    /// A member's seat in a room, assigned by the server. It survives a reload of the page (with the resume token) and a restart
    /// of the server.
    MemberId
}

string_id! {
    /// A page instance: random, chosen by the client at load. A known [`MemberId`] with a new instance has lost its peer
    /// connections, and the others discard theirs.
    InstanceId
}

string_id! {
    /// A run (measurement): random, chosen by the page that starts it.
    RunId
}

string_id! {
    /// The peer connections of two pages, one after the other: random, chosen by the side that offers first.
    ConnectionId
}

string_id! {
    /// A chat message: random, chosen by its author.
    MessageId
}

string_id! {
    /// The transfer of a file to one member: random, chosen by its sender.
    TransferId
}

string_id! {
    /// Files that a person chose together, random, made by their sender.
    BatchId
}

/// Counts the successive peer connections under one [`ConnectionId`], from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(pub u32);

impl Generation {
    /// The generation after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// 128 bits as 26 lower-case letters and digits (Crockford's alphabet: no `i`, `l`, `o`, `u`).
#[must_use]
pub fn base32(bits: u128) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    (0..26).rev().map(|digit| char::from(ALPHABET[((bits >> (digit * 5)) & 31) as usize])).collect()
}

fn is_id(raw: &str) -> bool {
    (1..=MAX_ID_CHARS).contains(&raw.len())
        && raw.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_markup_or_an_invalid_length_is_refused() {
        for raw in ["", "a b", "<b>", "é", &"x".repeat(MAX_ID_CHARS + 1)] {
            assert_eq!(MemberId::new(raw), Err(IdInvalid), "{raw:?}");
        }
        assert!(MemberId::new("x".repeat(MAX_ID_CHARS)).is_ok());
    }

    #[test]
    fn ids_from_different_bits_differ_and_are_valid() {
        let ids = [0, 1, 31, 32, 1 << 64, u128::MAX].map(|bits| MessageId::from_random(bits).to_string());
        for (at, id) in ids.iter().enumerate() {
            assert!(MessageId::new(id.clone()).is_ok(), "{id}");
            assert!(!ids[..at].contains(id), "{id} twice");
        }
    }
}
