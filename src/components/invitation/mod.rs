//! Invitations: sharing a link, and the wishes in a link.

pub mod card;
mod copy_link;
pub mod link_wishes;
pub mod menu;
pub mod protection;
mod qr_code;
