//! Rooms that are protected by their link: the key schedule, sealed signals, and a server that attacks a call.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod calls;
mod codes_in_rooms;
mod device_model;
mod hosted_room;
mod lies_about_members;
mod lies_about_removals;
mod malicious_server;
mod pictures;
mod recognition;
mod recognized_in_rooms;
mod rekeying;
mod seals;
mod short_codes;
mod vectors;
#[path = "../room/world.rs"]
#[allow(dead_code, reason = "shared with the tests of rooms")]
mod world;
