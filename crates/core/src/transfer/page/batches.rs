//! Batches of files that a sender chose together: the sender's announcement, and the person's answer to the whole batch.
//!
//! Invariant: an answer covers no more files and bytes than the sender had announced when the person gave it. The first
//! announcement of a batch counts; an offer that contradicts it, or exceeds it, needs a separate answer.

use std::collections::VecDeque;

use sightline_protocol::{BatchId, MemberId, transfer::OfferBatch};

/// Remembered batches per member and in total. When there are too many, the oldest batch without outstanding files is dropped,
/// or else the oldest.
const MAX_OF_MEMBER: usize = 32;
const MAX_BATCHES: usize = 256;

/// The person's answer to a whole batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Accept,
    Decline,
}

/// The result of counting an offer towards its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) answer: Option<Answer>,
}

#[derive(Debug)]
struct Batch {
    member: MemberId,
    announced: OfferBatch,
    /// Announced files that were not offered yet.
    files_to_come: u64,
    bytes_to_come: u64,
    answer: Option<Answer>,
}

#[derive(Debug, Default)]
pub(super) struct Batches {
    known: VecDeque<Batch>,
}

impl Batches {
    /// Counts an offered file of `size_bytes` towards its batch; `None` if the file exceeds the announcement.
    pub(super) fn count(
        &mut self,
        member: &MemberId,
        announced: &OfferBatch,
        size_bytes: u64,
    ) -> Option<Counted> {
        if self.find(member, &announced.id).is_none() {
            self.make_room(member);
            self.known.push_back(Batch {
                member: member.clone(),
                announced: announced.clone(),
                files_to_come: announced.files.get(),
                bytes_to_come: announced.bytes.get(),
                answer: None,
            });
        }
        let batch = self.find(member, &announced.id).filter(|batch| batch.announced == *announced)?;
        let files_to_come = batch.files_to_come.checked_sub(1)?;
        let bytes_to_come = batch.bytes_to_come.checked_sub(size_bytes)?;
        (batch.files_to_come, batch.bytes_to_come) = (files_to_come, bytes_to_come);
        Some(Counted { answer: batch.answer })
    }

    /// Takes the person's answer to all files of a batch.
    pub(super) fn answer(&mut self, member: &MemberId, id: &BatchId, answer: Answer) {
        if let Some(batch) = self.find(member, id) {
            batch.answer = Some(answer);
        }
    }

    /// Number of announced files that were not offered yet, and their total size in bytes.
    pub(super) fn to_come(&self, member: &MemberId, id: &BatchId) -> (u64, u64) {
        let batch = self.known.iter().find(|batch| batch.member == *member && batch.announced.id == *id);
        batch
            .filter(|batch| batch.files_to_come > 0)
            .map_or((0, 0), |batch| (batch.files_to_come, batch.bytes_to_come))
    }

    /// Number of announced files of all batches that were not offered yet.
    pub(super) fn all_to_come(&self) -> u64 {
        self.known.iter().map(|batch| batch.files_to_come).fold(0, u64::saturating_add)
    }

    /// Forgets all batches of a member.
    pub(super) fn forget(&mut self, member: &MemberId) {
        self.known.retain(|batch| batch.member != *member);
    }

    fn find(&mut self, member: &MemberId, id: &BatchId) -> Option<&mut Batch> {
        self.known.iter_mut().find(|batch| batch.member == *member && batch.announced.id == *id)
    }

    fn make_room(&mut self, member: &MemberId) {
        let is_of_member = |batch: &Batch| batch.member == *member;
        let is_full = self.known.iter().filter(|batch| is_of_member(batch)).count() >= MAX_OF_MEMBER;
        if !is_full && self.known.len() < MAX_BATCHES {
            return;
        }
        let may_go = |batch: &Batch| !is_full || is_of_member(batch);
        let complete = self.known.iter().position(|batch| may_go(batch) && batch.files_to_come == 0);
        let oldest = complete.or_else(|| self.known.iter().position(may_go));
        oldest.map(|at| self.known.remove(at));
    }
}
