//! Stamps: painted, mistreated, read; and what the numbers tell.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod log;
mod picture;
mod reading;
