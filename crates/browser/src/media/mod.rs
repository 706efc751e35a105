//! Devices, tracks, and the elements that play them.

pub mod audio_level;
pub mod capture;
pub mod devices;
pub mod file_player;
pub mod first_picture;
pub mod frame_callback;
pub mod frame_painter;
pub mod frame_watch;
pub mod media_element;
pub mod media_file;
pub mod picture;
pub mod source_watch;
pub mod still;
pub mod stream;
pub mod strip_reader;
pub mod tone;
pub mod track;
