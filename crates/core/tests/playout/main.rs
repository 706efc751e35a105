//! Playout quality: which gaps are stalls, their length, and their cause.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod causes;
mod confusion;
mod marks;
mod model;
mod random;
mod reported_source;
mod source_rate;
mod stalls;
mod viewer;
