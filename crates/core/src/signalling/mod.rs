//! The client's side of signalling: the life of the socket, apart from the life of any peer connection.

mod backoff;
mod client;
mod tabs;

pub use client::{JoinRequest, SignallingClient, SignallingEvent, SignallingOutput, SocketId};
pub use tabs::{TabOutput, TabPlace};

/// How the signalling connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignallingStatus {
    /// The first connection is being made.
    Connecting,
    /// The room is joined.
    Connected,
    /// It was joined and is being sought again.
    Reconnecting,
    /// It ended and does not come back by itself.
    Lost,
}

impl SignallingStatus {
    /// The word as tests read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Lost => "lost",
        }
    }
}
