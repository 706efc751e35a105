//! Sightline's state machines and arithmetic, without IO.
//!
//! Each machine is a plain struct: `handle_*(input, now)` in, `poll_output()` out, `poll_timeout()` for the next
//! wake-up. There is no clock, no randomness, no browser and no runtime in here: the caller gives `now` and random
//! bits, and performs what comes out. So a glare, a lost answer or a thirty-second cut is an ordinary unit test.

pub mod budget;
pub mod bulk;
pub mod chat;
pub mod decode;
pub mod doctor;
pub mod ice;
pub mod link;
pub mod measure;
pub mod media;
pub mod negotiation;
pub mod notice;
pub mod peer;
pub mod ping;
pub mod random;
pub mod recovery;
pub mod room;
pub mod signalling;
mod timestamp;
pub mod transfer;

pub use timestamp::{Timestamp, duration_of_seconds};
