//! JavaScript values, promises and events, and the queues that callbacks push into.

pub mod array_buffer;
pub(crate) mod bounded_text;
pub(crate) mod dictionary;
pub mod error;
pub mod event;
pub mod fair_queue;
pub(crate) mod promise;
pub mod queue;
