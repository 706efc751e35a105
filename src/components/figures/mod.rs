//! What the panel of figures is made of.

pub mod charts;
mod copy_button;
pub mod details;
mod event_text;
pub mod known_source;
mod plot;
mod table;
pub mod timeline;
