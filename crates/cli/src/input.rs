//! The inputs of a [`Peer`](crate::peer::Peer), in two queues.

use bytes::Bytes;
use sightline_core::{
    link::LinkId,
    measure::{NotedFrame, StatsEntry},
    negotiation::{Completed, OperationFailure, OperationId},
    recovery::PeerConnectionState,
    signaling::SocketId,
};
use sightline_protocol::signaling::SignalCandidate;

use crate::socket::SocketEvent;

/// An input of signaling or of a peer connection. Handled before messages of members.
#[derive(Debug)]
pub(crate) enum Input {
    Socket(SocketId, SocketEvent),
    /// A peer connection could not be made, for this reason.
    NotOpened(LinkId, String),
    NegotiationNeeded(LinkId),
    LocalCandidate(LinkId, SignalCandidate),
    State(LinkId, PeerConnectionState),
    Completed(LinkId, OperationId, Result<Completed, OperationFailure>),
    /// The member gets the pictures of this member's source from now on.
    Watching(LinkId),
    /// The member cannot decode the pictures of this member's source.
    CodecMissing(LinkId),
    /// What arrived over a link since the report before.
    Arrived(LinkId, Box<Arrived>),
    /// A `bulk` channel can take more bytes.
    Drained,
}

/// A stats report of a link that receives pictures.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) entries: Vec<StatsEntry>,
    /// Whether there is a stream of pictures: if so, no frame means that none arrived.
    pub(crate) has_picture: bool,
    pub(crate) frames: Vec<NotedFrame>,
}

/// A data channel of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Channel {
    Control,
    Telemetry,
    Bulk,
}

/// An event of a data channel. The events of one channel stay in order.
#[derive(Debug)]
pub(crate) struct ChannelInput {
    pub(crate) link: LinkId,
    pub(crate) channel: Channel,
    pub(crate) event: ChannelEvent,
}

/// What happened on a data channel.
#[derive(Debug)]
pub(crate) enum ChannelEvent {
    Open,
    Text(String),
    Binary(Bytes),
    /// A text that is not UTF-8, or a message that is too long.
    Unreadable,
    Closed,
}
