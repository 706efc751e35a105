//! Stamps: painted, distorted and read; and the counts that follow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod check;
mod log;
mod picture;
mod reading;
