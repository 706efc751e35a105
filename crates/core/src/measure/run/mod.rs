//! A run: a measurement with a beginning and an end, of everybody in the room, and the report that it leaves.
//!
//! [`Run`] decides when it begins and ends and exchanges the logs; a [`Recorder`] keeps what one browser measures of one
//! other.

mod log_parts;
mod machine;
mod peer_run;
mod recorder;

pub use machine::{Run, RunOutput, RunState};
pub use recorder::{RECORDED, Recorder};
