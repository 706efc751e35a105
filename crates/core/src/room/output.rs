//! What a session wants done, and what it tells the person.

use sightline_protocol::{ErrorCode, MemberId, control::ControlMessage};

use crate::{
    chat::MessageNumber,
    link::LinkId,
    negotiation::{Operation, OperationFailure, OperationId, Role},
    notice::NoticeCode,
    signaling::{SignalingStatus, SocketId},
    transfer::TransferTask,
};

/// What the session wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomOutput {
    /// Open a signaling socket under this id.
    OpenSocket(SocketId),
    /// Send a text frame on it.
    SendFrame(SocketId, String),
    /// Close and forget it; with a code where the server is to be told what was wrong with what it said.
    CloseSocket(SocketId, Option<ErrorCode>),
    /// Make a peer connection under this id, with the `control` channel; the offerer's with its transceivers.
    OpenLink {
        /// Its name from now on.
        link: LinkId,
        /// To whom.
        member: MemberId,
        /// Whether it offers first.
        role: Role,
    },
    /// Make a peer connection under this id with the `bulk` channel alone. Its operations, candidates and end are told like
    /// those of another; its channel to [`handle_bulk_opened`](super::RoomSession::handle_bulk_opened)
    /// and [`handle_bulk_closed`](super::RoomSession::handle_bulk_closed).
    OpenBulkLink {
        /// Its name from now on.
        link: LinkId,
        /// To whom.
        member: MemberId,
    },
    /// Of the member's peer connections this one is used from now on: show what it receives.
    UseLink(LinkId),
    /// Close and forget a peer connection.
    CloseLink(LinkId),
    /// Perform an operation on a peer connection and report its end.
    Perform(LinkId, OperationId, Operation),
    /// Every peer connection gets the ice servers of [`ice_servers`](super::RoomSession::ice_servers), for the next time that it gathers
    /// candidates.
    IceServersChanged,
    /// Send this text on the `control` channel.
    SendControl(LinkId, String),
    /// Send this text on the `telemetry` channel.
    SendTelemetry(LinkId, String),
    /// Files: for the worker that reads and stores them, or for the page.
    Transfer(TransferTask),
    /// Tell the person.
    Event(RoomEvent),
}

/// What changed for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// The signaling connection.
    Status(SignalingStatus),
    /// A problem arose.
    Raised(NoticeCode),
    /// It is over.
    Cleared(NoticeCode),
    /// The room is entered, or entered again. Keep the token for a reload of this tab.
    Entered {
        /// The place.
        you: MemberId,
        /// Takes it back.
        resume: String,
    },
    /// A member came or is not as it was: see [`peer`](super::RoomSession::peer).
    PeerChanged(MemberId),
    /// A member is gone.
    PeerGone(MemberId),
    /// A message is new or has another state: see [`message`](super::RoomSession::message).
    ChatChanged(MessageNumber),
    /// A message left the log, which is bounded.
    ChatForgotten(MessageNumber),
    /// The way to a member is open: what is to be said on it can be said now.
    WayOpen(MemberId),
    /// A member said something about a measurement.
    Run(MemberId, ControlMessage),
    /// Nothing can be negotiated on a peer connection to a member any more, for this cause. The session replaces it by itself.
    NegotiationBroken(MemberId, LinkId, OperationFailure),
}
