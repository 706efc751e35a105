//! Files between two pages over a network that loses, repeats, reorders and corrupts messages, with reloads during the
//! transfer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod archive;
mod crowds;
mod folders;
mod interleavings;
mod scenarios;
mod world;
