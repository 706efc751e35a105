//! The names of rooms.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::base32,
    limits::{MAX_ROOM_NAME_CHARS, MIN_ROOM_NAME_CHARS},
};

/// A room's name: 3 to 64 of `a-z`, `0-9`, `-`. Upper-case letters become lower-case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomName(String);

/// The error for a string that is not a room name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a room name is {MIN_ROOM_NAME_CHARS} to {MAX_ROOM_NAME_CHARS} characters of a-z, 0-9, '-'")]
pub struct RoomNameInvalid;

impl RoomName {
    /// Takes a name that a person typed or that was in a link.
    ///
    /// # Errors
    /// [`RoomNameInvalid`] where the length or a character is not allowed.
    pub fn new(raw: &str) -> Result<Self, RoomNameInvalid> {
        let folded = raw.trim().to_ascii_lowercase();
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (MIN_ROOM_NAME_CHARS..=MAX_ROOM_NAME_CHARS).contains(&folded.len()) && folded.bytes().all(allowed)
        {
            Ok(Self(folded))
        } else {
            Err(RoomNameInvalid)
        }
    }

    /// A random name that cannot be guessed (128 bits), in groups that can be read aloud.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        let mut name = String::with_capacity(30);
        for (at, digit) in base32(bits).chars().enumerate() {
            if matches!(at, 5 | 10 | 15 | 20) {
                name.push('-');
            }
            name.push(digit);
        }
        Self(name)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoomName {
    type Error = RoomNameInvalid;

    fn try_from(raw: String) -> Result<Self, RoomNameInvalid> {
        Self::new(&raw)
    }
}

impl From<RoomName> for String {
    fn from(name: RoomName) -> Self {
        name.0
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_surrounding_space_are_folded() {
        assert_eq!(RoomName::new(" Team-7 ").map(String::from), Ok("team-7".to_owned()));
    }

    #[test]
    fn other_characters_and_lengths_are_refused() {
        for raw in ["", "ab", "a b", "a/b", "../etc", "<b>x</b>", "räume", "房间房间", &"x".repeat(65)] {
            assert_eq!(RoomName::new(raw), Err(RoomNameInvalid), "{raw:?}");
        }
        assert!(RoomName::new(&"x".repeat(64)).is_ok());
    }

    #[test]
    fn a_random_name_is_valid_and_keeps_all_its_bits() {
        let name = RoomName::from_random(u128::MAX);
        assert_eq!(RoomName::new(name.as_str()).as_ref(), Ok(&name));
        assert_ne!(name, RoomName::from_random(u128::MAX - 1));
        assert_ne!(name, RoomName::from_random(u128::MAX >> 1));
    }
}
