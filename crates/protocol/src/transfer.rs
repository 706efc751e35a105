//! Transfers of files: the messages of both sides on `control`, and the frames with the bytes on `bulk`.
//!
//! Each side puts its whole state of a transfer into one message and repeats the message when the state changes or may not have
//! arrived; the message with the greatest `sequence` counts. So no single message has to arrive, or to arrive only once.

use serde::{Deserialize, Serialize};

use crate::{
    bounded::UpTo,
    id::{BatchId, TransferId},
};

/// The pre-negotiated stream id of the `bulk` channel, on a member's connection and on bulk links.
pub const BULK_CHANNEL_ID: u16 = 3;
/// The label of the `bulk` channel.
pub const BULK_CHANNEL_LABEL: &str = "bulk";

/// Longest file name, in bytes of UTF-8.
pub const MAX_FILE_NAME_BYTES: usize = 1024;
/// Longest folder path, in bytes of UTF-8: the limit of common file systems.
pub const MAX_FOLDER_BYTES: usize = 4096;
/// Largest file in bytes, and latest time in milliseconds since 1970: the largest integer that a browser represents exactly.
pub const MAX_FILE_BYTES: u64 = 1 << 53;
/// Longest media type, in bytes.
pub const MAX_MEDIA_TYPE_BYTES: usize = 128;
/// Number of transfers that a member may have open with another, in one direction.
pub const MAX_OPEN_TRANSFERS: usize = 2000;

/// Files that may be announced together.
pub const MAX_BATCH_FILES: u64 = 20_000;

/// Number of bulk links that a member may open to another, in addition to the connection between them.
pub const MAX_BULK_CONNECTIONS: usize = 16;

/// Length of a [`BulkHeader`], in bytes.
pub const BULK_HEADER_BYTES: usize = 48;
/// Most file bytes in one frame, so that every browser accepts a frame as one message.
pub const MAX_CHUNK_BYTES: usize = 256 * 1024 - BULK_HEADER_BYTES;

const BULK_VERSION: u8 = 1;

/// A SHA-256 digest (FIPS 180-4). In JSON 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Digest(pub [u8; 32]);

/// The error for a string that is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is 64 lower-case hexadecimal digits")]
pub struct DigestInvalid;

impl TryFrom<String> for Sha256Digest {
    type Error = DigestInvalid;

    fn try_from(text: String) -> Result<Self, DigestInvalid> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return Err(DigestInvalid);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = hex_value(pair[0])? << 4 | hex_value(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

impl From<Sha256Digest> for String {
    fn from(digest: Sha256Digest) -> Self {
        let digits = b"0123456789abcdef";
        let nibbles = digest.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        nibbles.map(|nibble| char::from(digits[usize::from(nibble)])).collect()
    }
}

impl std::fmt::Display for Sha256Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&String::from(*self))
    }
}

impl std::fmt::Debug for Sha256Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&String::from(*self))
    }
}

/// What all files have together that a person chose at once. Each offer of one of them says the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferBatch {
    /// The same for each of these files, and for no other.
    pub id: BatchId,
    /// How many files there are.
    pub files: UpTo<MAX_BATCH_FILES>,
    /// How large they are together.
    pub bytes: UpTo<MAX_FILE_BYTES>,
}

/// The state of the sending side of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOffer {
    /// Random id, chosen by the sender. Whoever knows the id may continue the transfer.
    pub transfer: TransferId,
    /// Increases with every message of this kind about this transfer on a connection.
    pub sequence: u32,
    /// Identifies the transfer in frames; counted by the sender.
    pub number: u32,
    /// The file's name at the sender. Never to be trusted as a path.
    pub name: String,
    /// The folders around the file in the sender's choice, joined by `/`; empty for a file that was chosen by itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// The media type (RFC 6838); empty if unknown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Time of the last change, in milliseconds since 1970.
    pub modified_ms: u64,
    /// Whether the sender paused the transfer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_paused: bool,
    /// The files that it was chosen with. An answer to all of them counts for those too that are offered later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<OfferBatch>,
}

impl FileOffer {
    /// Whether texts and times are within their limits. The receiver refuses a size above [`MAX_FILE_BYTES`].
    #[must_use]
    pub fn has_valid_lengths(&self) -> bool {
        self.name.len() <= MAX_FILE_NAME_BYTES
            && self.folder.len() <= MAX_FOLDER_BYTES
            && self.media_type.len() <= MAX_MEDIA_TYPE_BYTES
            && self.modified_ms <= MAX_FILE_BYTES
    }
}

/// The state of the receiving side of a transfer. The first message accepts the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProgress {
    /// The transfer that the message is about.
    pub transfer: TransferId,
    /// Increases with every message of this kind about this transfer on a connection.
    pub sequence: u32,
    /// A new number asks the sender to begin, or begin again, at `verified_bytes`.
    pub attempt: u32,
    /// Number of bytes from the beginning that were received with correct hashes.
    pub verified_bytes: u64,
    /// The hash of these bytes, at the beginning of an attempt: the sender's file must begin with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256Digest>,
    /// Whether the receiver paused the transfer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_paused: bool,
}

/// Why a transfer ended without the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferEnd {
    /// The receiver declined the file.
    Declined,
    /// Either side canceled the transfer.
    Cancelled,
    /// The receiver's disk is full.
    DiskFull,
    /// The receiver's browser cannot store files of this size.
    TooLarge,
    /// The receiver's browser refuses to write, or withdrew the permission.
    StorageRefused,
    /// The file changed on the sender's disk.
    FileChanged,
    /// The file was removed from the sender's disk, or can no longer be read.
    FileUnreadable,
    /// The received bytes were wrong several times.
    Corrupted,
    /// Too many transfers are open.
    TooMany,
    /// The other side does not know the transfer, or no longer.
    Unknown,
    /// A reason of a later version.
    #[serde(other)]
    Other,
}

impl TransferEnd {
    /// The code as tests and reports read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::DiskFull => "disk-full",
            Self::TooLarge => "too-large",
            Self::StorageRefused => "storage-refused",
            Self::FileChanged => "file-changed",
            Self::FileUnreadable => "file-unreadable",
            Self::Corrupted => "corrupted",
            Self::TooMany => "too-many",
            Self::Unknown => "unknown",
            Self::Other => "other",
        }
    }
}

/// What stands before the bytes in each message of the `bulk` channel.
///
/// | bytes | what |
/// |---|---|
/// | 0 | version, 1 |
/// | 1 to 3 | 0 |
/// | 4 to 7 | the offer's `number`, most significant byte first, as all of these |
/// | 8 to 15 | where in the file the bytes begin |
/// | 16 to 47 | SHA-256 of the file from its beginning to the end of these bytes |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BulkHeader {
    /// The `number` of the transfer's offer.
    pub number: u32,
    /// Position of the first byte in the file.
    pub offset: u64,
    /// SHA-256 of the file from its beginning to the end of these bytes: one hash proves this chunk and all bytes before it, and
    /// finally the whole file.
    pub prefix_sha256: Sha256Digest,
}

impl BulkHeader {
    /// The header as bytes, to be put before the payload.
    #[must_use]
    pub fn encode(&self) -> [u8; BULK_HEADER_BYTES] {
        let mut bytes = [0; BULK_HEADER_BYTES];
        bytes[0] = BULK_VERSION;
        bytes[4..8].copy_from_slice(&self.number.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_be_bytes());
        bytes[16..].copy_from_slice(&self.prefix_sha256.0);
        bytes
    }

    /// Parses a frame; `None` if it is too short, too long or of another version.
    #[must_use]
    pub fn split(frame: &[u8]) -> Option<(Self, &[u8])> {
        let (header, payload) = frame.split_first_chunk::<BULK_HEADER_BYTES>()?;
        if header[0] != BULK_VERSION || payload.len() > MAX_CHUNK_BYTES {
            return None;
        }
        let number = u32::from_be_bytes(header[4..8].try_into().ok()?);
        let offset = u64::from_be_bytes(header[8..16].try_into().ok()?);
        let prefix_sha256 = Sha256Digest(header[16..].try_into().ok()?);
        if offset > MAX_FILE_BYTES {
            return None;
        }
        Some((Self { number, offset, prefix_sha256 }, payload))
    }
}

fn hex_value(digit: u8) -> Result<u8, DigestInvalid> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(DigestInvalid),
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header =
            BulkHeader { number: 0x0102_0304, offset: 5 << 40, prefix_sha256: Sha256Digest([0xa5; 32]) };
        let mut frame = header.encode().to_vec();
        frame.extend(b"payload");
        assert_eq!(BulkHeader::split(&frame), Some((header, b"payload".as_slice())));
    }

    #[test]
    fn a_frame_that_is_short_long_of_another_version_or_past_the_last_offset_is_refused() {
        let header = BulkHeader { number: 1, offset: MAX_FILE_BYTES, prefix_sha256: Sha256Digest([0; 32]) };
        let frame = header.encode().to_vec();
        assert!(BulkHeader::split(&frame).is_some());
        assert_eq!(BulkHeader::split(&frame[..47]), None);
        for offset in [MAX_FILE_BYTES + 1, u64::MAX] {
            assert_eq!(BulkHeader::split(&BulkHeader { offset, ..header }.encode()), None);
        }
        let first = BulkHeader { offset: 0, ..header }.encode();
        assert_eq!(BulkHeader::split(&[first.as_slice(), &vec![0; MAX_CHUNK_BYTES + 1]].concat()), None);
        let mut other = frame;
        other[0] = 2;
        assert_eq!(BulkHeader::split(&other), None);
    }

    #[test]
    fn a_digest_is_exactly_64_lower_case_digits() {
        let text = "00ff".repeat(16);
        let digest = Sha256Digest::try_from(text.clone()).unwrap();
        assert_eq!(digest.to_string(), text);
        for wrong in
            ["", "0", &"0".repeat(63), &"0".repeat(65), &"G".repeat(64), &"0A".repeat(32), &"é".repeat(32)]
        {
            assert_eq!(Sha256Digest::try_from(wrong.to_string()), Err(DigestInvalid), "{wrong}");
        }
    }
}
