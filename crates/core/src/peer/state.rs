//! How the connection to a member stands, in one word.

/// The state of the link to a member, as its tile says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// The first connection is being made.
    Connecting,
    /// Media and data can flow.
    Connected,
    /// Media and data could flow and cannot now; the connection is being mended.
    Recovering,
    /// The member has no signaling connection and no working link; its place in the room is held.
    Away,
    /// No connection could be made.
    Failed,
}

impl LinkState {
    /// The word as tests read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Recovering => "recovering",
            Self::Away => "away",
            Self::Failed => "failed",
        }
    }
}
