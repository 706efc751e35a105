//! The call: tiles, controls, sources, and announcements for screen readers.

pub mod announcer;
pub mod connection_status;
pub mod controls;
pub mod file_source;
pub mod knocks;
pub mod leave_dialog;
pub mod member_controls;
pub mod member_name;
pub mod panels;
mod pictures;
mod playback_line;
mod receivers;
pub mod remove_dialog;
pub mod room_lock;
pub mod seen_by_text;
pub mod shortcuts;
pub mod signal_bars;
pub mod source_choice;
pub mod source_resume;
pub mod stage;
pub mod state_text;
mod tile;
mod tile_code;
mod tile_menu;
mod tile_path;
mod tile_trust;
pub mod unfinished;
