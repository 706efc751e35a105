//! Notices, in a list or as a page.

pub mod notice;
pub mod page;
pub mod text;
