//! A single peer in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod departure;
mod files;
mod links;
mod page;
