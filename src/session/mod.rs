//! Where browser events meet the core, and its outputs become browser calls and signals.
//!
//! Components read the handles in [`model`] and call [`RoomActions`] / [`LobbyActions`]; nothing else in `src` knows
//! a peer connection.

pub mod model;
