//! Transfers of files: choosing files, and progress.

mod amount;
mod attach;
mod drop_zone;
mod end_text;
mod home_drop;
mod notes;
mod offer;
mod shared;
mod shelf;
mod transfer;

pub use attach::Attach;
pub use drop_zone::RoomDropZone;
pub use home_drop::load_home_drop_zone;
pub use offer::{FileOffer, offer_title};
pub use shared::{address_has_shared_files, load_shared_files};
pub use shelf::Shelf;
