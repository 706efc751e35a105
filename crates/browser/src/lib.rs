//! web-sys made safe.
//!
//! A wrapper owns a JavaScript object and its listeners; dropping it detaches, closes and lets go, in that order.
//! Callbacks only push into a bounded [`queue`]. An error keeps the name and the message that the browser gave it.
//! Nothing here decides anything: that is for `sightline-core`, and for the application's session.

#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers from the browser are within the range that they have there"
)]

pub mod array_buffer;
pub mod audio_level;
mod bounded_text;
pub mod bulk_channel;
pub mod capture;
pub mod certificate;
pub mod clock;
pub mod data_channel;
pub mod devices;
mod dictionary;
pub mod environment;
pub mod error;
pub mod event;
pub mod fair_queue;
pub mod file_player;
pub mod files;
pub mod frame_callback;
pub mod frame_painter;
pub mod frame_watch;
pub mod http;
pub mod keyboard;
pub mod location;
pub mod media_element;
pub mod media_file;
pub mod page;
pub mod peer_connection;
pub mod picture;
mod promise;
pub mod queue;
pub mod random;
pub mod records;
pub mod sharing;
pub mod signalling;
pub mod storage;
pub mod stream;
pub mod strip_reader;
pub mod text_file;
pub mod tone;
pub mod track;
mod window;

pub use error::{BrowserError, BrowserErrorKind};
pub use stream::MediaStream;
pub use track::{LocalTrack, MediaKind, MediaTrack};
