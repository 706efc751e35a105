//! Bulk links, and the rate of files during a call, in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod links;
mod pacing;
