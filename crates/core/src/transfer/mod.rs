//! Files in transfer between members. A transfer outlives its connections: a cut, a rebuilt connection and a reload of either
//! page only pause it.
//!
//! `page` decides and holds no byte of a file: [`Transfers`]. `worker` reads, hashes and writes the bytes: [`OutgoingChunks`]
//! and [`Arrivals`]. Neither imports the other. The types that both use are here, in `commands` and in `identity`.
//!
//! Invariants:
//! - bytes count as received if all bytes before them did, and if the SHA-256 of the file up to their end equals the one in the
//!   sender's frame. So a wrong byte never counts, a transfer resumes from the number of received bytes alone, and the hash in
//!   the last chunk is that of the whole file;
//! - at most [`WINDOW_BYTES`] are in flight unverified, which bounds the loss from a cut;
//! - either side repeats its statement about a transfer when a channel opens and when nothing was heard for long, and the
//!   newest statement counts: control messages may be lost, repeated or late;
//! - a transfer that ended never resumes;
//! - a file that is chosen again after a reload goes to one transfer per receiver, and only if folder and [`FileIdentity`]
//!   prove that it is the same file.

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
    archive::{Archive, Crc32},
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
    journal::{FLUSH_BYTES, JOURNAL_BYTES, Journal},
    outgoing_chunks::OutgoingChunks,
    prefix::PrefixHasher,
    second_reading::{Reading, SecondReading},
};

/// Maximum number of a file's bytes in one frame; frames beside a call carry less.
pub const CHUNK_BYTES: usize = 128 * 1024 - sightline_protocol::transfer::BULK_HEADER_BYTES;
/// Number of a file's bytes in the smallest frame, which fills one packet.
pub const MIN_CHUNK_BYTES: usize = 1100;
/// Maximum number of bytes in flight that the receiver has not verified.
pub const WINDOW_BYTES: u64 = 8 * 1024 * 1024;
