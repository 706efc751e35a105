//! One module for each route.

pub mod check;
#[cfg(feature = "gallery")]
pub mod gallery;
pub mod home;
pub mod not_found;
pub mod report;
pub mod room;
