//! Files on their way between members, above every connection: a cut, a rebuilt connection and a reload of either page
//! are only pauses.
//!
//! [`Transfers`] decides, and holds no byte of a file. [`OutgoingChunks`] and [`Arrivals`] are its other half, where the
//! bytes are: in the worker that reads and writes.
//!
//! Invariants:
//! - bytes count as received once they follow those before them and the SHA-256 of everything up to their end is the one that
//!   the sender's frame names. So a wrong byte is never counted, the number of bytes is all there is to resume from, and
//!   the last chunk's hash is the whole file's;
//! - at most [`WINDOW_BYTES`] are on their way unverified, which bounds what a cut costs;
//! - what either side says of a transfer is said again when a channel opens and when nothing was heard for long, and the
//!   newest counts: control messages may be lost, repeated or late;
//! - a transfer that is over stays so;
//! - a file that is chosen again after a reload goes to one transfer of a receiver, and only where folder and
//!   [`FileIdentity`] say that it is the same file.

mod arrivals;
mod choosing;
mod commands;
mod identity;
mod incoming;
mod left_out;
mod name;
mod outgoing;
mod outgoing_chunks;
mod paste;
mod prefix;
mod receiving;
mod record;
mod repeat;
mod second_reading;
mod sending;
mod showing;
mod speed;
mod transfers;
mod view;

pub use arrivals::{Arrival, Arrivals};
pub use choosing::{Backlog, MAX_FILES_FROM_HERE};
pub use commands::{
    FileDescription, SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferHandle, TransferOutput,
};
pub use identity::{FileIdentity, IdentityReading};
pub use left_out::{LeftOut, LeftOutFiles, LeftOutReason};
pub use name::{MAX_DEPTH, numbered, safe_folder, safe_name};
pub use outgoing_chunks::OutgoingChunks;
pub use paste::{Pasted, drags_files, pasted};
pub use prefix::PrefixHasher;
pub use record::{KeptNames, KeptTransfer, Records};
pub use second_reading::{Reading, SecondReading};
pub use showing::ShowQueue;
pub use transfers::Transfers;
pub use view::{Direction, Reach, TransferState, TransferView};

/// Bytes of a file in one frame, at most: beside a call they are less.
pub const CHUNK_BYTES: usize = 128 * 1024 - sightline_protocol::transfer::BULK_HEADER_BYTES;
/// Bytes of a file in the smallest frame, which fills one packet.
pub const MIN_CHUNK_BYTES: usize = 1100;
/// Bytes that may be on their way and not yet verified.
pub const WINDOW_BYTES: u64 = 8 * 1024 * 1024;
