//! One member against the others, in simulated time: the effect of a flood of each kind, and that honest use is never limited.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod honest;
mod hostile;
#[path = "../room/world.rs"]
#[allow(dead_code, reason = "shared with the tests of rooms")]
mod world;
