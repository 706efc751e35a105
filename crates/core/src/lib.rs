//! Sightline's state machines and arithmetic, without IO.
//!
//! Each machine is a plain struct: `handle_*(input, now)` in, `poll_output()` out, `poll_timeout()` for the next wake-up. There
//! is no clock, no randomness, no browser and no runtime in here: the caller gives `now` and random bits, and performs what comes
//! out. So two colliding offers, a lost answer or a cut of thirty seconds are ordinary unit tests.
//!
//! From the ground up; a module uses only modules of rows above it, or of its own row:
//!
//! | module | subject |
//! |---|---|
//! | [`Timestamp`], [`random`], [`notice`] | time and randomness given by the caller; the codes of problems |
//! | [`budget`] | how much one member may ask of this page |
//! | [`decode`] | text of members and of the server: a message, or why it is none |
//! | [`picture`] | a small still picture from outside, checked
//! | [`trust`] | encrypted signals and names in a room that is protected by its link |
//! | [`ice`], [`media`], [`ping`] | ICE servers of a person's own; what is sent of a source; round trips |
//! | [`negotiation`] | offers and answers of one peer connection |
//! | [`recovery`] | whether a peer connection carries anything, and what to do where it does not |
//! | [`link`] | one peer connection to another member, with its negotiation |
//! | [`chat`], [`transfer`] | messages and files, which outlive every connection |
//! | [`signaling`] | the socket to the server, or the channel to other tabs |
//! | [`measure`] | what is measured of the other members, and the report of a run |
//! | [`bulk`] | peer connections for the bytes of files |
//! | [`peer`] | one other member: its links, their repair, its departure |
//! | [`room`] | everything of one member in one room; routes between the machines above |
//! | [`doctor`] | the connection doctor |

pub mod budget;
pub mod bulk;
pub mod chat;
pub mod decode;
pub mod doctor;
pub mod ice;
pub mod link;
pub mod measure;
pub mod media;
mod median;
pub mod negotiation;
pub mod notice;
pub mod peer;
pub mod picture;
pub mod ping;
pub mod random;
pub mod recovery;
pub mod room;
mod short_list;
pub mod signaling;
mod timestamp;
pub mod transfer;
pub mod trust;

pub use timestamp::{Timestamp, duration_of_seconds};
