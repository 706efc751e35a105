//! The way for the bytes of files: peer connections beside the member's own, and a rate beside a call, in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod links;
mod pacing;
