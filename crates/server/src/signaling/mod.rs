//! The signaling WebSocket: frames in, frames out, and everything that bounds them.
//!
//! | file | subject |
//! |---|---|
//! | `thread` | the thread that all of it runs on |
//! | `upgrade` | the handshake |
//! | [`socket`] | the task of one socket |
//! | [`web_socket`] | messages over a stream |
//! | [`hub`] | where the socket tasks meet the rooms |
//! | [`frame`], [`strict_json`] | reading a text frame |
//! | [`frame_text`] | writing a text frame |
//! | [`frame_meter`], [`rate`], [`addresses`], [`limits`] | how much a socket and an address may send and have |
//! | [`outbox`] | what waits to be sent to a socket |

mod addresses;
pub mod frame;
mod frame_meter;
mod frame_text;
mod hub;
pub(crate) mod limits;
mod outbox;
mod rate;
mod socket;
mod strict_json;
mod thread;
mod upgrade;
mod web_socket;

pub(crate) use hub::Hub;
pub(crate) use thread::SignalingThread;
pub(crate) use upgrade::{SignalingState, upgrade};
