//! Files on their way between members, above every connection: a cut, a rebuilt connection and a reload of either page
//! are only pauses.
//!
//! `page` decides and holds no byte of a file: [`Transfers`]. `worker` has the bytes where they are read and written:
//! [`OutgoingChunks`] and [`Arrivals`]. Neither imports the other. What both know is here, in `commands` and in `identity`.
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

mod commands;
mod identity;
mod page;
mod worker;

pub use commands::{
    FileDescription, SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferHandle, TransferOutput,
    TransferTask,
};
pub use identity::FileIdentity;
pub use page::{
    choosing::{Backlog, MAX_FILES_FROM_HERE},
    left_out::{LeftOut, LeftOutFiles, LeftOutReason},
    name::{MAX_DEPTH, numbered, safe_folder, safe_name},
    paste::{Pasted, drags_files, pasted},
    record::{KeptNames, KeptTransfer, Records},
    showing::ShowQueue,
    transfers::Transfers,
    view::{Direction, Offered, Reach, TransferState, TransferView},
};
pub use worker::{
    arrivals::{Arrival, Arrivals},
    identity_reading::IdentityReading,
    outgoing_chunks::OutgoingChunks,
    prefix::PrefixHasher,
    second_reading::{Reading, SecondReading},
};

/// Bytes of a file in one frame, at most: beside a call they are less.
pub const CHUNK_BYTES: usize = 128 * 1024 - sightline_protocol::transfer::BULK_HEADER_BYTES;
/// Bytes of a file in the smallest frame, which fills one packet.
pub const MIN_CHUNK_BYTES: usize = 1100;
/// Bytes that may be on their way and not yet verified.
pub const WINDOW_BYTES: u64 = 8 * 1024 * 1024;
