//! Playout quality: which gaps are stalls, their length, and their cause.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod causes;
mod marks;
mod random;
mod source_rate;
mod stalls;
mod told_source;
mod viewer;
