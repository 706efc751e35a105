//! A transfer as the page shows it.

use std::time::Duration;

use sightline_protocol::{
    MemberId, TransferId,
    transfer::{FileOffer, Sha256Digest, TransferEnd},
};

use super::{name::safe_folder, speed::Speed};

/// The direction of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// This member sends the file.
    Sending,
    /// This member receives the file.
    Receiving,
}

impl Direction {
    /// The stable word for tests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Receiving => "receiving",
        }
    }
}

/// The state of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferState {
    /// The receiver has not answered yet.
    Offered,
    /// The file is being transferred.
    Running,
    /// Either side paused the transfer, or the sender must choose the file again.
    Paused,
    /// All bytes were sent; the receiver verifies the last ones.
    Verifying,
    /// The receiver has the file, with the sender's hash.
    Done,
    /// The receiver declined the file.
    Declined,
    /// Either side canceled the transfer.
    Cancelled,
    /// The transfer failed.
    Failed,
}

impl TransferState {
    /// The stable word for tests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Verifying => "verifying",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Whether the transfer ended.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Declined | Self::Cancelled | Self::Failed)
    }

    pub(super) fn of_end(reason: TransferEnd) -> Self {
        match reason {
            TransferEnd::Declined => Self::Declined,
            TransferEnd::Cancelled => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// Whether the other side can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The member is connected.
    Connected,
    /// The member is not connected now and is expected to return.
    Waiting,
    /// The member left the room. If the same page returns, the transfer continues.
    Gone,
}

impl Reach {
    /// The stable word for tests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Waiting => "waiting",
            Self::Gone => "gone",
        }
    }
}

/// The files that wait for the person's answer, as shown beside the button that answers for all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offered {
    /// Number of offered files.
    pub files: u64,
    /// Number of files still to come, as announced by their senders.
    pub files_to_come: u64,
    /// Total size of all these files.
    pub bytes: u64,
    /// Number of members who offer them.
    pub members: usize,
    /// The highest handle that counts: a file offered under a later handle is not included.
    pub last_handle: u32,
}

impl Offered {
    /// Total number of files.
    #[must_use]
    pub fn all_files(self) -> u64 {
        self.files.saturating_add(self.files_to_come)
    }
}

/// The view of a transfer at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferView {
    /// The transfer's id.
    pub id: TransferId,
    /// The member at the other end.
    pub member: MemberId,
    /// The direction of the transfer.
    pub direction: Direction,
    /// The file's name, safe to save under.
    pub name: String,
    /// The path of the file's folder, safe to save under; empty for none.
    pub folder: String,
    /// Size of the file.
    pub size_bytes: u64,
    /// Media type; empty if unknown.
    pub media_type: String,
    /// Number of bytes that the receiver has verified.
    pub bytes: u64,
    /// The state of the transfer.
    pub state: TransferState,
    /// Why the transfer ended without the file.
    pub end: Option<TransferEnd>,
    /// Whether the other side can be reached.
    pub reach: Reach,
    /// Whether this side paused the transfer.
    pub is_paused_here: bool,
    /// Whether the sender must choose the file again, since its page was reloaded.
    pub needs_file: bool,
    /// Hash of the whole file, once it has arrived.
    pub sha256: Option<Sha256Digest>,
    /// Average speed over the last seconds, while the transfer is running.
    pub bytes_per_second: Option<u64>,
    /// Remaining time at this speed.
    pub time_left: Option<Duration>,
}

impl TransferView {
    /// The part of the view that is the same in both directions.
    pub(super) fn of(
        direction: Direction,
        offer: &FileOffer,
        member: &MemberId,
        name: String,
        state: TransferState,
        bytes: u64,
        speed: &Speed,
    ) -> Self {
        let bytes_per_second = speed.bytes_per_second().filter(|_| state == TransferState::Running);
        Self {
            id: offer.transfer.clone(),
            member: member.clone(),
            direction,
            name,
            folder: safe_folder(&offer.folder),
            size_bytes: offer.size_bytes,
            media_type: offer.media_type.clone(),
            bytes,
            state,
            end: None,
            reach: Reach::Connected,
            is_paused_here: false,
            needs_file: false,
            sha256: None,
            bytes_per_second,
            time_left: time_left(offer.size_bytes.saturating_sub(bytes), bytes_per_second),
        }
    }

    /// Shows a running transfer as paused while the other side cannot be reached.
    pub(super) fn with_reach(self, reach: Reach) -> Self {
        let stands = reach != Reach::Connected
            && matches!(self.state, TransferState::Running | TransferState::Verifying);
        if !stands {
            return Self { reach, ..self };
        }
        Self { reach, state: TransferState::Paused, bytes_per_second: None, time_left: None, ..self }
    }
}

fn time_left(remaining_bytes: u64, bytes_per_second: Option<u64>) -> Option<Duration> {
    let bytes_per_second = bytes_per_second.filter(|speed| *speed > 0)?;
    Some(Duration::from_secs(remaining_bytes.div_ceil(bytes_per_second)))
}
