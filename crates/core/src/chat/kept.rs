//! A message as it is kept on the device.

use serde::{Deserialize, Serialize};
use sightline_protocol::MemberId;

use super::ChatMessage;

/// A message with what is needed to go on delivering it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMessage {
    /// The message.
    pub message: ChatMessage,
    /// Who has not acknowledged it, where it is one's own.
    pub missing: Vec<MemberId>,
}

impl KeptMessage {
    /// As text.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Reads what [`Self::to_text`] wrote; `None` for anything else, an older version's record included.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}
