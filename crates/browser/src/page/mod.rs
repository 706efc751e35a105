//! Browser features of any page: address, storage, clock, keys, HTTP.

pub mod clock;
pub mod console;
mod database;
pub mod device;
pub mod document;
pub mod environment;
pub mod http;
pub mod key_pair;
pub mod keyboard;
pub mod lifecycle;
pub mod location;
pub mod random;
pub mod records;
pub mod sharing;
pub mod storage;
pub mod wake_lock;
pub(crate) mod window;
