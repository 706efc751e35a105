//! The connection doctor against networks and devices of every kind, in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod documents;
mod examination;
mod nat;
mod relay_probe;
mod report;
mod world;
