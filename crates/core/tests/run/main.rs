//! Runs between two pages that exchange messages, and the resulting report.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod ends;
mod exports;
mod hostile;
mod pair;
mod reading;
mod report;
mod runs;
mod schema;
mod schema_check;
