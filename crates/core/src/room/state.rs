//! How a member stands to this one.

/// The state of the link to a member, as its tile says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// The first connection is being made.
    Connecting,
    /// Media and data can flow.
    Connected,
    /// It flowed and does not now; it is being mended.
    Recovering,
    /// The member's signalling is gone and so is the link; its place is held.
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
