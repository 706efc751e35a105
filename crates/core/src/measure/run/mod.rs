//! A run: a measurement of all members in the room with a beginning, an end and a report.
//!
//! [`Run`] decides when the run begins and ends, and exchanges the logs; a [`Recorder`] keeps the measurements that one browser
//! makes of one other.

mod log_parts;
mod machine;
mod peer_run;
mod recorder;

pub use machine::{Run, RunOutput, RunState};
pub use recorder::{RECORDED, Recorder};
