//! All inputs of a session in one queue, so that one input is handled at a time.

use sightline_browser::{
    BrowserError,
    files::{FileWorkerEvent, PickedFiles},
    rtc::{
        bulk_channel::BulkChannelEvent,
        data_channel::{DataChannelEvent, DataChannelMessage},
        peer_connection::PeerConnectionEvent,
    },
    signaling::TransportEvent,
};
use sightline_core::{
    measure::StatsEntry,
    negotiation::{Completed, OperationFailure, OperationId},
    picture::StillPicture,
    room::{HostAction, LinkId},
    signaling::SocketId,
    transfer::{Offered, TransferHandle},
    trust::{ComputationId, KeyTags, Person, PersonId},
};
use sightline_protocol::{DisplayName, MemberId, Reaction};

use super::{
    device::Device,
    model::{CodeJudgment, Export},
    preferences::Setting,
};

/// An input of the driver.
#[derive(Debug)]
pub enum Input {
    /// An event of the signaling socket.
    Transport(SocketId, TransportEvent),
    /// An event of a peer connection.
    Connection(LinkId, PeerConnectionEvent),
    /// An event of a link's `control` channel.
    Channel(LinkId, DataChannelEvent),
    /// An event of a link's `telemetry` channel.
    Telemetry(LinkId, DataChannelEvent),
    /// An event of a link's `bulk` channel.
    Bulk(LinkId, BulkChannelEvent),
    /// A message of the worker that reads and stores files.
    FileWorker(FileWorkerEvent),
    /// The end of an operation on a peer connection, with the name of the method that it called.
    Completed(LinkId, OperationId, &'static str, Result<Completed, OperationFailure>),
    /// The browser refused a call that nothing waits for.
    CallFailed(LinkId, &'static str, BrowserError),
    /// The first picture of a call is shown, before the page has drawn its tile.
    FirstPicture,
    /// The browser did not keep the screen on.
    WakeLockRefused(BrowserError),
    /// The key of this device, and the people that it remembers; `None` where the browser stores no keys.
    Device(Option<(Device, Vec<Person>)>),
    /// The tags of a computation with the key of this device.
    Recognition(ComputationId, Vec<KeyTags>),
    /// A picture of the camera, for the hosts of the locked room.
    Picture(StillPicture),
    /// A stats report of a link.
    Stats(LinkId, Vec<StatsEntry>),
    /// Whether the browser believes that there is a network.
    Online(bool),
    /// Whether the page is visible.
    Visible(bool),
    /// A local track or setting changed.
    Local(LocalChange),
    /// A command of the person.
    Command(Command),
}

/// Length of a message of a member, in bytes; `None` for inputs that must not be lost.
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

/// A local change. The driver hears of changes in the lobby too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocalChange {
    /// Camera, microphone or screen changed or were switched.
    Media,
    /// This setting changed.
    Setting(Setting),
}

/// A command of the person.
#[derive(Debug)]
pub enum Command {
    /// Enters the room under this name.
    Enter(DisplayName),
    /// Sends a text to one member, or to all.
    SendChat(Option<MemberId>, String),
    RaiseHand(bool),
    React(Reaction),
    Retry,
    Transfer(TransferAction),
    WatchFigures(bool),
    StartRun,
    StopRun,
    /// Takes no further part in the run of this member.
    RefuseRun(String),
    Export(Export),
    JudgeCode(CodeJudgment),
    /// Forgets a person that this device remembers, or everybody.
    Forget(Option<PersonId>),
    Host(HostAction),
    /// Leaves the room, and ends the session.
    Leave,
}

/// A command of the person about files.
#[derive(Debug)]
pub enum TransferAction {
    /// Offers these files to one member, or to all.
    Offer(Option<MemberId>, PickedFiles),
    /// Gives up the files that could not be offered yet.
    CancelBacklog,
    Accept(TransferHandle),
    /// Take what was shown beside the button.
    AcceptAll(Offered),
    DeclineAll,
    Decline(TransferHandle),
    Cancel(TransferHandle),
    /// Removes these transfers, which ended, from the list.
    Clear(Vec<TransferHandle>),
    /// Saves these received files together, in a folder or an archive.
    SaveAll(Vec<TransferHandle>),
    /// Pauses (true) or resumes a transfer.
    Pause(TransferHandle, bool),
}
