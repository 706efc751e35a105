//! What a negotiator asks of the peer connection, and the results.

use sightline_protocol::{
    signaling::{SignalCandidate, SignalDescription},
    text::without_invisible,
};

/// Identifies one operation, so that a late completion is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

/// Which side makes the first offer of a connection; it also decides who gives way when both offer at once later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The newcomer: adds the transceivers and offers. The *polite* side: rolls its local offer back for a colliding one.
    Offerer,
    /// Waits for the first offer, adopts its transceivers and answers with its tracks in them. The *impolite* side: ignores an
    /// offer that collides with its own.
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

impl Operation {
    /// The method of `RTCPeerConnection` that it calls, for a log.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::SetLocalOffer { .. } | Self::SetLocalAnswer => "setLocalDescription",
            Self::SetRemoteDescription(_) => "setRemoteDescription",
            Self::AddIceCandidate(_) => "addIceCandidate",
        }
    }
}

/// The result of a successful operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completed {
    /// The local description that is set now.
    LocalDescription {
        /// The text of `pc.localDescription.sdp`.
        sdp: String,
    },
    /// The operation has no result value.
    Done,
}

/// The DOMException of a failed operation.
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
