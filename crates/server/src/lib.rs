//! The server of Sightline. The page's port (TCP) serves the client's files, `/healthz`, `/metrics` and the signaling WebSocket. STUN and
//! TURN use two more ports (UDP and TCP; TLS) and a UDP port for each allocation. Options add a port that redirects http, and one for the
//! metrics. `docs/architecture.md` has a table of the ports; `docs/protocol.md` describes the messages.
//!
//! [`Server::bind`] and [`Server::run`] embed it; [`command::run`] is the whole of the bin `sightline-server`.
//!
//! | module | subject |
//! |---|---|
//! | [`command`], [`config`], [`announce`], [`log`], `rolling_file` | the command: its options, what it prints and logs |
//! | [`create_token`] | the command `create-token`: a token that allows to open rooms |
//! | `server`, `start_error` | all parts put together; why the server does not start |
//! | `listener`, `accept`, `slots` | TCP ports, the one accept loop, places for connections |
//! | `connections`, `patient`, `front`, `redirect` | HTTP: TLS and requests of one connection, write timeouts, guards and headers |
//! | `access`, [`hosts`], [`origin`], [`proxy`] | which pages may use the server, under which names, behind which proxies |
//! | `files` | the client's files, from a directory or from the program |
//! | [`signaling`] | the WebSocket: frames in and out, and their limits |
//! | [`rooms`] | who is in which room: a state machine without sockets and clock |
//! | [`turn`] | STUN and TURN: `turn::engine` without sockets and clock, `turn::io` with them |
//! | `tls`, `key_file` | certificates and other secrets on disk |
//! | `metrics`, [`time`], `token_bucket` | what is counted; time given by the caller; rates |
//!
//! The state machines ([`rooms`], `turn::engine`) never name a socket, a runtime or a clock.

mod accept;
mod access;
pub mod announce;
pub mod command;
pub mod config;
mod connections;
pub mod create_token;
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
mod rolling_file;
pub mod rooms;
mod server;
pub mod signaling;
mod slots;
mod start_error;
pub mod time;
mod tls;
mod token_bucket;
pub mod turn;

pub use config::{Config, Options};
pub use files::EmbeddedClient;
pub use key_file::KeyFileError;
pub use server::Server;
pub use signaling::limits::{AddressLimits, RateLimits, SocketLimits};
pub use slots::ConnectionLimits;
pub use start_error::{NoDataDir, StartError};
pub use tls::{CertificateError, TlsIdentity};
