//! Who is in a room, as the server tells it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::{InstanceId, MemberId},
    limits::MAX_DISPLAY_NAME_CHARS,
};

/// The name a member shows to the others: text, never markup, possibly empty.
///
/// Control and invisible formatting characters become spaces, runs of white space one space.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisplayName(String);

/// Why a string is not a display name.
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

    /// Takes a name that a person typed: what is too long is cut.
    #[must_use]
    pub fn cut(raw: &str) -> Self {
        Self(clean(raw).chars().take(MAX_DISPLAY_NAME_CHARS).collect::<String>().trim_end().to_owned())
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

/// When a page instance arrived, as a number that grows within a room. It orders page instances, nothing else:
/// of two, the later one (the newcomer) makes the first offer. It is part of the resume token, so it survives a
/// restart of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Arrival(pub u64);

/// Whether a member's signalling socket is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// The socket is open.
    Present,
    /// The socket closed without a `leave`; the place is held for [`crate::limits::AWAY_HOLD_MS`].
    Away,
}

/// One member of a room, as the server stamps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The place in the room.
    pub id: MemberId,
    /// The name shown to the others.
    pub name: DisplayName,
    /// The life of the page that holds the place now.
    pub instance: InstanceId,
    /// When that page arrived.
    pub arrival: Arrival,
    /// Whether its socket is open.
    pub presence: Presence,
}

fn clean(raw: &str) -> String {
    let spaced: String = raw.chars().map(|c| if c.is_control() || is_format(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that change the direction or the look of the text around them.
fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_stays_text_and_control_characters_become_spaces() {
        assert_eq!(DisplayName::cut(" <b>A\nda</b>\u{202e} ").as_str(), "<b>A da</b>");
    }

    #[test]
    fn a_name_too_long_is_refused_from_the_wire_and_cut_from_the_keyboard() {
        let long = "名".repeat(MAX_DISPLAY_NAME_CHARS + 1);
        assert_eq!(DisplayName::new(&long), Err(DisplayNameInvalid));
        assert_eq!(DisplayName::cut(&long).as_str().chars().count(), MAX_DISPLAY_NAME_CHARS);
    }
}
