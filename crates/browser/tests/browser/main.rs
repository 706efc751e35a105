//! The wrappers in a real browser, with its fake camera and microphone.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod audio_level;
mod call;
mod capture;
mod clock;
mod data_channel;
mod device;
mod devices;
mod environment;
mod error;
mod file_message;
mod frame_watch;
mod http;
mod location;
mod media_element;
mod page;
mod peer_connection;
mod picture;
mod random;
mod records;
mod signaling;
mod storage;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
