//! The closed set of errors that the server sends to a client.

use serde::{Deserialize, Serialize};

/// A machine-readable error code. The client shows its own sentence in the person's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// The room name of a `join` is not allowed. The socket is closed.
    RoomNameInvalid,
    /// The member's name of a `join` is too long. The socket is closed.
    NameInvalid,
    /// The `join` speaks another version of the protocol. The socket is closed.
    ProtocolVersion,
    /// A frame is not JSON, not a known message, a field is missing or out of bounds, a binary frame, a message
    /// before `join`, or a second `join`. The socket is closed.
    ProtocolError,
    /// A frame is longer than [`crate::limits::MAX_FRAME_BYTES`]. The socket is closed.
    FrameTooLarge,
    /// The client sends more frames per second than the server accepts. The socket is closed.
    RateLimited,
    /// The client did not read fast enough; the server's queue for it was full. The socket is closed.
    TooSlow,
    /// No `join` arrived in time. The socket is closed.
    JoinTimeout,
    /// The server has its maximum number of rooms or sockets. The socket is closed.
    ServerFull,
    /// The server is shutting down and will return. The socket is closed; the client reconnects.
    ShuttingDown,
    /// The addressee of a `signal`, or the member of a host's action, is not in the room, or away. Nothing is closed.
    PeerUnreachable,
    /// Only a host may do this. Nothing is closed.
    NotHost,
}

impl ErrorCode {
    /// The word in JSON, also used as the reason of a Close frame.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RoomNameInvalid => "room-name-invalid",
            Self::NameInvalid => "name-invalid",
            Self::ProtocolVersion => "protocol-version",
            Self::ProtocolError => "protocol-error",
            Self::FrameTooLarge => "frame-too-large",
            Self::RateLimited => "rate-limited",
            Self::TooSlow => "too-slow",
            Self::JoinTimeout => "join-timeout",
            Self::ServerFull => "server-full",
            Self::ShuttingDown => "shutting-down",
            Self::PeerUnreachable => "peer-unreachable",
            Self::NotHost => "not-host",
        }
    }

    /// Whether the server closes the socket after this error.
    #[must_use]
    pub fn closes(self) -> bool {
        !matches!(self, Self::PeerUnreachable | Self::NotHost)
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::TooSlow | Self::JoinTimeout | Self::ServerFull | Self::ShuttingDown
        )
    }
}
