//! Small parts that all other folders use.

pub mod avatar;
pub mod check_link;
pub mod choice;
pub mod date_text;
pub mod disclosure;
pub mod icon;
pub mod icon_button;
pub mod language_and_theme;
pub mod layers;
pub mod level_meter;
pub mod link;
pub mod logo;
pub mod modal;
pub mod page_header;
pub mod popover;
pub mod short_name;
pub mod video;
pub mod when;
