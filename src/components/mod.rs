//! One file for each visible part.

pub mod avatar;
pub mod chat;
mod chat_message;
mod choice;
mod clock_time;
pub mod connection_status;
pub mod controls;
pub mod copy_link;
pub mod device_select;
mod figure_text;
mod figures;
pub mod icon;
mod invitation_card;
pub mod level_meter;
pub mod link;
mod linkify;
pub mod logo;
mod metric_text;
pub mod notice;
mod notice_text;
pub mod page_header;
mod seen_by_text;
mod selects;
pub mod settings_menu;
mod settings_panel;
mod signal_bars;
pub mod source_choice;
pub mod source_resume;
pub mod stage;
pub mod stats_panel;
mod tile;
mod tile_menu;
mod video;
mod when;

pub use video::Video;
pub use when::When;
