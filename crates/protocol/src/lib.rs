//! What goes over the wire between Sightline's parts: ids, messages, limits and the version.
//!
//! The prose of the same protocol, with the order of messages and who answers what, is `docs/protocol.md`.
//! This crate holds data and the rules of names and texts; the state machines that speak it are in `sightline-core` and
//! `sightline-server`.

pub mod bounded;
pub mod control;
pub mod error;
pub mod id;
pub mod limits;
pub mod member;
pub mod room;
pub mod signalling;
pub mod tabs;
pub mod telemetry;
pub mod text;
pub mod transfer;

pub use error::ErrorCode;
pub use id::{BatchId, ConnectionId, Generation, InstanceId, MemberId, MessageId, RunId, TransferId};
pub use member::{Arrival, DisplayName, Member, Presence};
pub use room::RoomName;

/// The version of everything in this crate. A `join` with another version is answered with
/// [`ErrorCode::ProtocolVersion`].
pub const PROTOCOL_VERSION: u32 = 1;

/// The path of the signalling WebSocket.
pub const SIGNALLING_PATH: &str = "/ws";
