//! How a member's sound arrives, in simulated time.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bursts;
mod listener;
mod totals;
