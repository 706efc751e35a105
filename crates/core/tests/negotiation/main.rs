//! The rules of the negotiator, one by one, and two negotiators between model browsers over a bad network.
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
