//! One message of the conversation.

use serde::{Deserialize, Serialize};
use sightline_protocol::{
    MemberId, MessageId,
    control::{ControlMessage, UnixMilliseconds},
};

use super::DeliveryState;

/// Position of a message in this page's conversation; grows with each message and identifies it on this page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageNumber(pub u32);

/// One message of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Chosen by the author.
    pub id: MessageId,
    /// Position in this page's conversation.
    pub number: MessageNumber,
    /// `None` for a message of this page.
    pub author: Option<MemberId>,
    /// The author's name at that time; empty for a message of this page and for an author without a name.
    pub author_name: String,
    /// Whether the message is for one member only.
    #[serde(default)]
    pub is_private: bool,
    /// For a private message of this page: the name of its receiver at that time.
    #[serde(default)]
    pub addressee_name: String,
    /// Text, with line breaks as `\n`.
    pub text: String,
    /// Milliseconds since 1970 on the author's clock.
    pub sent_at_ms: u64,
    /// The progress of delivery.
    pub state: DeliveryState,
}

impl ChatMessage {
    /// The message as it is sent.
    pub(super) fn to_wire(&self) -> ControlMessage {
        let (id, text) = (self.id.clone(), self.text.clone());
        let sent_at_ms = UnixMilliseconds::saturating(self.sent_at_ms);
        if self.is_private {
            ControlMessage::PrivateChat { id, text, sent_at_ms }
        } else {
            ControlMessage::Chat { id, text, sent_at_ms }
        }
    }
}
