//! A chat message as it is stored on the device.

use serde::{Deserialize, Serialize};
use sightline_protocol::MemberId;

use super::ChatMessage;

/// A message together with what is needed to continue its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMessage {
    /// The stored message, with its delivery state.
    pub message: ChatMessage,
    /// The members that have not acknowledged a message of this page.
    pub missing: Vec<MemberId>,
    /// Whether a member has acknowledged such a message.
    #[serde(default)]
    pub is_heard: bool,
}

impl KeptMessage {
    /// The record as text (JSON).
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Reads the output of [`Self::to_text`]; `None` for anything else, including a record of an older version.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
