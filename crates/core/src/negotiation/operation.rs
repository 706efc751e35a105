//! What a negotiator asks of the peer connection, and what it hears back.

use sightline_protocol::{
    signalling::{SignalCandidate, SignalDescription},
    text::without_invisible,
};

/// Names one operation, so that a completion that comes too late is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

/// Who makes the first offer of a connection, and so who gives way when later both offer at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The newcomer: adds the transceivers and offers. The *polite* side: rolls its own offer back for a colliding one.
    Offerer,
    /// Holds back its own first offer, adopts the offerer's transceivers and answers with its tracks in them. The
    /// *impolite* side: ignores an offer that collides with its own.
    Answerer,
}

/// One asynchronous call on the peer connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// `setLocalDescription()` in a state where that makes an offer. With `ice_restart`, `restartIce()` before it.
    /// Completes with [`Completed::LocalDescription`].
    SetLocalOffer {
        /// Whether new ICE credentials are wanted.
        ice_restart: bool,
    },
    /// `setRemoteDescription(description)`; an offer rolls a pending local offer back implicitly.
    /// Completes with [`Completed::Done`].
    SetRemoteDescription(SignalDescription),
    /// Adopt the offered transceivers (own tracks in them, `sendrecv`), then `setLocalDescription()`, which makes an
    /// answer. Completes with [`Completed::LocalDescription`].
    SetLocalAnswer,
    /// `addIceCandidate(candidate)`. Completes with [`Completed::Done`].
    AddIceCandidate(SignalCandidate),
}

/// How an operation ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completed {
    /// The local description that is now set.
    LocalDescription {
        /// `pc.localDescription.sdp`
        sdp: String,
    },
    /// There is nothing to tell.
    Done,
}

/// How an operation ended badly: the DOMException.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationFailure {
    /// Its name (`InvalidStateError`, `OperationError` ...).
    pub name: String,
    /// Its message, for a log.
    pub message: String,
}

/// Longest name or message of a failure, in characters.
const MAX_FAILURE_CHARS: usize = 300;

impl OperationFailure {
    /// The failure as it may be shown and kept. Browsers quote the line of a description that they refuse, which a member wrote: it may
    /// be very long, hide characters or turn the text around it.
    #[must_use]
    pub fn made_safe(self) -> Self {
        let safe = |text: &str| without_invisible(&text.chars().take(MAX_FAILURE_CHARS).collect::<String>());
        Self { name: safe(&self.name), message: safe(&self.message) }
    }
}
