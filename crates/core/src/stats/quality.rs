//! Bars and one sentence: how the connection to one member is, and why.

/// How good what arrives is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quality {
    /// From 0 (nothing arrives) to 4 (nothing to complain of).
    pub bars: u8,
    /// The one thing to say.
    pub cause: Cause,
}

/// Why the quality is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Nothing to complain of.
    Good,
    /// No picture is expected: the other side publishes none.
    NoVideo,
    /// A picture is expected and none arrives.
    NothingArrives,
    /// Packets are lost on the way here.
    Loss,
    /// The round trip is long.
    Delay,
    /// Packets come unevenly.
    Jitter,
    /// This side's upload is full.
    UploadFull,
    /// This side's computer cannot encode faster.
    SenderBusy,
    /// The picture arrives but is shown with gaps.
    Freezes,
}
