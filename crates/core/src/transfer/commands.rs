//! What passes between [`Transfers`](super::Transfers) and those who have the bytes, the channels and the page.

use sightline_protocol::{
    MemberId, TransferId,
    control::ControlMessage,
    transfer::{OfferBatch, Sha256Digest, TransferEnd},
};

use super::identity::FileIdentity;

/// Names a transfer within this page, and its bytes in the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferHandle(pub u32);

/// A file of this computer, as its sender's browser describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileDescription {
    /// Its name.
    pub name: String,
    /// The folders it was chosen in, with `/` between them.
    pub folder: String,
    /// In bytes.
    pub size_bytes: u64,
    /// A media type, or nothing.
    pub media_type: String,
    /// In milliseconds since 1970.
    pub modified_ms: u64,
    /// The files that it was chosen with.
    pub batch: Option<OfferBatch>,
}

/// For what reads a file of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceCommand {
    /// Go to `offset`, and make no chunk before the file is known to begin with what `sha256` is the hash of.
    Seek {
        /// Comes back with every frame from here on.
        seek: u32,
        /// Into the frames.
        number: u32,
        /// In the file.
        offset: u64,
        /// Of the file up to there.
        sha256: Option<Sha256Digest>,
    },
    /// Make so many chunks more.
    Pull {
        /// How many.
        chunks: u32,
        /// How large, except the file's last.
        chunk_bytes: u32,
    },
    /// Say which file it is: [`SourceEvent::Identified`].
    Identify {
        /// Read all of it, not samples only.
        is_whole: bool,
    },
    /// Forget the file.
    Close,
}

/// From what reads a file of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// A frame is ready.
    Frame {
        /// Of the command that led here.
        seek: u32,
        /// Where its bytes begin in the file.
        offset: u64,
        /// How many they are.
        length_bytes: u64,
        /// Of the whole file, with its last chunk.
        sha256: Option<Sha256Digest>,
    },
    /// It is where a [`SourceCommand::Seek`] wanted it, and the file up to there is what was expected.
    Reached {
        /// Of the command.
        seek: u32,
        /// Of the file up to there.
        sha256: Sha256Digest,
    },
    /// Which file it is; `None` where it cannot be read.
    Identified(Option<FileIdentity>),
    /// There will be no more.
    Failed(TransferEnd),
}

/// For what stores a file that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkCommand {
    /// Make a place for it, or find what is there of it already.
    Open {
        /// Its name in the storage.
        transfer: TransferId,
        /// From whom.
        member: MemberId,
        /// In the frames.
        number: u32,
        /// Of the whole file.
        size_bytes: u64,
    },
    /// Its frames come from that member, under that number, now.
    Expect {
        /// From whom.
        member: MemberId,
        /// In the frames.
        number: u32,
    },
    /// Throw away what is there of it.
    Discard {
        /// Its name in the storage.
        transfer: TransferId,
    },
}

/// From what stores a file that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkEvent {
    /// There is a place, with so much of the file in it.
    Opened {
        /// How much.
        verified_bytes: u64,
        /// Of that.
        sha256: Sha256Digest,
    },
    /// More of it is verified and written.
    Progress {
        /// How much there is now.
        verified_bytes: u64,
        /// Of that.
        sha256: Sha256Digest,
    },
    /// A chunk was not what its hash says.
    Wrong {
        /// How much there is.
        verified_bytes: u64,
        /// Of that.
        sha256: Sha256Digest,
    },
    /// The whole file is there, and on the disk.
    Complete {
        /// Of the file.
        sha256: Sha256Digest,
    },
    /// It cannot be stored.
    Failed(TransferEnd),
}

/// What [`Transfers`](super::Transfers) wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutput {
    /// Tell a member, if its channel is open.
    Send(MemberId, ControlMessage),
    /// For the page and its worker.
    Perform(TransferTask),
}

/// What the page does or has the worker do. No member hears of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferTask {
    /// For the source of a transfer, or of a file that was chosen and not offered yet.
    Source(TransferHandle, SourceCommand),
    /// For the sink of a transfer.
    Sink(TransferHandle, SinkCommand),
    /// The sink of a transfer says nothing any more, nor will it: what stores files has to be given up and reported as failed.
    SinkSilent(TransferHandle),
    /// This transfer reads the file that was chosen under that handle.
    Attach {
        /// What [`Transfers::choose`](super::Transfers::choose) returned.
        pick: TransferHandle,
        /// The transfer.
        transfer: TransferHandle,
    },
    /// [`Transfers::backlog`](super::Transfers::backlog) changed.
    BacklogChanged,
    /// It shows something else now.
    Changed(TransferHandle),
    /// It is over for long, and no longer known.
    Forgotten(TransferHandle),
    /// Something is to be kept, or no more: see [`Transfers::records`](super::Transfers::records).
    RecordsChanged,
}
