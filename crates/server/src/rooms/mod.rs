//! Who is in which room: a state machine without sockets or a clock. The caller gives the time and the randomness.
//!
//! Every `handle_*` takes what happened and the time; [`Registry::poll_output`] gives what is to be sent and which
//! sockets are to be closed; [`Registry::poll_timeout`] says when [`Registry::handle_timeout`] has something to do.

mod closing;
mod create_token;
mod host_action;
mod hosting;
mod joining;
mod knocks;
mod newcomer;
mod place;
mod registry;
mod rekeying;
mod resume;
mod room;
mod room_key;
mod socket_id;
#[cfg(test)]
mod tests;
mod version;

pub use closing::Closing;
pub use create_token::CreateKey;
pub use registry::{Output, Registry, RoomSettings};
pub use resume::{ResumeClaims, ResumeKey};
pub use room_key::RoomKey;
pub use socket_id::SocketId;
pub(crate) use socket_id::SocketMap;
pub use version::{RoomRules, RoomVersion};
