//! The outputs of a session: actions to perform, and events for the page.

use sightline_protocol::{ErrorCode, MemberId, Reaction, control::ControlMessage};

use crate::{
    chat::MessageNumber,
    link::LinkId,
    negotiation::{Operation, OperationFailure, OperationId, Role},
    notice::NoticeCode,
    signaling::{SignalingStatus, SocketId},
    transfer::TransferTask,
    trust::{RecognitionTask, Refusal, RoomSecret},
};

/// An action that the session requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomOutput {
    /// Open a signaling socket with this id.
    OpenSocket(SocketId),
    /// Send a text frame on this socket.
    SendFrame(SocketId, String),
    /// Close and forget this socket. With a code, first tell the server what was wrong with its frame.
    CloseSocket(SocketId, Option<ErrorCode>),
    /// Make a peer connection with this id and its `control` channel; as offerer also its transceivers.
    OpenLink {
        /// The id of the new peer connection.
        link: LinkId,
        /// The member to connect to.
        member: MemberId,
        /// Whether this side makes the first offer.
        role: Role,
    },
    /// Make a peer connection with this id and only a `bulk` channel. Its operations, candidates and end are reported like those of any
    /// link; its channel is reported as [`BulkOpened`](super::LinkEvent::BulkOpened) and
    /// [`BulkClosed`](super::LinkEvent::BulkClosed).
    OpenBulkLink {
        /// The id of the new peer connection.
        link: LinkId,
        /// The member to connect to.
        member: MemberId,
    },
    /// Use this peer connection of the member from now on: show the media that it receives.
    UseLink(LinkId),
    /// Close and forget a peer connection.
    CloseLink(LinkId),
    /// Perform an operation on a peer connection and report its result.
    Perform(LinkId, OperationId, Operation),
    /// Give every peer connection the servers of [`ice_servers`](super::RoomSession::ice_servers), for the next time that it
    /// gathers candidates.
    IceServersChanged,
    /// Send this text on the `control` channel.
    SendControl(LinkId, String),
    /// Send this text on the `telemetry` channel.
    SendTelemetry(LinkId, String),
    /// A task about files for the worker that reads and stores them, or for the page.
    Transfer(TransferTask),
    /// A task with the key of this device; only after [`handle_device`](super::PeerTrust::handle_device).
    Recognition(RecognitionTask),
    /// Show this to the person.
    Event(RoomEvent),
}

/// A change that the page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// The state of the signaling connection changed.
    Status(SignalingStatus),
    /// A problem arose.
    Raised(NoticeCode),
    /// The problem is over.
    Cleared(NoticeCode),
    /// The room was entered, for the first time or again. Keep the token for a reload of this tab.
    Entered {
        /// This member's id.
        you: MemberId,
        /// Token that reclaims the seat after a reload.
        resume: String,
    },
    /// The server replaced the token that reclaims the seat. Keep this one.
    TokenChanged(String),
    /// The secret in the link of the room was replaced, because a host removed a member. Show and keep this one.
    LinkChanged(RoomSecret),
    /// The hosts, the lock or the visitors that wait changed: see [`hosting`](super::RoomSession::hosting).
    HostingChanged,
    /// A member came or changed: see [`peer`](super::RoomSession::peer).
    PeerChanged(MemberId),
    /// A member left for good.
    PeerGone(MemberId),
    /// A message is new or its state changed: see [`conversation`](super::RoomSession::conversation).
    ChatChanged(MessageNumber),
    /// A message was dropped from the log, whose size is bounded.
    ChatForgotten(MessageNumber),
    /// The `control` channel to a member opened: messages can be sent now.
    WayOpen(MemberId),
    /// A member sent a message about a run.
    Run(MemberId, ControlMessage),
    /// A member reacted: see [`Reactions`](super::Reactions).
    Reacted(MemberId, Reaction),
    /// A signal of a member had no effect. An honest server and honest members cause only [`Refusal::Stale`].
    SignalRefused(MemberId, Refusal),
    /// A peer connection to a member can no longer negotiate, for this cause. The session replaces the connection itself.
    NegotiationBroken(MemberId, LinkId, OperationFailure),
}
