//! The bin `sightline-peer` against the real server, one topic a file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bots;
mod chat;
mod check;
mod command_line;
mod failures;
mod files;
#[allow(dead_code, reason = "other tests use the rest")]
mod harness;
mod leaving;
mod pipes;
mod provide;
mod relays;
/// As in the tests of the core.
#[path = "../../../core/tests/run/schema_check.rs"]
mod report_schema;
mod restart;
#[cfg(target_os = "linux")]
mod terminal;
mod watch;
