//! The state of the connection to a member, in one word.

/// The state of the link to a member, as its tile shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// The first connection is being made.
    Connecting,
    /// Media and data can flow.
    Connected,
    /// Media and data stopped flowing; the connection is being repaired.
    Recovering,
    /// The member has no signaling connection and no working link; the server holds its seat.
    Away,
    /// No connection could be made.
    Failed,
}

impl LinkState {
    /// The word that tests read (`data-state`).
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
