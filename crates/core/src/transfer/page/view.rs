//! A transfer as a page shows it.

use std::time::Duration;

use sightline_protocol::{
    MemberId, TransferId,
    transfer::{FileOffer, Sha256Digest, TransferEnd},
};

use super::{name::safe_folder, speed::Speed};

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From this member.
    Sending,
    /// To this member.
    Receiving,
}

impl Direction {
    /// The word as tests read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Receiving => "receiving",
        }
    }
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransferState {
    /// The receiver has not answered.
    Offered,
    /// On its way.
    Running,
    /// One of the two holds it back, or the sender has to choose the file again.
    Paused,
    /// Everything was sent; the receiver finishes.
    Verifying,
    /// The receiver has the file, and it is the sender's.
    Done,
    /// The receiver did not want it.
    Declined,
    /// Given up by either side.
    Cancelled,
    /// It ended by a problem.
    Failed,
}

impl TransferState {
    /// The word as tests read it.
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

    /// Whether nothing more happens to it.
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

/// Whether anything can be said to the other side now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// It is connected.
    Connected,
    /// It is not now, and expected back.
    Waiting,
    /// It is not in the room any more. Should the same page come back, the transfer goes on.
    Gone,
}

impl Reach {
    /// The word as tests read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Waiting => "waiting",
            Self::Gone => "gone",
        }
    }
}

/// The files that wait for the person's answer, as they are shown beside the button that answers to all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offered {
    /// How many are offered.
    pub files: u64,
    /// How many are still to come with them, as their senders announced.
    pub files_to_come: u64,
    /// All of these together.
    pub bytes: u64,
    /// What is offered under a later handle is not among them.
    pub last_handle: u32,
}

impl Offered {
    /// How many files there are.
    #[must_use]
    pub fn all_files(self) -> u64 {
        self.files.saturating_add(self.files_to_come)
    }
}

/// A transfer at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferView {
    /// Which.
    pub id: TransferId,
    /// The other side.
    pub member: MemberId,
    /// Which way.
    pub direction: Direction,
    /// The file's name, safe to save under.
    pub name: String,
    /// The folders that it lies in, safe too; empty for none.
    pub folder: String,
    /// In bytes.
    pub size_bytes: u64,
    /// A media type, or nothing.
    pub media_type: String,
    /// Verified by the receiver.
    pub bytes: u64,
    /// How far it is.
    pub state: TransferState,
    /// Why it ended without the file.
    pub end: Option<TransferEnd>,
    /// Whether the other side can be reached.
    pub reach: Reach,
    /// This side holds it back.
    pub is_paused_here: bool,
    /// The sender's page was loaded again, and the sender has to choose the file again.
    pub needs_file: bool,
    /// Of the whole file, once it is there.
    pub sha256: Option<Sha256Digest>,
    /// Over the last seconds, while it runs.
    pub bytes_per_second: Option<u64>,
    /// At this speed.
    pub time_left: Option<Duration>,
}

impl TransferView {
    /// What is the same whichever way it goes.
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

    /// What is on its way stands still while the other side cannot be reached.
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
