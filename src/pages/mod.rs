//! One module for each route.

#[cfg(feature = "gallery")]
pub mod gallery;
pub mod home;
pub mod not_found;
pub mod room;
