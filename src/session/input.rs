//! Everything that can happen to a session, in one queue: nothing is handled in the middle of something else.

use sightline_browser::{
    data_channel::DataChannelEvent, peer_connection::PeerConnectionEvent, signalling::TransportEvent,
};
use sightline_core::{
    negotiation::{Completed, OperationFailure, OperationId},
    room::LinkId,
    signalling::SocketId,
    stats::StatsEntry,
};

use sightline_protocol::MemberId;

use super::{model::ShownVideo, preferences::Setting, stamps::ReadFrame};

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
    /// An operation ended.
    Completed(LinkId, OperationId, Result<Completed, OperationFailure>),
    /// A stats report came.
    Stats(LinkId, Vec<StatsEntry>),
    /// A stamp was read in a frame of a member.
    Stamp(MemberId, ReadFrame),
    /// The computer believes to have a network, or not.
    Online(bool),
    /// The page can be seen, or not.
    Visible(bool),
    /// Camera, microphone or screen are others, or were switched.
    MediaChanged,
    /// A setting is another now.
    SettingChanged(Setting),
    /// The person did something.
    Command(Command),
}

/// What the person did.
#[derive(Debug)]
pub enum Command {
    SendChat(String),
    Retry,
    WatchFigures(bool),
    WatchStamps(ShownVideo),
    /// Leave, and end the session.
    Leave,
}
