//! Playout quality: which gaps are stalls, how long they are, and why.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod causes;
mod marks;
mod random;
mod source_rate;
mod stalls;
mod viewer;
