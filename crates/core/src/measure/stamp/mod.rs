//! Known-source mode: every frame carries a number and a time, so that the receiver knows which frames it saw, which it missed,
//! and the delay of each.
//!
//! The sender converts a [`Stamp`] to a [`Strip`] of black and white cells, and paints it along the top edge of the frame.
//! [`Strip::read`] converts the pixels that the receiver sees back to a stamp, or reports that they are none. [`FrameLog`]
//! computes the totals of the stream from the stamps of the shown frames.

mod check;
mod log;
mod strip;

pub use check::StampCheck;
pub use log::{FrameLog, FrameTruth, MAX_LOGGED_FRAMES, ShownStamp};
pub use strip::{COLUMNS, ROWS, Stamp, Strip, StripReading, Unreadable, luma_of_rgba, strip_height};
