//! The chat: its log and the line to write on.

mod clock_time;
pub mod conversation;
mod message;
