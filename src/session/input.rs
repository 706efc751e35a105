//! Everything that can happen to a session, in one queue: nothing is handled in the middle of something else.

use sightline_browser::{
    files::{FileWorkerEvent, PickedFiles},
    rtc::{
        bulk_channel::BulkChannelEvent,
        data_channel::{DataChannelEvent, DataChannelMessage},
        peer_connection::PeerConnectionEvent,
    },
    signalling::TransportEvent,
};
use sightline_core::{
    measure::StatsEntry,
    negotiation::{Completed, OperationFailure, OperationId},
    room::LinkId,
    signalling::SocketId,
    transfer::{Offered, TransferHandle},
};
use sightline_protocol::MemberId;

use super::{model::Export, preferences::Setting};

/// One thing that happened.
#[derive(Debug)]
pub enum Input {
    /// On the signalling socket.
    Transport(SocketId, TransportEvent),
    /// On a peer connection.
    Connection(LinkId, PeerConnectionEvent),
    /// On its control channel.
    Channel(LinkId, DataChannelEvent),
    /// On its telemetry channel.
    Telemetry(LinkId, DataChannelEvent),
    /// On its channel for files.
    Bulk(LinkId, BulkChannelEvent),
    /// From the worker that reads and stores files.
    FileWorker(FileWorkerEvent),
    /// An operation ended.
    Completed(LinkId, OperationId, Result<Completed, OperationFailure>),
    /// A stats report came.
    Stats(LinkId, Vec<StatsEntry>),
    /// The computer believes to have a network, or not.
    Online(bool),
    /// The page can be seen, or not.
    Visible(bool),
    /// Something of the person's own is another now.
    Local(LocalChange),
    /// The person did something.
    Command(Command),
}

/// How long a message of a member is, in bytes; `None` for what may not be lost.
#[must_use]
pub fn message_bytes(input: &Input) -> Option<usize> {
    match input {
        Input::Channel(_, event) | Input::Telemetry(_, event) => match event {
            DataChannelEvent::Message(DataChannelMessage::Text(text)) => Some(text.len()),
            DataChannelEvent::Message(DataChannelMessage::Binary(bytes)) => Some(bytes.len()),
            DataChannelEvent::Oversized => Some(0),
            _ => None,
        },
        Input::Bulk(_, BulkChannelEvent::Frame(frame)) => Some(frame.byte_length() as usize),
        Input::Bulk(_, BulkChannelEvent::Unreadable) => Some(0),
        _ => None,
    }
}

/// What is another now, before the room is there and in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalChange {
    /// Camera, microphone or screen are others, or were switched.
    Media,
    /// A setting.
    Setting(Setting),
}

/// What the person did.
#[derive(Debug)]
pub enum Command {
    SendChat(String),
    Retry,
    Transfer(TransferAction),
    WatchFigures(bool),
    StartRun,
    StopRun,
    /// Takes no part in the run of this member any more.
    RefuseRun(String),
    Export(Export),
    /// Leave, and end the session.
    Leave,
}

/// What the person did with files.
#[derive(Debug)]
pub enum TransferAction {
    /// Offer these to a member, or to everybody.
    Offer(Option<MemberId>, PickedFiles),
    /// Give up what could not be offered yet.
    CancelBacklog,
    Accept(TransferHandle),
    /// Take what was shown beside the button.
    AcceptAll(Offered),
    DeclineAll,
    Decline(TransferHandle),
    Cancel(TransferHandle),
    /// Hold it back, or let it go on.
    Pause(TransferHandle, bool),
}
