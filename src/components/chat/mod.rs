//! The chat: its log and its text field.

mod clock_time;
pub mod conversation;
mod message;
mod recipient;
