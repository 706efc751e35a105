//! Why a transfer ended, for each side.

use sightline_core::transfer::Direction;
use sightline_protocol::transfer::TransferEnd;

use crate::{language::Sentence, sentence};

/// The sentence for the end of a transfer.
#[must_use]
pub fn end_text(end: TransferEnd, direction: Direction) -> Sentence {
    let is_sending = direction == Direction::Sending;
    match end {
        TransferEnd::Declined if is_sending => sentence!(files.end.declined_there),
        TransferEnd::Declined => sentence!(files.end.declined),
        TransferEnd::Cancelled => sentence!(files.end.cancelled),
        TransferEnd::DiskFull if is_sending => sentence!(files.end.disk_full_there),
        TransferEnd::DiskFull => sentence!(files.end.disk_full),
        TransferEnd::TooLarge if is_sending => sentence!(files.end.too_large_there),
        TransferEnd::TooLarge => sentence!(files.end.too_large),
        TransferEnd::StorageRefused if is_sending => sentence!(files.end.storage_refused_there),
        TransferEnd::StorageRefused => sentence!(files.end.storage_refused),
        TransferEnd::FileChanged => sentence!(files.end.file_changed),
        TransferEnd::FileUnreadable => sentence!(files.end.file_unreadable),
        TransferEnd::Corrupted => sentence!(files.end.corrupted),
        TransferEnd::TooMany => sentence!(files.end.too_many),
        TransferEnd::Unknown | TransferEnd::Other => sentence!(files.end.unknown),
    }
}
