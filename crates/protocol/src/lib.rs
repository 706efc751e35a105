//! The data that Sightline's parts exchange: ids, messages, limits and the version.
//!
//! `docs/protocol.md` describes the same protocol in prose, with the order of messages and the answers. This crate contains data
//! and the rules for names and texts; the state machines are in `sightline-core` and `sightline-server`.
//!
//! | module | subject |
//! |---|---|
//! | [`id`], [`bounded`], [`limits`] | ids, numbers with an upper limit, the limits of every length |
//! | [`member`], [`room`], [`text`] | members, names of rooms and members, invisible characters in text |
//! | [`sealed`] | encrypted signals and names, admission to a protected room |
//! | [`hosting`], [`picture`], [`rekey`] | visitors of a locked room, and what they show; the secret that replaces another one after a removal |
//! | [`signaling`], [`error`] | page and server: the WebSocket's messages, and the server's errors |
//! | [`control`], [`reaction`], [`telemetry`], [`transfer`], [`verification`], [`recognition`] | page and page: the messages of the data channels |
//! | [`tabs`] | messages between tabs where there is no server |

pub mod bounded;
pub mod control;
pub mod error;
pub mod hosting;
pub mod id;
pub mod limits;
pub mod member;
pub mod picture;
pub mod reaction;
pub mod recognition;
pub mod rekey;
pub mod room;
pub mod sealed;
pub mod signaling;
pub mod tabs;
pub mod telemetry;
pub mod text;
pub mod transfer;
pub mod verification;

pub use error::ErrorCode;
pub use hosting::{RefusalReason, Visitor};
pub use id::{BatchId, ConnectionId, Generation, InstanceId, MemberId, MessageId, RunId, TransferId};
pub use member::{Arrival, DisplayName, Member, Presence};
pub use picture::{JpegText, SealedPicture, VisitorPicture};
pub use reaction::Reaction;
pub use recognition::{DeviceKey, RecognitionMessage, RecognitionTag};
pub use rekey::{AdmissionDigest, KeyId, Rekey, SecretText};
pub use room::RoomName;
pub use sealed::{AdmissionTag, SealedName, SealedSignal};
pub use verification::{Commitment, VerificationNonce, VerificationStep};

/// The version of the protocol. A `join` with another version is answered with [`ErrorCode::ProtocolVersion`].
pub const PROTOCOL_VERSION: u32 = 1;

/// The path of the signaling WebSocket.
pub const SIGNALING_PATH: &str = "/ws";
