//! Known-source mode: a number and a time in every frame, so that the receiver knows which frames it saw, which it did not,
//! and how long each of them took.
//!
//! [`Stamp`] becomes [`Strip`], cells of black and white that the sender paints along the top edge of the frame.
//! [`Strip::read`] makes a stamp of the pixels that the receiver sees there, or says that they are none. [`FrameLog`]
//! makes of the stamps, one for each frame that was shown, what is true of the stream.

mod log;
mod strip;

pub use log::{FrameLog, FrameTruth, MAX_LOGGED_FRAMES, ShownStamp};
pub use strip::{COLUMNS, ROWS, Stamp, Strip, StripReading, Unreadable, luma_of_rgba, strip_height};
