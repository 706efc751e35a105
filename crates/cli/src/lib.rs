//! A member of a room without a browser: the library behind the bin `sightline-peer`.
//!
//! The session, the conversation and the transfers are those of `sightline-core`, which decide everything. This crate owns a driver
//! on tokio, the peer connection (the crate `webrtc`), disk and terminal. [`Peer`](peer::Peer) is a member for any
//! program; the commands of `sightline-peer` use nothing else.
//!
//! | module | subject |
//! |---|---|
//! | [`command`], [`options`] | the command line: what it accepts, and its commands |
//! | [`address`], [`certificates`] | which room on which server, and which server certificates are trusted |
//! | [`failure`] | why a command ended: sentence, stable code, exit code |
//! | [`peer`] | the driver: inputs to the core, outputs of the core, also of its measurements |
//! | [`media`] | a video file as the room's source |
//! | [`arrival`] | the pictures and the sound of others: packets in, frames and counters out |
//! | [`examination`] | what the command `check` does: the core's connection doctor on this computer |
//! | `stream`, `turn_frame`, `socket` | TCP and TLS, the messages of TURN in them, the signaling WebSocket |
//! | `link`, `files` | a peer connection, files on this computer |
//! | `input`, `clock` | what the driver waits for; time |

pub mod address;
pub mod arrival;
pub mod certificates;
mod clock;
pub mod command;
pub mod examination;
pub mod failure;
mod files;
mod input;
mod link;
pub mod media;
pub mod options;
pub mod peer;
mod socket;
mod stream;
mod turn_frame;
