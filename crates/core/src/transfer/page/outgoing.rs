//! One file from this page to one member.

use std::hash::{DefaultHasher, Hash, Hasher};

use sightline_protocol::{
    MemberId,
    control::ControlMessage,
    transfer::{FileOffer, FileProgress, Sha256Digest, TransferEnd},
};

use super::{
    name::safe_name,
    record::KeptTransfer,
    repeat::Repeat,
    speed::Speed,
    view::{Direction, TransferState, TransferView},
};
use crate::{
    Timestamp,
    transfer::{
        CHUNK_BYTES, WINDOW_BYTES,
        commands::{FileDescription, SourceCommand, SourceEvent},
        identity::FileIdentity,
    },
};

/// Maximum number of bytes requested from the source at a time, which bounds the bytes that are read and not sent yet.
const MAX_ASKED_BYTES: u64 = 16 * CHUNK_BYTES as u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not offered to the member yet, since too many files are open.
    Queued,
    Offered,
    Running,
    Done(Sha256Digest),
    Ended(TransferEnd),
}

#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) handle: u32,
    pub(super) offer: FileOffer,
    pub(super) member: MemberId,
    pub(super) needs_file: bool,
    /// The choice that the file belongs to, which several members may share; 0 for a file of an earlier page.
    pub(super) pick: u32,
    /// `None` until the source identified the file.
    pub(super) identity: Option<FileIdentity>,
    /// Whether the source was asked and could not tell more than `identity`.
    pub(super) is_identity_tried: bool,
    /// Whether another file with this name, size and time was offered to the same member.
    pub(super) is_ambiguous: bool,
    /// Whether such a file was also in a folder with the same path.
    pub(super) is_path_ambiguous: bool,
    phase: Phase,
    is_paused_here: bool,
    is_paused_there: bool,
    heard_sequence: Option<u32>,
    attempt: Option<u32>,
    verified_bytes: u64,
    /// Number of the latest seek, which distinguishes frames of the source before and after it.
    seek: u32,
    read_bytes: u64,
    /// Requested chunks that the source has not made yet, and their size in bytes.
    asked: (u32, u64),
    is_all_read: bool,
    /// Hash of the whole file, once it was read to its end.
    sha256: Option<Sha256Digest>,
    /// The hash that the receiver reports, while this side has not read the file to its end.
    claimed: Option<Sha256Digest>,
    repeat: Repeat,
    speed: Speed,
}

impl Outgoing {
    pub(super) fn new(handle: u32, member: MemberId, offer: FileOffer, now: Timestamp) -> Self {
        Self {
            handle,
            offer,
            member,
            needs_file: false,
            pick: 0,
            identity: None,
            is_identity_tried: false,
            is_ambiguous: false,
            is_path_ambiguous: false,
            phase: Phase::Queued,
            is_paused_here: false,
            is_paused_there: false,
            heard_sequence: None,
            attempt: None,
            verified_bytes: 0,
            seek: 0,
            read_bytes: 0,
            asked: (0, 0),
            is_all_read: false,
            sha256: None,
            claimed: None,
            repeat: Repeat::new(now),
            speed: Speed::default(),
        }
    }

    /// A transfer restored from an earlier page, which waits for its file.
    pub(super) fn kept(mut self, kept: &KeptTransfer) -> Self {
        self.needs_file = true;
        self.identity = kept.identity;
        self.is_ambiguous = kept.is_ambiguous;
        self.is_path_ambiguous = kept.is_path_ambiguous;
        self.phase = match kept {
            KeptTransfer { is_accepted: true, .. } => Phase::Running,
            KeptTransfer { is_queued: true, .. } => Phase::Queued,
            _ => Phase::Offered,
        };
        self
    }

    /// Whether the transfer waits for a file with this description.
    pub(super) fn may_be(&self, member: &MemberId, file: &FileDescription) -> bool {
        let offer = &self.offer;
        // A file that was chosen by itself has no folder.
        let is_folder_possible =
            offer.folder == file.folder || offer.folder.is_empty() || file.folder.is_empty();
        self.needs_file
            && !self.is_over()
            && self.member == *member
            && offer.name == file.name
            && offer.size_bytes == file.size_bytes
            && offer.modified_ms == file.modified_ms
            && is_folder_possible
    }

    /// Whether both files go to the same member and have the same name, size and time.
    pub(super) fn has_equal_description(&self, other: &Self) -> bool {
        let (one, other_offer) = (&self.offer, &other.offer);
        self.member == other.member
            && one.size_bytes == other_offer.size_bytes
            && one.modified_ms == other_offer.modified_ms
            && one.name == other_offer.name
    }

    /// A hash that is equal for transfers with [`Self::has_equal_description`].
    pub(super) fn description_hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let offer = &self.offer;
        (&self.member, &offer.name, offer.size_bytes, offer.modified_ms).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether the source has to identify the file; `Some(true)` if it has to read the whole file.
    pub(super) fn wants_identity(&self) -> Option<bool> {
        let has_all = self.identity.is_some_and(|identity| !self.is_ambiguous || identity.whole.is_some());
        (!has_all && !self.is_identity_tried && !self.needs_file && !self.is_over())
            .then_some(self.is_ambiguous)
    }

    pub(super) fn is_queued(&self) -> bool {
        self.phase == Phase::Queued
    }

    /// Takes the file out of the queue and returns its offer.
    pub(super) fn make_offer(&mut self, now: Timestamp) -> ControlMessage {
        self.phase = Phase::Offered;
        self.repeat.reset(now);
        self.statement()
    }

    /// The message to send to the receiver now.
    pub(super) fn statement(&mut self) -> ControlMessage {
        match self.phase {
            Phase::Ended(reason) => {
                ControlMessage::TransferEnd { transfer: self.offer.transfer.clone(), reason }
            }
            _ => {
                self.offer.sequence = self.offer.sequence.saturating_add(1);
                self.offer.is_paused = self.is_paused_here || self.needs_file;
                ControlMessage::TransferOffer(self.offer.clone())
            }
        }
    }

    pub(super) fn handle_channel_open(&mut self, now: Timestamp) {
        self.heard_sequence = None;
        self.attempt = None;
        // The requests to the source belonged to a page or connection that is gone.
        self.asked = (0, 0);
        self.speed.reset();
        self.repeat.reset(now);
    }

    /// Takes the receiver's progress. Returns the command that moves the source there, if needed.
    pub(super) fn handle_progress(
        &mut self,
        progress: &FileProgress,
        now: Timestamp,
    ) -> Option<SourceCommand> {
        if self.is_over() || self.heard_sequence.is_some_and(|heard| heard >= progress.sequence) {
            return None;
        }
        self.heard_sequence = Some(progress.sequence);
        self.phase = Phase::Running;
        self.is_paused_there = progress.is_paused;
        self.repeat.reset(now);
        let verified_bytes = progress.verified_bytes.min(self.offer.size_bytes);
        if self.attempt == Some(progress.attempt) {
            self.verified_bytes = verified_bytes.min(self.read_bytes).max(self.verified_bytes);
            self.speed.handle_count(self.verified_bytes, now);
            return None;
        }
        self.verified_bytes = verified_bytes;
        self.attempt = Some(progress.attempt);
        self.speed.reset();
        self.speed.handle_count(verified_bytes, now);
        (!self.needs_file).then(|| self.seek_to(verified_bytes, progress.sha256))
    }

    /// Takes the receiver's report that it has the file. Returns the command by which the source checks that it is this file.
    pub(super) fn handle_done(&mut self, sha256: Sha256Digest) -> Option<SourceCommand> {
        match self.sha256 {
            _ if self.is_over() => {}
            Some(own) if own == sha256 => self.phase = Phase::Done(sha256),
            Some(_) => self.phase = Phase::Ended(TransferEnd::Corrupted),
            None if self.identity.and_then(|identity| identity.whole).is_some_and(|own| own != sha256) => {
                self.phase = Phase::Ended(TransferEnd::Corrupted);
            }
            // An earlier page of this tab sent the last bytes.
            None if self.needs_file => self.phase = Phase::Done(sha256),
            // After a reload, this page has not read the file to its end.
            None => {
                self.phase = Phase::Running;
                self.claimed = Some(sha256);
                return Some(self.seek_to(self.offer.size_bytes, Some(sha256)));
            }
        }
        self.note_done();
        None
    }

    fn note_done(&mut self) {
        if matches!(self.phase, Phase::Done(_)) {
            self.verified_bytes = self.offer.size_bytes;
        }
    }

    /// Takes an event of the source. Returns whether its frame is to be sent.
    pub(super) fn handle_source(&mut self, event: &SourceEvent) -> bool {
        match event {
            SourceEvent::Frame { seek, offset, length_bytes, sha256 } => {
                if *seek != self.seek || self.is_over() {
                    return false;
                }
                let (chunks, bytes) = self.asked;
                self.asked = (chunks.saturating_sub(1), bytes.saturating_sub(*length_bytes));
                self.read_bytes = offset.saturating_add(*length_bytes).min(self.offer.size_bytes);
                if sha256.is_some() {
                    self.is_all_read = true;
                    self.sha256 = *sha256;
                }
                true
            }
            SourceEvent::Reached { seek, sha256 } => {
                if *seek == self.seek && self.claimed == Some(*sha256) && !self.is_over() {
                    self.phase = Phase::Done(*sha256);
                    self.note_done();
                }
                false
            }
            SourceEvent::Failed(reason) => {
                self.end(*reason);
                false
            }
            SourceEvent::Identified(_) => false,
        }
    }

    pub(super) fn end(&mut self, reason: TransferEnd) {
        if !self.is_over() {
            self.phase = Phase::Ended(reason);
        }
    }

    pub(super) fn pause(&mut self, is_paused: bool) {
        self.is_paused_here = is_paused;
        self.speed.reset();
    }

    /// Notes that the person chose the file again. The receiver will say where to start.
    pub(super) fn handle_file(&mut self, now: Timestamp) {
        self.needs_file = false;
        self.attempt = None;
        self.heard_sequence = None;
        self.repeat.reset(now);
    }

    /// Whether the transfer is running.
    pub(super) fn is_on_its_way(&self) -> bool {
        self.phase == Phase::Running
            && self.attempt.is_some()
            && !self.is_paused_here
            && !self.is_paused_there
            && !self.needs_file
    }

    /// Whether more bytes can be sent now.
    pub(super) fn is_flowing(&self) -> bool {
        self.is_on_its_way() && !self.is_all_read
    }

    /// Number of bytes that the source has not read yet.
    pub(super) fn remaining_bytes(&self) -> u64 {
        self.offer.size_bytes.saturating_sub(self.read_bytes)
    }

    /// The number of chunks to request from the source and their bytes, given that the channels take `free_bytes` more and at
    /// most `most_bytes` may be requested.
    pub(super) fn pull(
        &mut self,
        free_bytes: u64,
        most_bytes: u64,
        chunk_bytes: usize,
    ) -> Option<(SourceCommand, u64)> {
        if !self.is_flowing() {
            return None;
        }
        let (asked_chunks, asked_bytes) = self.asked;
        let chunk = chunk_bytes.clamp(1, CHUNK_BYTES) as u64;
        let in_flight = self.read_bytes.saturating_sub(self.verified_bytes) + asked_bytes;
        let allowed = free_bytes
            .saturating_sub(asked_bytes)
            .min(most_bytes)
            .min(WINDOW_BYTES.saturating_sub(in_flight))
            .min(MAX_ASKED_BYTES.saturating_sub(asked_bytes));
        let remaining = self.remaining_bytes().saturating_sub(asked_bytes);
        // An empty file consists of one empty chunk.
        let is_empty = self.offer.size_bytes == 0 && asked_chunks == 0;
        let chunks = (allowed / chunk).min(if is_empty { 1 } else { remaining.div_ceil(chunk) });
        if chunks == 0 {
            return None;
        }
        let bytes = (chunks * chunk).min(remaining);
        let chunks = u32::try_from(chunks).unwrap_or(1);
        self.asked = (asked_chunks + chunks, asked_bytes + bytes);
        Some((SourceCommand::Pull { chunks, chunk_bytes: chunk as u32 }, bytes))
    }

    /// Whether the unanswered message is to be repeated now.
    pub(super) fn is_repeat_due(&mut self, now: Timestamp) -> bool {
        !self.is_over() && !self.is_queued() && self.repeat.is_due(now)
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        (!self.is_over() && !self.is_queued()).then(|| self.repeat.deadline())
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done(_) | Phase::Ended(_))
    }

    pub(super) fn is_accepted(&self) -> bool {
        !matches!(self.phase, Phase::Queued | Phase::Offered)
    }

    pub(super) fn view(&self) -> TransferView {
        let state = match self.phase {
            Phase::Done(_) => TransferState::Done,
            Phase::Ended(reason) => TransferState::of_end(reason),
            Phase::Queued | Phase::Offered if self.needs_file => TransferState::Paused,
            Phase::Queued | Phase::Offered => TransferState::Offered,
            Phase::Running if self.is_paused_here || self.is_paused_there || self.needs_file => {
                TransferState::Paused
            }
            Phase::Running if self.is_all_read => TransferState::Verifying,
            Phase::Running => TransferState::Running,
        };
        let sha256 = if let Phase::Done(sha256) = self.phase { Some(sha256) } else { self.sha256 };
        TransferView {
            end: if let Phase::Ended(reason) = self.phase { Some(reason) } else { None },
            is_paused_here: self.is_paused_here,
            needs_file: self.needs_file && !self.is_over(),
            sha256,
            ..TransferView::of(
                Direction::Sending,
                &self.offer,
                &self.member,
                safe_name(&self.offer.name),
                state,
                self.verified_bytes,
                &self.speed,
            )
        }
    }

    fn seek_to(&mut self, offset: u64, sha256: Option<Sha256Digest>) -> SourceCommand {
        self.seek = self.seek.wrapping_add(1);
        self.read_bytes = offset;
        self.asked = (0, 0);
        self.is_all_read = false;
        SourceCommand::Seek { seek: self.seek, number: self.offer.number, offset, sha256 }
    }
}
