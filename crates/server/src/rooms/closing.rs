//! Why the server closes a socket, and the last message and Close frame that say so.

use sightline_protocol::{ErrorCode, RefusalReason, signaling::ServerMessage};

/// Longest `message` of an `error`, in characters, because the message may repeat what a client sent.
const MAX_MESSAGE_CHARS: usize = 200;

/// Why a socket is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// The member said `leave`.
    Left,
    /// The room is full.
    Full {
        /// Most members of the room.
        room_limit: usize,
    },
    /// A later socket used the same resume token.
    Replaced,
    /// The locked room does not admit this client.
    Refused(RefusalReason),
    /// A host removed the member.
    Removed,
    /// A host ended the room.
    Ended,
    /// The client broke a rule, or the server cannot continue.
    Failed {
        /// The stable code of the error.
        code: ErrorCode,
        /// A sentence for a log.
        message: String,
    },
    /// The other side is gone, so nothing more can be sent.
    Gone,
}

impl Closing {
    /// A failure with a sentence, which is cut to a bounded length.
    #[must_use]
    pub fn failed(code: ErrorCode, message: &str) -> Self {
        Self::Failed { code, message: message.chars().take(MAX_MESSAGE_CHARS).collect() }
    }

    /// The last message on the socket.
    #[must_use]
    pub fn message(&self) -> Option<ServerMessage> {
        match self {
            Self::Left | Self::Gone => None,
            Self::Full { room_limit } => Some(ServerMessage::Full { room_limit: *room_limit }),
            Self::Replaced => Some(ServerMessage::Replaced),
            Self::Refused(reason) => Some(ServerMessage::Refused { reason: *reason }),
            Self::Removed => Some(ServerMessage::Removed),
            Self::Ended => Some(ServerMessage::Ended),
            Self::Failed { code, message } => {
                Some(ServerMessage::Error { code: *code, message: message.clone() })
            }
        }
    }

    /// The status code of the WebSocket's Close frame (RFC 6455 section 7.4.1 and its IANA registry).
    #[must_use]
    pub fn close_code(&self) -> u16 {
        match self {
            Self::Left | Self::Gone => 1000,
            Self::Failed { code: ErrorCode::ShuttingDown, .. } => 1001,
            Self::Failed { code: ErrorCode::FrameTooLarge, .. } => 1009,
            Self::Failed { code: ErrorCode::ServerFull, .. } => 1013,
            Self::Full { .. }
            | Self::Replaced
            | Self::Refused(_)
            | Self::Removed
            | Self::Ended
            | Self::Failed { .. } => 1008,
        }
    }

    /// The reason in the Close frame: the error's code, or the type of the last message.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Left | Self::Gone => String::new(),
            Self::Full { .. } => "full".to_owned(),
            Self::Replaced => "replaced".to_owned(),
            Self::Refused(_) => "refused".to_owned(),
            Self::Removed => "removed".to_owned(),
            Self::Ended => "ended".to_owned(),
            Self::Failed { code, .. } => code.as_str().to_owned(),
        }
    }
}
