//! The conversation: ids, acknowledgements, order, exactly once; which text is sent, and the links in it.

mod conversation;
mod kept;
mod link;
mod seen;
mod text;

use serde::{Deserialize, Serialize};

pub use conversation::{
    ChatMessage, Conversation, MAX_LOG, MAX_LOG_BYTES, MessageNumber, Outgoing, TextRefused,
};
pub use kept::KeptMessage;
pub use link::{Segment, split_links};
pub use text::{excess_characters, prepare};

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Own: not everyone who was present when it was sent has acknowledged it.
    Sending,
    /// Own: everyone who was present when it was sent has acknowledged it.
    Delivered,
    /// Another's.
    Received,
    /// Own: someone who was present when it was sent left before acknowledging it, and has not come back for it.
    Undeliverable,
    /// Own: nobody was there when it was sent.
    Unheard,
}

impl DeliveryState {
    /// The word as tests read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Received => "received",
            Self::Undeliverable | Self::Unheard => "undeliverable",
        }
    }
}
