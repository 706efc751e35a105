//! One file from a member to this page.

use std::time::Duration;

use sightline_protocol::{
    BatchId, MemberId,
    control::ControlMessage,
    transfer::{FileOffer, FileProgress, Sha256Digest, TransferEnd},
};

use super::{
    repeat::Repeat,
    speed::Speed,
    view::{Direction, TransferState, TransferView},
};
use crate::{
    Timestamp,
    transfer::commands::{SinkCommand, SinkEvent},
};

/// The receiver reports its progress to the sender after this number of verified bytes, or after `TELL_INTERVAL`.
const TELL_BYTES: u64 = 512 * 1024;
const TELL_INTERVAL: Duration = Duration::from_millis(100);
/// Time limit for the sink to flush the last bytes of a complete file. Storage that does not respond for so long never will:
/// Chromium's does not if the site's data were cleared meanwhile.
const STORING: Duration = Duration::from_secs(30);
/// Number of consecutive wrong chunks after which the transfer fails.
const MAX_WRONG: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Offered,
    /// Accepted; earlier files of the same sender come first.
    Accepted,
    /// The sink is creating the storage.
    Opening,
    Running,
    Done(Sha256Digest),
    Ended(TransferEnd),
}

#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) handle: u32,
    pub(super) offer: FileOffer,
    pub(super) member: MemberId,
    /// Safe as a file name, and unique among the files here.
    pub(super) name: String,
    /// `name` in folded case, for comparisons.
    pub(super) folded_name: String,
    /// The batch that the file counts towards.
    pub(super) batch: Option<BatchId>,
    /// Whether the person removed the file from the list.
    pub(super) is_cleared: bool,
    phase: Phase,
    was_accepted: bool,
    is_paused_here: bool,
    sequence: u32,
    attempt: u32,
    /// Whether the next message asks the sender to restart from the verified bytes.
    needs_attempt: bool,
    verified_bytes: u64,
    sha256: Option<Sha256Digest>,
    told: (Timestamp, u64),
    wrong: u32,
    /// Deadline for the sink to report the file as complete, once all bytes are here.
    stored_by: Option<Timestamp>,
    repeat: Repeat,
    speed: Speed,
}

impl Incoming {
    pub(super) fn new(handle: u32, member: MemberId, name: String, offer: FileOffer, now: Timestamp) -> Self {
        Self {
            handle,
            offer,
            member,
            folded_name: name.to_lowercase(),
            name,
            batch: None,
            is_cleared: false,
            phase: Phase::Offered,
            was_accepted: false,
            is_paused_here: false,
            sequence: 0,
            attempt: 0,
            needs_attempt: true,
            verified_bytes: 0,
            sha256: None,
            told: (now, 0),
            wrong: 0,
            stored_by: None,
            repeat: Repeat::new(now),
            speed: Speed::default(),
        }
    }

    /// A transfer restored from an earlier page, whose file is stored already.
    pub(super) fn kept_done(mut self, sha256: Sha256Digest) -> Self {
        self.verified_bytes = self.offer.size_bytes;
        self.phase = Phase::Done(sha256);
        self
    }

    /// Accepts the file, which [`Self::open`] starts once there is a place for it. Returns whether the file was offered.
    pub(super) fn accept(&mut self) -> bool {
        let is_offered = self.phase == Phase::Offered;
        if is_offered {
            self.phase = Phase::Accepted;
            self.was_accepted = true;
        }
        is_offered
    }

    /// Requests storage for the file if it is accepted and has none.
    pub(super) fn open(&mut self) -> Option<SinkCommand> {
        (self.phase == Phase::Accepted).then(|| {
            self.phase = Phase::Opening;
            self.open_command()
        })
    }

    /// Whether the person has not answered yet.
    pub(super) fn is_offered(&self) -> bool {
        self.phase == Phase::Offered
    }

    /// Whether the file is accepted and has no storage yet.
    pub(super) fn wants_place(&self) -> bool {
        self.phase == Phase::Accepted
    }

    /// Whether the file has storage.
    pub(super) fn has_place(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Running)
    }

    /// Whether either side paused the transfer.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused_here || self.offer.is_paused
    }

    /// Whether the sender withdrew the file before it was accepted.
    pub(super) fn is_withdrawn(&self) -> bool {
        matches!(self.phase, Phase::Ended(_)) && !self.was_accepted
    }

    /// Whether the name is taken: a file that did not arrive frees its name for others.
    pub(super) fn keeps_name(&self) -> bool {
        !matches!(self.phase, Phase::Ended(_))
    }

    /// Deletes the stored bytes of the file. A file that was never accepted has none, so withdrawn offers cause no disk access.
    pub(super) fn discard_command(&self) -> Option<SinkCommand> {
        let is_stored = self.was_accepted || matches!(self.phase, Phase::Done(_));
        is_stored.then(|| SinkCommand::Discard { transfer: self.offer.transfer.clone() })
    }

    fn open_command(&self) -> SinkCommand {
        SinkCommand::Open {
            transfer: self.offer.transfer.clone(),
            member: self.member.clone(),
            number: self.offer.number,
            size_bytes: self.offer.size_bytes,
        }
    }

    /// Takes a repeated or changed offer from the sender. If the file's number in frames changed, the sink is told.
    pub(super) fn handle_offer(
        &mut self,
        member: &MemberId,
        offer: &FileOffer,
        now: Timestamp,
    ) -> Option<SinkCommand> {
        // A different file under the same id was never accepted.
        let is_same = offer.size_bytes == self.offer.size_bytes
            && offer.name == self.offer.name
            && offer.folder == self.offer.folder;
        if !is_same {
            self.end(TransferEnd::FileChanged);
            return self.discard_command();
        }
        if offer.sequence <= self.offer.sequence {
            return None;
        }
        let is_renamed = offer.number != self.offer.number || *member != self.member;
        self.offer = offer.clone();
        self.member = member.clone();
        if self.offer.is_paused {
            self.speed.reset();
        }
        self.repeat.reset(now);
        let has_sink = matches!(self.phase, Phase::Opening | Phase::Running);
        (is_renamed && has_sink)
            .then(|| SinkCommand::Expect { member: member.clone(), number: self.offer.number })
    }

    pub(super) fn handle_channel_open(&mut self, now: Timestamp) {
        // A new page of the sender counts from zero again.
        self.offer.sequence = 0;
        self.needs_attempt = true;
        self.speed.reset();
        self.repeat.reset(now);
    }

    /// Takes an event of the sink. Returns whether the sender has to be told.
    pub(super) fn handle_sink(&mut self, event: &SinkEvent, now: Timestamp) -> bool {
        if self.is_over() {
            return false;
        }
        match *event {
            SinkEvent::Opened { verified_bytes, sha256 } => {
                self.phase = Phase::Running;
                self.note_verified(verified_bytes, now);
                self.sha256 = Some(sha256);
                self.needs_attempt = true;
                true
            }
            SinkEvent::Progress { verified_bytes, sha256 } => {
                self.note_verified(verified_bytes, now);
                self.wrong = 0;
                self.sha256 = Some(sha256);
                self.repeat.reset(now);
                let (told_at, told_bytes) = self.told;
                verified_bytes >= told_bytes + TELL_BYTES || now.since(told_at) >= TELL_INTERVAL
            }
            SinkEvent::Wrong { verified_bytes, sha256 } => {
                self.note_verified(verified_bytes, now);
                self.wrong += 1;
                self.sha256 = Some(sha256);
                self.needs_attempt = true;
                if self.wrong > MAX_WRONG {
                    self.end(TransferEnd::Corrupted);
                }
                true
            }
            SinkEvent::Complete { sha256 } => {
                self.verified_bytes = self.offer.size_bytes;
                self.phase = Phase::Done(sha256);
                true
            }
            SinkEvent::Failed(reason) => {
                self.end(reason);
                true
            }
        }
    }

    /// The message to send to the sender now, if any.
    pub(super) fn statement(&mut self, now: Timestamp) -> Option<ControlMessage> {
        let transfer = self.offer.transfer.clone();
        match self.phase {
            Phase::Offered | Phase::Accepted | Phase::Opening => None,
            Phase::Done(sha256) => Some(ControlMessage::TransferDone { transfer, sha256 }),
            Phase::Ended(reason) => Some(ControlMessage::TransferEnd { transfer, reason }),
            Phase::Running => {
                self.sequence = self.sequence.saturating_add(1);
                let is_new_attempt = std::mem::take(&mut self.needs_attempt);
                if is_new_attempt {
                    self.attempt = self.attempt.wrapping_add(1);
                }
                self.told = (now, self.verified_bytes);
                Some(ControlMessage::TransferProgress(FileProgress {
                    transfer,
                    sequence: self.sequence,
                    attempt: self.attempt,
                    verified_bytes: self.verified_bytes,
                    sha256: self.sha256.filter(|_| is_new_attempt),
                    is_paused: self.is_paused_here,
                }))
            }
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

    /// Notes that other files of the same sender arrive, which this file may have to wait for.
    pub(super) fn note_sender_alive(&mut self, now: Timestamp) {
        self.repeat.reset(now);
    }

    /// Notes that frames may have been lost, so that the next message asks for them. Returns whether any are missing.
    pub(super) fn ask_again(&mut self, now: Timestamp) -> bool {
        let is_asking = self.waits_for_bytes();
        if is_asking {
            self.needs_attempt = true;
            self.repeat.reset(now);
        }
        is_asking
    }

    /// Whether nothing arrived for long. If so, the next message asks the sender to restart from the verified bytes.
    pub(super) fn is_repeat_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.waits_for_bytes() && self.repeat.is_due(now);
        self.needs_attempt |= is_due;
        is_due
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.waits_for_bytes().then(|| self.repeat.deadline())
    }

    /// The deadline for the sink to report the file as complete.
    pub(super) fn storing_deadline(&self) -> Option<Timestamp> {
        self.stored_by.filter(|_| self.phase == Phase::Running)
    }

    /// Whether the sink missed that deadline. Returns true only once.
    pub(super) fn is_sink_silent(&mut self, now: Timestamp) -> bool {
        let is_silent = self.storing_deadline().is_some_and(|by| by <= now);
        self.stored_by.take_if(|_| is_silent).is_some()
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done(_) | Phase::Ended(_))
    }

    pub(super) fn is_accepted(&self) -> bool {
        matches!(self.phase, Phase::Accepted | Phase::Opening | Phase::Running | Phase::Done(_))
    }

    pub(super) fn has_file(&self) -> Option<Sha256Digest> {
        if let Phase::Done(sha256) = self.phase { Some(sha256) } else { None }
    }

    pub(super) fn view(&self) -> TransferView {
        let state = match self.phase {
            Phase::Done(_) => TransferState::Done,
            Phase::Ended(reason) => TransferState::of_end(reason),
            Phase::Offered => TransferState::Offered,
            _ if self.is_paused_here || self.offer.is_paused => TransferState::Paused,
            _ if self.is_all_here() => TransferState::Verifying,
            Phase::Accepted | Phase::Opening | Phase::Running => TransferState::Running,
        };
        TransferView {
            end: if let Phase::Ended(reason) = self.phase { Some(reason) } else { None },
            is_paused_here: self.is_paused_here,
            sha256: self.has_file(),
            ..TransferView::of(
                Direction::Receiving,
                &self.offer,
                &self.member,
                self.name.clone(),
                state,
                self.verified_bytes,
                &self.speed,
            )
        }
    }

    fn waits_for_bytes(&self) -> bool {
        self.phase == Phase::Running && !self.is_paused_here && !self.offer.is_paused
    }

    /// An empty file is not here before its one frame arrives.
    fn is_all_here(&self) -> bool {
        self.verified_bytes == self.offer.size_bytes && self.offer.size_bytes > 0
    }

    fn note_verified(&mut self, verified_bytes: u64, now: Timestamp) {
        self.verified_bytes = verified_bytes.min(self.offer.size_bytes);
        self.stored_by = self.is_all_here().then(|| now + STORING);
        self.speed.handle_count(self.verified_bytes, now);
    }
}
