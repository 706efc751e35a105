//! The server over real sockets, one topic a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod client;
mod command;
mod files;
mod harness;
mod hostile_frames;
mod hostile_readers;
mod hosts;
mod joining;
mod limits;
mod metrics;
mod origin;
mod presence;
mod protected_rooms;
mod relay;
mod resume;
mod shutdown;
mod tls;
mod turn;
