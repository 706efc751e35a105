//! The client's side of signaling. The life of the socket is independent of the life of any peer connection.

mod backoff;
mod client;
mod identity;
mod keepalive;
mod output;
mod tabs;

pub use client::SignalingClient;
pub use identity::JoinRequest;
pub use output::{SignalingEvent, SignalingOutput, SocketId};
pub use tabs::{TabOutput, TabPlace};

/// The state of the signaling connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalingStatus {
    /// The first connection is being made.
    Connecting,
    /// The room is locked; its hosts are asked.
    Waiting,
    /// The client is in the room.
    Connected,
    /// The client was in the room and reconnects.
    Reconnecting,
    /// The connection ended, and the client does not reconnect by itself.
    Lost,
}

impl SignalingStatus {
    /// The word that tests read (`data-state`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Waiting => "waiting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Lost => "lost",
        }
    }
}
