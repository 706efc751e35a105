//! What a peer wants done, and what became of it.

use sightline_protocol::{control::ControlMessage, signalling::Signal, telemetry::TelemetryMessage};

use super::LinkState;
use crate::{
    link::LinkId,
    negotiation::{Operation, OperationFailure, OperationId, Role},
};

/// What a [`PeerSession`](super::PeerSession) wants done, or tells the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerOutput {
    // For the peer connections.
    /// Make a peer connection under this id, with the `control` channel; the offerer's with its transceivers.
    OpenLink(LinkId, Role),
    /// Make a peer connection under this id, with the `bulk` channel alone.
    OpenBulkLink(LinkId),
    /// From now on this link is the one in use.
    UseLink(LinkId),
    /// Close and forget a peer connection.
    CloseLink(LinkId),
    /// Perform an operation on a peer connection and report its end.
    Perform(LinkId, OperationId, Operation),
    /// Send this on the `control` channel.
    SendControl(LinkId, ControlMessage),
    /// Send this on the `telemetry` channel.
    SendTelemetry(LinkId, TelemetryMessage),
    /// Send this to the member through the signaling server.
    SendSignal(Signal),

    // For the room.
    /// The member said this, which is not about its own connections.
    Received(ControlMessage),
    /// The `control` channel of the link in use is open: what is to be said to the member can be said now.
    ChannelOpened,
    /// This side closed every link.
    LinksClosed,
    /// A link for files closed, maybe with bytes on it.
    BulkLinkLost,
    /// The round-trip time is known for the first time: more links for files may be worth having.
    RoundTripKnown,
    /// Trouble began on the link in use.
    TroubleBegan,
    /// Nothing can be negotiated on a link any more, because of this. The peer replaces the link by itself.
    NegotiationBroken(LinkId, OperationFailure),
    /// Another peer connection never came up, after so many that the person is to be told.
    ConnectionFailed,
    /// The state of the link is another.
    StateChanged(LinkState),
    /// What [`PeerSession::view`](super::PeerSession::view) gives is another.
    Changed,
    /// The member is cut off: nothing that it said or offered counts.
    CutOff,
    /// The member is gone for good. The last output.
    Gone,
}
