//! Safe wrappers of web-sys.
//!
//! A wrapper owns a JavaScript object and its listeners; dropping the wrapper removes the listeners, closes the object and
//! releases it, in that order. Callbacks only push into a bounded [`queue`](js::queue). An error keeps the name and the message
//! that the browser gave it. This crate makes no decisions; `sightline-core` and the application's session do.
//!
//! | module | what it wraps |
//! |---|---|
//! | [`rtc`] | a peer connection with its media slots, its data channels, its certificate |
//! | [`media`] | devices, capture, streams and tracks; players of streams and of video files; the frames that they show |
//! | [`files`] | files that a person chooses, drops or saves, and the worker that reads and stores them |
//! | [`page`] | the document and its address, storage, clock, keys, HTTP, randomness; what this browser can do |
//! | [`signaling`] | the WebSocket and the `BroadcastChannel` that carry signaling |
//! | [`js`] | JavaScript values, promises, events and errors; the queues between callbacks and the application |
//!
//! The only names at the root are the error and the media types that many modules exchange.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers from the browser are within the range that they have there"
)]

pub mod files;
pub mod js;
pub mod media;
pub mod page;
pub mod rtc;
pub mod signaling;

pub use js::error::{BrowserError, BrowserErrorKind};
pub use media::{
    stream::MediaStream,
    track::{LocalTrack, MediaKind, MediaTrack},
};
