//! One file from one member to here.

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

/// How much is verified before the sender hears of it, and how long it waits at most.
const TELL_BYTES: u64 = 512 * 1024;
const TELL_INTERVAL: Duration = Duration::from_millis(100);
/// How long it may take until a file that is all here is one that can be saved; the last of it is flushed then. Storage that says
/// nothing for so long never will: Chromium's does not, of a file whose site's data were cleared meanwhile.
const STORING: Duration = Duration::from_secs(30);
/// Wrong chunks, one after the other, after which the way here is given up.
const MAX_WRONG: u32 = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Offered,
    /// Accepted; others of the same sender come first.
    Accepted,
    /// The place to store it is being made.
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
    /// Safe to save under, and different from the others'.
    pub(super) name: String,
    /// `name` without differences in capitals.
    pub(super) folded_name: String,
    /// The batch that it counts to.
    pub(super) batch: Option<BatchId>,
    phase: Phase,
    was_accepted: bool,
    is_paused_here: bool,
    sequence: u32,
    attempt: u32,
    /// The next message asks the sender to begin at the verified bytes.
    needs_attempt: bool,
    verified_bytes: u64,
    sha256: Option<Sha256Digest>,
    told: (Timestamp, u64),
    wrong: u32,
    /// Until when the sink has to say that the file is complete, once all of it is here.
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

    /// One whose file is there already.
    pub(super) fn kept_done(mut self, sha256: Sha256Digest) -> Self {
        self.verified_bytes = self.offer.size_bytes;
        self.phase = Phase::Done(sha256);
        self
    }

    /// Takes it, as soon as [`Self::open`] may be; whether it was offered.
    pub(super) fn accept(&mut self) -> bool {
        let is_offered = self.phase == Phase::Offered;
        if is_offered {
            self.phase = Phase::Accepted;
            self.was_accepted = true;
        }
        is_offered
    }

    /// Has a place made to store it, where it is accepted and has none.
    pub(super) fn open(&mut self) -> Option<SinkCommand> {
        (self.phase == Phase::Accepted).then(|| {
            self.phase = Phase::Opening;
            self.open_command()
        })
    }

    /// Whether the person has not answered.
    pub(super) fn is_offered(&self) -> bool {
        self.phase == Phase::Offered
    }

    /// Whether it waits for a place.
    pub(super) fn wants_place(&self) -> bool {
        self.phase == Phase::Accepted
    }

    /// Whether it has a place.
    pub(super) fn has_place(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Running)
    }

    /// Whether one side holds it back.
    pub(super) fn is_paused(&self) -> bool {
        self.is_paused_here || self.offer.is_paused
    }

    /// Whether its sender took it back before it was accepted.
    pub(super) fn is_withdrawn(&self) -> bool {
        matches!(self.phase, Phase::Ended(_)) && !self.was_accepted
    }

    /// Whether its name counts: what did not come leaves its name to others.
    pub(super) fn keeps_name(&self) -> bool {
        !matches!(self.phase, Phase::Ended(_))
    }

    /// Throws away what is stored of it. Nothing is of a file that was never accepted, so that offers which are taken back ask
    /// nothing of the disk.
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

    /// The sender said something of it again. Where its frames are called otherwise now, the sink has to know.
    pub(super) fn handle_offer(
        &mut self,
        member: &MemberId,
        offer: &FileOffer,
        now: Timestamp,
    ) -> Option<SinkCommand> {
        // Another file under the same id is none that was accepted.
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
        // The sender's page may be a new one.
        self.offer.sequence = 0;
        self.needs_attempt = true;
        self.speed.reset();
        self.repeat.reset(now);
    }

    /// What the sink says; whether the sender has to hear of it.
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

    /// What there is to say to the sender now, if anything.
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

    /// Other files of the same sender come: this one may have to wait for them.
    pub(super) fn note_sender_alive(&mut self, now: Timestamp) {
        self.repeat.reset(now);
    }

    /// Some of what was sent may be lost: the next message asks for it. Whether there is something to ask for.
    pub(super) fn ask_again(&mut self, now: Timestamp) -> bool {
        let is_asking = self.waits_for_bytes();
        if is_asking {
            self.needs_attempt = true;
            self.repeat.reset(now);
        }
        is_asking
    }

    /// Whether nothing came for long: the sender begins again at the verified bytes.
    pub(super) fn is_repeat_due(&mut self, now: Timestamp) -> bool {
        let is_due = self.waits_for_bytes() && self.repeat.is_due(now);
        self.needs_attempt |= is_due;
        is_due
    }

    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.waits_for_bytes().then(|| self.repeat.deadline())
    }

    /// Until when the sink has to say something.
    pub(super) fn storing_deadline(&self) -> Option<Timestamp> {
        self.stored_by.filter(|_| self.phase == Phase::Running)
    }

    /// Whether it did not. True once.
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

    /// Of a file of no bytes nothing is here before its one frame.
    fn is_all_here(&self) -> bool {
        self.verified_bytes == self.offer.size_bytes && self.offer.size_bytes > 0
    }

    fn note_verified(&mut self, verified_bytes: u64, now: Timestamp) {
        self.verified_bytes = verified_bytes.min(self.offer.size_bytes);
        self.stored_by = self.is_all_here().then(|| now + STORING);
        self.speed.handle_count(self.verified_bytes, now);
    }
}
