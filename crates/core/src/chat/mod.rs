//! The conversation: ids, acknowledgements, order and delivery exactly once; cleaning of texts, and the links in them.

mod addressee;
mod conversation;
mod kept;
mod link;
mod message;
mod seen;
mod text;

use serde::{Deserialize, Serialize};

pub use addressee::Addressee;
pub use conversation::{Conversation, MAX_LOG, MAX_LOG_BYTES, Outgoing, TextRefused};
pub use kept::KeptMessage;
pub use link::{Segment, split_links};
pub use message::{ChatMessage, MessageNumber};
pub use text::{excess_characters, prepare};

/// Delivery state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Sent by this page: not everyone who was present has acknowledged it.
    Sending,
    /// Sent by this page: everyone who was present has acknowledged it.
    Delivered,
    /// Written by another member.
    Received,
    /// Sent by this page: a member that was present left before it acknowledged the message, and has not returned.
    Undeliverable,
    /// Sent by this page: nobody else was in the room.
    Unheard,
}

impl DeliveryState {
    /// The word that tests read (`data-state`).
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
