//! What the browser, or another implementation of WebRTC, reports of a peer connection.

use sightline_protocol::signaling::SignalCandidate;

use crate::{
    negotiation::{Completed, OperationFailure, OperationId},
    recovery::PeerConnectionState,
};

/// An event of a peer connection. Events of a closed link may arrive late and have no effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// The event `negotiationneeded`.
    NegotiationNeeded,
    /// The local ICE agent found a candidate.
    LocalCandidate(SignalCandidate),
    /// An operation ended.
    Completed(OperationId, Result<Completed, OperationFailure>),
    /// `connectionState` changed.
    State(PeerConnectionState),
    /// The `control` channel opened.
    ChannelOpened,
    /// The `control` channel closed: the other page is gone, or the connection is.
    ChannelClosed,
    /// The channel of a peer connection for files opened.
    BulkOpened,
    /// The channel of a peer connection for files closed, or the connection failed.
    BulkClosed,
}

impl LinkEvent {
    /// The event, with a failure as it may be shown and kept.
    #[must_use]
    pub fn made_safe(self) -> Self {
        match self {
            Self::Completed(id, Err(failure)) => Self::Completed(id, Err(failure.made_safe())),
            other => other,
        }
    }
}
