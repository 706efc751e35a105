//! The outputs of a peer.

use sightline_protocol::{control::ControlMessage, signaling::Signal, telemetry::TelemetryMessage};

use super::LinkState;
use crate::{
    link::LinkId,
    negotiation::{Operation, OperationFailure, OperationId, Role},
};

/// An output of a [`PeerSession`](super::PeerSession): something to do, or an event for the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerOutput {
    // For the peer connections.
    /// Make a peer connection under this id, with the `control` channel; the offerer's with its transceivers.
    OpenLink(LinkId, Role),
    /// Make a peer connection under this id, with the `bulk` channel alone.
    OpenBulkLink(LinkId),
    /// This link becomes the one in use.
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
    /// The member sent this message, which is not about its own connections.
    Received(ControlMessage),
    /// The `control` channel of the link in use opened: messages for the member can be sent now.
    ChannelOpened,
    /// The fingerprints of a link changed: see [`PeerSession::code_basis`](super::PeerSession::code_basis).
    FingerprintsChanged,
    /// This side closed every link.
    LinksClosed,
    /// A bulk link closed, and bytes on it may be lost.
    BulkLinkLost,
    /// The round-trip time was measured for the first time: further bulk links may be useful.
    RoundTripKnown,
    /// The link in use stopped carrying data.
    TroubleBegan,
    /// Negotiation on a link failed with this error. The peer replaces the link by itself.
    NegotiationBroken(LinkId, OperationFailure),
    /// Several consecutive peer connections never came up: the person is to be told.
    ConnectionFailed,
    /// The state of the link changed.
    StateChanged(LinkState),
    /// The result of [`PeerSession::view`](super::PeerSession::view) changed.
    Changed,
    /// The member is cut off: its messages and offers are discarded.
    CutOff,
    /// The member is gone for good. The last output.
    Gone,
}
