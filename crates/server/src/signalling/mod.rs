//! The signalling WebSocket: frames in, frames out, and everything that bounds them.

mod addresses;
mod frame;
mod frame_meter;
mod hub;
pub(crate) mod limits;
mod outbox;
mod rate;
mod socket;
mod strict_json;
mod upgrade;

pub(crate) use hub::Hub;
pub(crate) use upgrade::{SignallingState, upgrade};
