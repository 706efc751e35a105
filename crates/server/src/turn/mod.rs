//! STUN and TURN (RFC 8489, RFC 8656): connects members whose networks block direct connections. `docs/turn.md` has the reasons.
//!
//! | module | subject |
//! |---|---|
//! | `engine` | the protocol without sockets: bytes and time in, bytes out |
//! | `io` | the sockets: UDP, TCP and TLS, on the relay's thread |
//! | `settings`, [`options`] | settings in a program and on the command line |
//! | [`ice_servers`] | what members are told about STUN and TURN servers |
//! | `metrics` | what is counted |
//!
//! A packet's way: a task of `io` receives it (`io::relay` by UDP, `io::stream` by TCP and TLS) and gives it to
//! `engine::Engine`, which decodes it, answers a request (`engine::requests`) or relays data (`engine::relay`), and sends through
//! `io::sockets`. `io` knows the engine; the engine knows nothing of `io`.

mod engine;
pub mod ice_servers;
mod io;
pub(crate) mod metrics;
pub mod options;
mod settings;

pub use self::{
    engine::{credentials, decode, quotas::AllocationLimits},
    settings::{DEFAULT_PORT, DEFAULT_TLS_PORT, RelaySource, TurnLimits, TurnSettings},
};
pub(crate) use io::TurnServer;
