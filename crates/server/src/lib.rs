//! The server of Sightline: one port for the client's files and for the signalling WebSocket.
//!
//! Which member is in which room is decided by a state machine without sockets or a clock ([`rooms`]); the socket
//! tasks (`signalling`) move its frames, `files` serves what trunk built. The wire is described in
//! `docs/protocol.md`.
//!
//! [`Server::bind`] and [`Server::run`] embed it; [`command::run`] is the whole of the bin `sightline-server`.

mod access;
pub mod announce;
pub mod command;
pub mod config;
mod connections;
mod files;
mod front;
pub mod hosts;
mod key_file;
mod listener;
pub mod log;
mod metrics;
pub mod origin;
mod patient;
pub mod proxy;
mod redirect;
pub mod rooms;
mod server;
mod signalling;
mod slots;
pub mod time;
mod tls;
mod token_bucket;
pub mod turn;

pub use config::{Config, Options};
pub use key_file::KeyFileError;
pub use server::{Server, StartError};
pub use signalling::limits::{AddressLimits, RateLimits, SocketLimits};
pub use slots::ConnectionLimits;
pub use tls::{CertificateError, TlsIdentity};
