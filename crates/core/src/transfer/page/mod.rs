//! The half of a transfer that runs in the page: offers, answers, progress and results.

pub(super) mod archive;
mod batches;
pub(super) mod choosing;
mod incoming;
pub(super) mod left_out;
pub(super) mod name;
mod outgoing;
pub(super) mod paste;
mod receiving;
pub(super) mod record;
mod repeat;
mod sending;
pub(super) mod showing;
mod speed;
pub(super) mod transfers;
pub(super) mod view;
