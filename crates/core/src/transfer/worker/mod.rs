//! The half that runs in the worker, beside the bytes: order, hashes and identities. It decides nothing.

pub(super) mod arrivals;
pub(super) mod identity_reading;
pub(super) mod outgoing_chunks;
pub(super) mod prefix;
pub(super) mod second_reading;
