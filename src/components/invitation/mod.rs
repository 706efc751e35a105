//! Invitations: a link that is handed on, and what a link asked for.

pub mod card;
mod copy_link;
pub mod link_wishes;
pub mod menu;
mod qr_code;
