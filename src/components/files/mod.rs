//! Files on their way: choosing them, and how far they are.

mod amount;
mod attach;
mod drop_zone;
mod end_text;
mod notes;
mod offer;
mod shelf;
mod transfer;

pub use attach::Attach;
pub use drop_zone::load_drop_zone;
pub use offer::load_file_offer;
pub use shelf::Shelf;
