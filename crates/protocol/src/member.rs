//! The members of a room, as the server describes them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::{InstanceId, MemberId},
    limits::{MAX_DISPLAY_NAME_CHARS, MAX_DISPLAY_NAME_MARKS},
    sealed::SealedName,
    text,
};

/// The name a member shows to the others: text, never markup, possibly empty.
///
/// Names that look the same are equal: invisible characters are removed, except those that emoji and scripts with joined letters
/// need ([`text::without_invisible`]), runs of white space become one space, and a character carries at most
/// [`MAX_DISPLAY_NAME_MARKS`] marks.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisplayName(String);

/// The error for a string that is not a display name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has at most {MAX_DISPLAY_NAME_CHARS} characters")]
pub struct DisplayNameInvalid;

impl DisplayName {
    /// Takes a name from outside.
    ///
    /// # Errors
    /// [`DisplayNameInvalid`] where it is longer than [`MAX_DISPLAY_NAME_CHARS`] after cleaning.
    pub fn new(raw: &str) -> Result<Self, DisplayNameInvalid> {
        let cleaned = clean(raw);
        if cleaned.chars().count() > MAX_DISPLAY_NAME_CHARS {
            Err(DisplayNameInvalid)
        } else {
            Ok(Self(cleaned))
        }
    }

    /// Takes a name that a person typed, and cuts it if it is too long.
    #[must_use]
    pub fn cut(raw: &str) -> Self {
        let cut: String = clean(raw).chars().take(MAX_DISPLAY_NAME_CHARS).collect();
        // A joiner at the new end joins nothing, so it is removed.
        Self(clean(&cut))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the member gave no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for DisplayName {
    type Error = DisplayNameInvalid;

    fn try_from(raw: String) -> Result<Self, DisplayNameInvalid> {
        Self::new(&raw)
    }
}

impl From<DisplayName> for String {
    fn from(name: DisplayName) -> Self {
        name.0
    }
}

impl fmt::Display for DisplayName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The arrival of a page instance, as a number that grows within a room. It is used only to order page instances: of two, the
/// later one (the newcomer) makes the first offer. It is part of the resume token, so it survives a restart of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arrival(pub u64);

/// Whether a member's signaling socket is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// The socket is open.
    Present,
    /// The socket closed without a `leave`; the seat is held for [`crate::limits::AWAY_HOLD_MS`].
    Away,
}

/// One member of a room, as the server stamps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The member's id in the room.
    pub id: MemberId,
    /// The display name; empty in a protected room.
    pub name: DisplayName,
    /// The encrypted display name, in a protected room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_name: Option<SealedName>,
    /// The page instance that has the seat now.
    pub instance: InstanceId,
    /// The arrival of that page instance.
    pub arrival: Arrival,
    /// Whether the member's socket is open.
    pub presence: Presence,
}

fn clean(raw: &str) -> String {
    let spaced: String = raw.chars().map(|c| if text::is_blank(c) { ' ' } else { c }).collect();
    let bounded = text::with_bounded_marks(&spaced, MAX_DISPLAY_NAME_MARKS);
    text::without_invisible(&bounded).split_whitespace().collect::<Vec<_>>().join(" ")
}
