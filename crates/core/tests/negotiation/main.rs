//! The negotiator by its rules, one at a time, and two of them between model browsers over a bad network.
#![allow(clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

mod candidates;
mod collision;
mod driver;
mod failure;
mod interleavings;
mod loss;
mod model;
mod order;
mod restart;
