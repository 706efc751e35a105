//! Files that the person chooses: which members get an offer, which transfer of an earlier page continues, and which files
//! wait.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    BatchId, MemberId, TransferId,
    bounded::UpTo,
    transfer::{
        FileOffer, MAX_BATCH_FILES, MAX_FILE_NAME_BYTES, MAX_FOLDER_BYTES, MAX_MEDIA_TYPE_BYTES,
        MAX_OPEN_TRANSFERS, OfferBatch, TransferEnd,
    },
};

use super::{name::safe_name, outgoing::Outgoing, record::KeptNames, transfers::Transfers};
use crate::{
    Timestamp,
    transfer::{
        commands::{FileDescription, SourceCommand, TransferHandle, TransferOutput, TransferTask},
        identity::FileIdentity,
    },
};

/// Maximum number of outgoing files that have not ended, to all members together, including files that wait for a member to
/// come.
pub const MAX_FILES_FROM_HERE: usize = 20_000;
/// Files of a large choice are offered at 80 per second after an initial burst. The rate stays below the receiver's budget for
/// offers (`budget::MessageKind::Offer`), however fast earlier files end.
pub(super) const OFFER_INTERVAL: Duration = Duration::from_micros(12_500);
const OFFERS_AT_ONCE: u32 = 2_400;
/// Number of names that the backlog lists.
const NAMES_TOLD: usize = 3;
/// Number of names of waiting files that are kept for a reload.
const NAMES_KEPT: usize = 20;

/// A chosen file that was not offered yet.
#[derive(Debug)]
pub(super) struct Pick {
    handle: u32,
    file: FileDescription,
    to: PickTo,
}

#[derive(Debug)]
enum PickTo {
    /// Transfers of an earlier page to these members may be of this file: its identity has to be read first.
    Known(Vec<MemberId>),
    /// No member is there yet. `Some` if the file is for one member only.
    Waiting(Option<MemberId>),
}

/// Chosen files that cannot be offered yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Number of files that wait for a member to come.
    pub waiting: usize,
    /// Number of files that are offered when earlier ones end.
    pub queued: usize,
    /// Number of queued files that must be chosen again after a reload.
    pub needs_file: usize,
    /// The first names of the waiting and the queued files.
    pub names: Vec<String>,
    /// Number of files that other members offered beyond the limit per member.
    pub refused: u64,
}

impl Transfers {
    /// Takes a file that the person chose for these members. If no member is there, the file waits for members that join, or
    /// for the member `to` only. A transfer of an earlier page that waits for this very file continues with it; all other members
    /// get an offer. [`TransferTask::Attach`] names the transfers that read the file, under the handle that this function
    /// returns.
    ///
    /// # Errors
    /// [`TransferEnd::TooMany`] if too many files wait already.
    pub fn choose(
        &mut self,
        file: FileDescription,
        members: &[MemberId],
        to: Option<&MemberId>,
        now: Timestamp,
    ) -> Result<TransferHandle, TransferEnd> {
        if self.room_for_files() < members.len().max(1) {
            return Err(TransferEnd::TooMany);
        }
        let handle = self.make_handle();
        let file = FileDescription {
            name: cut(file.name, MAX_FILE_NAME_BYTES),
            folder: cut(file.folder, MAX_FOLDER_BYTES),
            media_type: cut(file.media_type, MAX_MEDIA_TYPE_BYTES),
            ..file
        };
        if members.is_empty() {
            self.picks.push_back(Pick { handle, file, to: PickTo::Waiting(to.cloned()) });
            self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
            self.backlog_changed();
            return Ok(TransferHandle(handle));
        }
        let may_be_known = |member: &MemberId| {
            self.has_kept && self.sending.iter().any(|sending| sending.may_be(member, &file))
        };
        let (known, others): (Vec<_>, Vec<_>) =
            members.iter().cloned().partition(|member| may_be_known(member));
        for member in &others {
            self.offer_pick(handle, member, file.clone(), None, now);
        }
        if known.is_empty() {
            self.outputs.push_back(TransferOutput::Perform(TransferTask::Source(
                TransferHandle(handle),
                SourceCommand::Close,
            )));
        } else {
            self.picks.push_back(Pick { handle, file, to: PickTo::Known(known) });
        }
        self.identify_next();
        Ok(TransferHandle(handle))
    }

    /// The announcement of files that are chosen together, for this number of members. `None` if there is nothing to announce.
    pub fn announce(&mut self, files: &[FileDescription], members: usize) -> Option<OfferBatch> {
        let room = self.room_for_files() / members.max(1);
        let taken = &files[..files.len().min(room)];
        if taken.len() < 2 {
            return None;
        }
        let bytes = taken.iter().map(|file| file.size_bytes).fold(0, u64::saturating_add);
        Some(OfferBatch {
            id: BatchId::from_random(self.random.next_u128()),
            files: UpTo::<MAX_BATCH_FILES>::try_from(taken.len() as u64).ok()?,
            bytes: UpTo::try_from(bytes).ok()?,
        })
    }

    fn room_for_files(&self) -> usize {
        let room = MAX_FILES_FROM_HERE.saturating_sub(self.sending.len() + self.picks.len());
        if room > MAX_OPEN_TRANSFERS {
            // There is room for any number of members, so the files need not be examined.
            return room;
        }
        let unfinished = self.sending.iter().filter(|sending| !sending.is_over()).count();
        MAX_FILES_FROM_HERE.saturating_sub(unfinished + self.picks.len())
    }

    /// The chosen files that cannot be offered yet.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        let is_waiting = |pick: &&Pick| matches!(pick.to, PickTo::Waiting(_));
        let waiting = self.picks.iter().filter(is_waiting);
        let queued = self.sending.iter().filter(|file| file.is_queued());
        let names =
            waiting.clone().map(|pick| &pick.file.name).chain(queued.clone().map(|file| &file.offer.name));
        Backlog {
            waiting: waiting.clone().count(),
            queued: queued.clone().count(),
            needs_file: queued.clone().filter(|file| file.needs_file).count(),
            names: names.take(NAMES_TOLD).map(|name| safe_name(name)).collect(),
            refused: self.refused.values().sum(),
        }
    }

    /// The names of the files that wait for a member, to be shown after a reload.
    pub(super) fn waiting_names(&self) -> KeptNames {
        let waiting = self.picks.iter().filter(|pick| matches!(pick.to, PickTo::Waiting(_)));
        let path = |pick: &Pick| match pick.file.folder.as_str() {
            "" => pick.file.name.clone(),
            folder => format!("{folder}/{}", pick.file.name),
        };
        KeptNames { count: waiting.clone().count(), names: waiting.take(NAMES_KEPT).map(path).collect() }
    }

    /// Cancels all files that wait or are queued.
    pub fn cancel_backlog(&mut self) {
        for pick in std::mem::take(&mut self.picks) {
            if matches!(pick.to, PickTo::Waiting(_)) {
                let close = TransferOutput::Perform(TransferTask::Source(
                    TransferHandle(pick.handle),
                    SourceCommand::Close,
                ));
                self.outputs.push_back(close);
            } else {
                self.picks.push_back(pick);
            }
        }
        let is_queued = |file: &Outgoing| file.is_queued();
        for file in self.sending.iter().filter(|file| is_queued(file)) {
            let close = TransferOutput::Perform(TransferTask::Source(
                TransferHandle(file.handle),
                SourceCommand::Close,
            ));
            self.outputs.push_back(close);
        }
        self.sending.retain(|file| !is_queued(file));
        self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
        self.backlog_changed();
    }

    /// Offers the waiting files to a member that came.
    pub(super) fn offer_waiting(&mut self, member: &MemberId, now: Timestamp) {
        let is_for = |pick: &Pick| match &pick.to {
            PickTo::Waiting(to) => to.as_ref().is_none_or(|to| to == member),
            PickTo::Known(_) => false,
        };
        let (offered, kept): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.picks).into_iter().partition(is_for);
        self.picks = kept;
        if offered.is_empty() {
            return;
        }
        for pick in offered {
            self.offer_pick(pick.handle, member, pick.file, None, now);
            let close = TransferOutput::Perform(TransferTask::Source(
                TransferHandle(pick.handle),
                SourceCommand::Close,
            ));
            self.outputs.push_back(close);
        }
        self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
        self.backlog_changed();
        self.identify_next();
    }

    /// Takes the identity of a file from the source; `None` if the source cannot read it.
    pub(super) fn handle_identified(
        &mut self,
        handle: TransferHandle,
        identity: Option<FileIdentity>,
        now: Timestamp,
    ) {
        self.identifying.take_if(|identifying| *identifying == handle.0);
        if let Some(at) = self.picks.iter().position(|pick| pick.handle == handle.0)
            && let Some(pick) = self.picks.remove(at)
        {
            self.assign(pick, identity, now);
        } else if let Some(at) = self.sending.iter().position(|file| file.handle == handle.0) {
            let pick = self.sending[at].pick;
            self.sending[at].is_identity_tried = true;
            let is_of_same =
                |file: &&mut Outgoing| file.handle == handle.0 || (file.pick == pick && pick > 0);
            for file in self.sending.iter_mut().filter(is_of_same) {
                file.identity = identity.or(file.identity);
            }
            if identity.is_some() {
                self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
            }
        }
        self.identify_next();
    }

    /// Notes that the worker that reads files is gone, along with its open requests.
    pub fn handle_sources_lost(&mut self, now: Timestamp) {
        if let Some(handle) = self.identifying {
            self.handle_identified(TransferHandle(handle), None, now);
        }
    }

    /// Gives a file to the transfer of each member that waits for it; a member without such a transfer gets a new offer.
    fn assign(&mut self, pick: Pick, identity: Option<FileIdentity>, now: Timestamp) {
        let PickTo::Known(members) = pick.to else { return };
        for member in members {
            let Some(at) = self.waiting_transfer(&member, &pick.file, identity.as_ref()) else {
                self.offer_pick(pick.handle, &member, pick.file.clone(), identity, now);
                continue;
            };
            let file = &mut self.sending[at];
            file.identity = file.identity.or(identity);
            file.handle_file(now);
            let (transfer, is_queued) = (file.handle, file.is_queued());
            let attach = TransferOutput::Perform(TransferTask::Attach {
                pick: TransferHandle(pick.handle),
                transfer: TransferHandle(transfer),
            });
            self.outputs.push_back(attach);
            if is_queued {
                self.offer_queued(&member, now);
            } else {
                self.say_of_sending(transfer);
                self.changed(transfer);
            }
        }
        self.outputs.push_back(TransferOutput::Perform(TransferTask::Source(
            TransferHandle(pick.handle),
            SourceCommand::Close,
        )));
        self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
    }

    /// The transfer to `member` that waits for this file. A transfer from the same folder takes precedence over one whose
    /// folder is unknown.
    fn waiting_transfer(
        &self,
        member: &MemberId,
        file: &FileDescription,
        identity: Option<&FileIdentity>,
    ) -> Option<usize> {
        let is_proven = |sending: &Outgoing| match (&sending.identity, identity) {
            (Some(offered), Some(chosen)) => offered.is_same(chosen),
            (Some(_), None) => false,
            // The page was reloaded before the file's identity was read. Then a unique path, or a unique bare name, is
            // sufficient.
            (None, _) => {
                let is_shared =
                    if file.folder.is_empty() { sending.is_ambiguous } else { sending.is_path_ambiguous };
                sending.offer.folder == file.folder && !is_shared
            }
        };
        let all = self.sending.iter().enumerate();
        let mut fitting = all.filter(|(_, sending)| sending.may_be(member, file) && is_proven(sending));
        let first = fitting.next()?;
        let is_here = |(_, sending): &(usize, &Outgoing)| sending.offer.folder == file.folder;
        if is_here(&first) { Some(first.0) } else { Some(fitting.find(is_here).unwrap_or(first).0) }
    }

    fn offer_pick(
        &mut self,
        pick: u32,
        member: &MemberId,
        file: FileDescription,
        identity: Option<FileIdentity>,
        now: Timestamp,
    ) {
        let handle = self.make_handle();
        let offer = FileOffer {
            transfer: TransferId::from_random(self.random.next_u128()),
            sequence: 0,
            number: self.make_number(),
            name: file.name,
            folder: file.folder,
            size_bytes: file.size_bytes,
            media_type: file.media_type,
            modified_ms: file.modified_ms,
            is_paused: false,
            batch: file.batch,
        };
        let mut outgoing = Outgoing::new(handle, member.clone(), offer, now);
        (outgoing.pick, outgoing.identity) = (pick, identity);
        let (mut is_ambiguous, mut is_path_ambiguous) = (false, false);
        let may_be_equal = !self.descriptions.insert(outgoing.description_hash());
        let others = if may_be_equal { self.sending.as_mut_slice() } else { &mut [] };
        for other in others.iter_mut().filter(|other| other.has_equal_description(&outgoing)) {
            let is_path_equal = other.offer.folder == outgoing.offer.folder;
            (is_ambiguous, is_path_ambiguous) = (true, is_path_ambiguous || is_path_equal);
            other.is_ambiguous = true;
            other.is_path_ambiguous |= is_path_equal;
            other.is_identity_tried = false;
        }
        (outgoing.is_ambiguous, outgoing.is_path_ambiguous) = (is_ambiguous, is_path_ambiguous);
        self.sending.push(outgoing);
        let attach = TransferOutput::Perform(TransferTask::Attach {
            pick: TransferHandle(pick),
            transfer: TransferHandle(handle),
        });
        self.outputs.push_back(attach);
        if self.full.contains(member) {
            self.backlog_changed();
        } else {
            self.offer_queued(member, now);
        }
        self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
    }

    /// Offers queued files to a member, as many as may be open at a time.
    pub(super) fn offer_queued(&mut self, member: &MemberId, now: Timestamp) {
        let of_member = |file: &&Outgoing| file.member == *member && !file.is_over();
        let open = self.sending.iter().filter(of_member).filter(|file| !file.is_queued()).count();
        let mut free = MAX_OPEN_TRANSFERS.saturating_sub(open);
        let (mut is_queue_changed, mut is_full) = (false, false);
        let mut offered_until = self.offered_until.get(member).copied().unwrap_or_default().max(now);
        self.offers_due.remove(member);
        for at in 0..self.sending.len() {
            let file = &mut self.sending[at];
            if file.member != *member || !file.is_queued() {
                continue;
            }
            is_queue_changed = true;
            if file.needs_file {
                continue;
            }
            if free == 0 {
                is_full = true;
                break;
            }
            let ahead = offered_until.since(now);
            if let Some(wait) = ahead.checked_sub(OFFER_INTERVAL * OFFERS_AT_ONCE) {
                // Several offers at a time, since each call searches the whole queue.
                self.offers_due.insert(member.clone(), now + wait + Duration::from_millis(250));
                is_full = true;
                break;
            }
            offered_until = offered_until + OFFER_INTERVAL;
            free -= 1;
            let handle = file.handle;
            let message = file.make_offer(now);
            self.outputs.push_back(TransferOutput::Send(member.clone(), message));
            self.changed(handle);
        }
        if is_full {
            self.full.insert(member.clone());
        } else {
            self.full.remove(member);
        }
        if is_queue_changed {
            self.offered_until.insert(member.clone(), offered_until);
            self.backlog_changed();
        }
    }

    /// Has the source identify one file; files that were chosen again come first.
    pub(super) fn identify_next(&mut self) {
        if self.identifying.is_some() {
            return;
        }
        let known = self.picks.iter().find_map(|pick| match &pick.to {
            PickTo::Known(members) => Some((pick, members)),
            PickTo::Waiting(_) => None,
        });
        // A file may be large, so it is read as a whole only if a transfer needs that.
        let has_whole = |pick: &Pick, member| {
            let mut fitting = self.sending.iter().filter(|sending| sending.may_be(member, &pick.file));
            fitting.any(|sending| sending.identity.is_some_and(|identity| identity.whole.is_some()))
        };
        let next = known
            .map(|(pick, members)| (pick.handle, members.iter().any(|member| has_whole(pick, member))))
            .or_else(|| self.sending.iter().find_map(|file| Some((file.handle, file.wants_identity()?))));
        if let Some((handle, is_whole)) = next {
            self.identifying = Some(handle);
            let identify = SourceCommand::Identify { is_whole };
            self.outputs
                .push_back(TransferOutput::Perform(TransferTask::Source(TransferHandle(handle), identify)));
        }
    }

    pub(super) fn backlog_changed(&mut self) {
        if self.outputs.back() != Some(&TransferOutput::Perform(TransferTask::BacklogChanged)) {
            self.outputs.push_back(TransferOutput::Perform(TransferTask::BacklogChanged));
        }
    }
}

fn cut(mut text: String, max_bytes: usize) -> String {
    while text.len() > max_bytes {
        text.pop();
    }
    text
}
