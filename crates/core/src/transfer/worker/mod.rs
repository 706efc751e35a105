//! The half of a transfer that runs in the worker and has the bytes: order, hashes and identities. It makes no decisions.

pub(super) mod arrivals;
pub(super) mod identity_reading;
pub(super) mod journal;
pub(super) mod outgoing_chunks;
pub(super) mod prefix;
pub(super) mod second_reading;
