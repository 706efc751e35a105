//! The signaling WebSocket: frames in, frames out, and everything that bounds them.
//!
//! | file | subject |
//! |---|---|
//! | `upgrade` | the handshake |
//! | [`socket`] | the task of one socket |
//! | [`hub`] | where the socket tasks meet the rooms |
//! | [`frame`], [`strict_json`] | reading a text frame |
//! | [`frame_meter`], [`rate`], [`addresses`], [`limits`] | how much a socket and an address may send and have |
//! | [`outbox`] | what waits to be sent to a socket |

mod addresses;
pub mod frame;
mod frame_meter;
mod hub;
pub(crate) mod limits;
mod outbox;
mod rate;
mod socket;
mod strict_json;
mod upgrade;

pub(crate) use hub::Hub;
pub(crate) use upgrade::{SignalingState, upgrade};
