//! The messages between [`Transfers`](super::Transfers) and the sources, the sinks, the channels and the page.

use sightline_protocol::{
    MemberId, TransferId,
    control::ControlMessage,
    transfer::{OfferBatch, Sha256Digest, TransferEnd},
};

use super::identity::FileIdentity;

/// Identifies a transfer on this page, and its bytes in the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferHandle(pub u32);

/// A file on this computer, as the sender's browser describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileDescription {
    /// File name, without folders.
    pub name: String,
    /// Path of the folder that the file was chosen with, separated by `/`; empty for none.
    pub folder: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Media type; empty if unknown.
    pub media_type: String,
    /// Time of the last change, in milliseconds since 1970.
    pub modified_ms: u64,
    /// The batch of files that were chosen together.
    pub batch: Option<OfferBatch>,
}

/// A command to the source: the part of the worker that reads a file of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceCommand {
    /// Go to `offset`. Make no chunk before the SHA-256 of the file up to `offset` is known to be `sha256`.
    Seek {
        /// Number of this seek, which each later frame repeats.
        seek: u32,
        /// Number of the file in its frames.
        number: u32,
        /// Position in the file, in bytes.
        offset: u64,
        /// Expected hash of the file up to `offset`.
        sha256: Option<Sha256Digest>,
    },
    /// Make more chunks.
    Pull {
        /// Number of chunks.
        chunks: u32,
        /// Size of each chunk, except the file's last.
        chunk_bytes: u32,
    },
    /// Compute the file's identity: answered by [`SourceEvent::Identified`].
    Identify {
        /// Read the whole file, and not only samples.
        is_whole: bool,
    },
    /// Forget the file.
    Close,
}

/// An event of the source: the part of the worker that reads a file of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// A frame is ready.
    Frame {
        /// Number of the seek that led to this frame.
        seek: u32,
        /// Position of the frame's bytes in the file.
        offset: u64,
        /// Number of bytes of the file in the frame.
        length_bytes: u64,
        /// Hash of the whole file; set with its last chunk.
        sha256: Option<Sha256Digest>,
    },
    /// The source reached the offset of a [`SourceCommand::Seek`], and the file up to there has the expected hash.
    Reached {
        /// Number of the seek.
        seek: u32,
        /// Hash of the file up to the offset.
        sha256: Sha256Digest,
    },
    /// The identity of the file; `None` if the file cannot be read.
    Identified(Option<FileIdentity>),
    /// The source failed; no more frames follow.
    Failed(TransferEnd),
}

/// A command to the sink: the part of the worker that stores an incoming file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkCommand {
    /// Create storage for the file, or find the part of the file that is stored already.
    Open {
        /// The file's name in the storage.
        transfer: TransferId,
        /// The member that sends the file.
        member: MemberId,
        /// Number of the file in its frames.
        number: u32,
        /// Size of the whole file.
        size_bytes: u64,
    },
    /// Expect the file's frames from this member, with this number, from now on.
    Expect {
        /// The member that sends the file.
        member: MemberId,
        /// Number of the file in its frames.
        number: u32,
    },
    /// Delete all stored bytes of the file.
    Discard {
        /// The file's name in the storage.
        transfer: TransferId,
    },
}

/// An event of the sink: the part of the worker that stores an incoming file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkEvent {
    /// The storage is ready, with this part of the file in it.
    Opened {
        /// Number of verified bytes in the storage.
        verified_bytes: u64,
        /// Hash of these bytes.
        sha256: Sha256Digest,
    },
    /// More bytes are verified and written.
    Progress {
        /// Number of verified bytes in the storage.
        verified_bytes: u64,
        /// Hash of these bytes.
        sha256: Sha256Digest,
    },
    /// A chunk did not match its hash.
    Wrong {
        /// Number of verified bytes in the storage.
        verified_bytes: u64,
        /// Hash of these bytes.
        sha256: Sha256Digest,
    },
    /// The whole file is verified and on the disk.
    Complete {
        /// Hash of the file.
        sha256: Sha256Digest,
    },
    /// The file cannot be stored.
    Failed(TransferEnd),
}

/// An action that [`Transfers`](super::Transfers) requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutput {
    /// Send a message to a member if its channel is open.
    Send(MemberId, ControlMessage),
    /// A task for the page and its worker.
    Perform(TransferTask),
}

/// A task for the page or its worker. No message to a member results from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTask {
    /// A command to the source of a transfer, or to that of a chosen file that was not offered yet.
    Source(TransferHandle, SourceCommand),
    /// A command to the sink of a transfer.
    Sink(TransferHandle, SinkCommand),
    /// The sink of a transfer no longer responds: give up the worker that stores files, and report it as failed.
    SinkSilent(TransferHandle),
    /// Let this transfer read the file that was chosen under the handle `pick`.
    Attach {
        /// What [`Transfers::choose`](super::Transfers::choose) returned.
        pick: TransferHandle,
        /// The transfer that reads the file.
        transfer: TransferHandle,
    },
    /// [`Transfers::backlog`](super::Transfers::backlog) changed.
    BacklogChanged,
    /// The view of this transfer changed.
    Changed(TransferHandle),
    /// This transfer ended long ago and was dropped from the list.
    Forgotten(TransferHandle),
    /// The records to keep changed: see [`Transfers::records`](super::Transfers::records).
    RecordsChanged,
}
