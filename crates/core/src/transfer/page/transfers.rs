//! All files of a room, in both directions.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque},
    time::Duration,
};

use sightline_protocol::{
    MemberId, TransferId,
    transfer::{FileOffer, MAX_OPEN_TRANSFERS, TransferEnd},
};

use super::{
    batches::Batches,
    choosing::{MAX_FILES_FROM_HERE, Pick},
    incoming::Incoming,
    left_out::{LeftOut, LeftOutReason},
    name::safe_name,
    outgoing::Outgoing,
    record::{KeptTransfer, Records},
    view::{Direction, Reach, TransferView},
};
use crate::{
    Timestamp,
    random::SeededRandom,
    transfer::commands::{SourceCommand, TransferHandle, TransferOutput, TransferTask},
};

/// Minimum interval between updates of the page about received bytes.
const SHOW_INTERVAL: Duration = Duration::from_millis(200);
/// Maximum number of transfers in a list, including those that ended; the oldest of these are dropped first.
const MAX_KEPT: usize = 2 * MAX_OPEN_TRANSFERS;
/// Maximum number of withdrawn offers that are still shown.
const MAX_WITHDRAWN: usize = 20;

/// Maximum number of files of one member of which this page says again that they ended, when the channel opens again.
const MAX_RESTATED: usize = 16;

/// The transfers of a room.
#[derive(Debug)]
pub struct Transfers {
    pub(super) sending: Vec<Outgoing>,
    pub(super) receiving: Vec<Incoming>,
    pub(super) open: BTreeSet<MemberId>,
    /// The members at the other ends of transfers. A member that is missing here has not been met yet.
    reach: BTreeMap<MemberId, Reach>,
    /// Chosen files that were not offered yet.
    pub(super) picks: VecDeque<Pick>,
    /// The file that the source is identifying.
    pub(super) identifying: Option<u32>,
    /// The batches that members announced.
    pub(super) batches: Batches,
    /// For each member, the time up to which earlier offers use up the rate of `choosing::OFFER_INTERVAL`.
    pub(super) offered_until: BTreeMap<MemberId, Timestamp>,
    /// The times at which members get further offers.
    pub(super) offers_due: BTreeMap<MemberId, Timestamp>,
    /// Members that get no further offer before an earlier file ends, or before their time in `offers_due`.
    pub(super) full: BTreeSet<MemberId>,
    /// Hashes of the descriptions of offered files: a description whose hash is missing here is unique.
    pub(super) descriptions: HashSet<u64>,
    /// Numbers of files in frames, including those of files that ended.
    used_numbers: HashSet<u32>,
    /// Whether an earlier page left transfers that may wait for their files.
    pub(super) has_kept: bool,
    /// Number of offers beyond the limit per member.
    pub(super) refused: BTreeMap<MemberId, u64>,
    /// For each file name, the last number that was appended to it.
    pub(super) numbers: HashMap<String, u32>,
    /// Generates the ids of transfers.
    pub(super) random: SeededRandom,
    next_handle: u32,
    next_show: Timestamp,
    pub(super) outputs: VecDeque<TransferOutput>,
}

impl Transfers {
    /// A room without files. `random` generates the ids of transfers.
    #[must_use]
    pub fn new(random: SeededRandom) -> Self {
        Self {
            sending: Vec::new(),
            receiving: Vec::new(),
            open: BTreeSet::new(),
            reach: BTreeMap::new(),
            picks: VecDeque::new(),
            identifying: None,
            batches: Batches::default(),
            offered_until: BTreeMap::new(),
            offers_due: BTreeMap::new(),
            full: BTreeSet::new(),
            descriptions: HashSet::new(),
            used_numbers: HashSet::new(),
            has_kept: false,
            refused: BTreeMap::new(),
            numbers: HashMap::new(),
            random,
            next_handle: 0,
            next_show: Timestamp::ZERO,
            outputs: VecDeque::new(),
        }
    }

    /// Restores the records of an earlier page. Incoming files are looked up in the storage. Returns the files that waited for
    /// a member and must be chosen again.
    pub fn restore(&mut self, records: Records, now: Timestamp) -> LeftOut {
        for kept in records.sending.into_iter().take(MAX_FILES_FROM_HERE) {
            let handle = self.make_handle();
            let number = self.make_number();
            let offer = FileOffer { number, sequence: 0, ..kept.offer.clone() };
            let outgoing = Outgoing::new(handle, kept.member.clone(), offer, now).kept(&kept);
            self.descriptions.insert(outgoing.description_hash());
            self.sending.push(outgoing);
            self.has_kept = true;
            self.changed(handle);
        }
        self.backlog_changed();
        for kept in records.receiving.into_iter().take(MAX_KEPT) {
            let handle = self.make_handle();
            let mut incoming = Incoming::new(handle, kept.member, safe_name(&kept.name), kept.offer, now);
            if let Some(sha256) = kept.sha256 {
                incoming = incoming.kept_done(sha256);
                incoming.is_cleared = kept.is_cleared;
            } else if kept.is_accepted {
                incoming.accept();
            }
            self.receiving.push(incoming);
            self.changed(handle);
        }
        self.open_accepted();
        if records.waiting.count > 0 {
            // The notice about these files is shown only once.
            self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
        }
        LeftOut::of(LeftOutReason::Forgotten, records.waiting.count, records.waiting.names)
    }

    /// The records to keep for the page after a reload.
    #[must_use]
    pub fn records(&self) -> Records {
        let sending = self.sending.iter().filter(|file| !file.is_over()).map(|file| KeptTransfer {
            offer: file.offer.clone(),
            member: file.member.clone(),
            name: file.offer.name.clone(),
            is_accepted: file.is_accepted(),
            sha256: None,
            identity: file.identity,
            is_ambiguous: file.is_ambiguous,
            is_path_ambiguous: file.is_path_ambiguous,
            is_queued: file.is_queued(),
            is_cleared: false,
        });
        let receiving = self.receiving.iter().filter(|file| file.is_accepted()).map(|file| KeptTransfer {
            offer: file.offer.clone(),
            member: file.member.clone(),
            name: file.name.clone(),
            is_accepted: true,
            sha256: file.has_file(),
            identity: None,
            is_ambiguous: false,
            is_path_ambiguous: false,
            is_queued: false,
            is_cleared: file.is_cleared,
        });
        Records { sending: sending.collect(), receiving: receiving.collect(), waiting: self.waiting_names() }
    }

    // Actions of the person.

    /// Declines an offered file.
    pub fn decline(&mut self, handle: TransferHandle, now: Timestamp) {
        self.give_up(handle, TransferEnd::Declined, now);
    }

    /// Cancels a transfer in either direction.
    pub fn cancel(&mut self, handle: TransferHandle, now: Timestamp) {
        self.give_up(handle, TransferEnd::Cancelled, now);
    }

    /// Pauses or resumes a transfer.
    pub fn pause(&mut self, handle: TransferHandle, is_paused: bool, now: Timestamp) {
        if let Some(file) = self.sending.iter_mut().find(|file| file.handle == handle.0) {
            file.pause(is_paused);
            self.say_of_sending(handle.0);
        } else if let Some(file) = self.receiving.iter_mut().find(|file| file.handle == handle.0) {
            file.pause(is_paused);
            self.say_of_receiving(handle.0, now);
            self.open_accepted();
        }
        self.changed(handle.0);
    }

    /// Removes ended transfers from the list. The bytes of a received file stay in the storage until the person leaves the room,
    /// since the browser may still be saving them.
    pub fn clear(&mut self, handles: &[TransferHandle]) {
        let handles: HashSet<_> = handles.iter().copied().collect();
        let mut forgotten = Vec::new();
        let mut clears = |handle: u32| {
            let is_meant = handles.contains(&TransferHandle(handle));
            if is_meant {
                forgotten.push(TransferOutput::Perform(TransferTask::Forgotten(TransferHandle(handle))));
            }
            is_meant
        };
        self.sending.retain(|file| !(file.is_over() && clears(file.handle)));
        self.receiving.retain_mut(|file| {
            if !file.is_over() || file.is_cleared || !clears(file.handle) {
                return true;
            }
            file.is_cleared = file.has_file().is_some();
            file.is_cleared
        });
        self.outputs.extend(forgotten);
        self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
    }

    /// Notes that the person leaves the room: all running transfers are canceled, and stored bytes are deleted.
    pub fn leave(&mut self, now: Timestamp) {
        let sending = self.sending.iter().filter(|file| !file.is_queued()).map(|file| file.handle);
        let all: Vec<_> = sending.chain(self.receiving.iter().map(|file| file.handle)).collect();
        for handle in all {
            self.cancel(TransferHandle(handle), now);
        }
        let stored = self.receiving.iter().filter_map(|file| Some((file.handle, file.discard_command()?)));
        self.outputs.extend(stored.map(|(handle, discard)| {
            TransferOutput::Perform(TransferTask::Sink(TransferHandle(handle), discard))
        }));
        self.receiving.clear();
        self.sending.clear();
        self.picks.clear();
        self.full.clear();
        self.offers_due.clear();
        self.backlog_changed();
        self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
    }

    // Events of the connections.

    /// Notes that the `control` channel to a member opened, for the first time or again.
    pub fn handle_channel_open(&mut self, member: &MemberId, now: Timestamp) {
        self.open.insert(member.clone());
        self.handle_reach(member, Reach::Connected);
        let mut handles = Vec::new();
        let told = |file: &&mut Outgoing| file.member == *member && !file.is_over() && !file.is_queued();
        for file in self.sending.iter_mut().filter(told) {
            file.handle_channel_open(now);
            handles.push(file.handle);
        }
        std::mem::take(&mut handles).into_iter().for_each(|handle| self.say_of_sending(handle));
        // That a file ended was perhaps said on a link that was replaced. The sender asks, but this page may leave before.
        let ended = self.receiving.iter().rev().filter(|file| file.member == *member && file.is_over());
        handles.extend(ended.take(MAX_RESTATED).map(|file| file.handle));
        let of_member = self.receiving.iter_mut().filter(|file| file.member == *member && !file.is_over());
        for file in of_member {
            file.handle_channel_open(now);
            handles.push(file.handle);
        }
        handles.into_iter().for_each(|handle| self.say_of_receiving(handle, now));
        self.offer_waiting(member, now);
    }

    /// Notes that the channel closed, or that the member left.
    pub fn handle_channel_closed(&mut self, member: &MemberId) {
        self.open.remove(member);
        self.handle_reach(member, Reach::Waiting);
    }

    /// Takes whether bytes can reach a member now, for the view of its files.
    pub fn handle_reach(&mut self, member: &MemberId, reach: Reach) {
        if self.reach.insert(member.clone(), reach) == Some(reach) {
            return;
        }
        let handles = self.handles_with(member);
        if handles.is_empty() && reach == Reach::Gone {
            self.reach.remove(member);
        }
        handles.into_iter().for_each(|handle| self.changed(handle));
    }

    /// Notes that a member ended a transfer.
    pub fn handle_end(
        &mut self,
        member: &MemberId,
        transfer: &TransferId,
        reason: TransferEnd,
        now: Timestamp,
    ) {
        let sending = self.sending.iter_mut().find(|file| file.offer.transfer == *transfer);
        if let Some(file) = sending.filter(|file| file.member == *member && !file.is_over()) {
            let handle = file.handle;
            file.end(reason);
            self.outputs.push_back(TransferOutput::Perform(TransferTask::Source(
                TransferHandle(handle),
                SourceCommand::Close,
            )));
            self.ended(handle, now);
        }
        let receiving = self.receiving.iter_mut().find(|file| file.offer.transfer == *transfer);
        if let Some(file) = receiving.filter(|file| file.member == *member && !file.is_over()) {
            let handle = file.handle;
            file.end(reason);
            let discard = file.discard_command();
            self.outputs.extend(
                discard.map(|discard| {
                    TransferOutput::Perform(TransferTask::Sink(TransferHandle(handle), discard))
                }),
            );
            self.ended(handle, now);
        }
    }

    // Time and results.

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let due_offers = self.offers_due.iter().filter(|(_, due)| **due <= now);
        for member in due_offers.map(|(member, _)| member.clone()).collect::<Vec<_>>() {
            self.offer_queued(&member, now);
        }
        let mut due = Vec::new();
        for file in self.sending.iter_mut().filter(|file| self.open.contains(&file.member)) {
            if file.is_repeat_due(now) {
                due.push(file.handle);
            }
        }
        std::mem::take(&mut due).into_iter().for_each(|handle| self.say_of_sending(handle));
        for file in self.receiving.iter_mut().filter(|file| self.open.contains(&file.member)) {
            if file.is_repeat_due(now) {
                due.push(file.handle);
            }
        }
        due.into_iter().for_each(|handle| self.say_of_receiving(handle, now));
        let silent =
            self.receiving.iter_mut().filter_map(|file| file.is_sink_silent(now).then_some(file.handle));
        self.outputs.extend(
            silent.map(|handle| TransferOutput::Perform(TransferTask::SinkSilent(TransferHandle(handle)))),
        );
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let sending = self.sending.iter().filter(|file| self.open.contains(&file.member));
        let receiving = self.receiving.iter().filter(|file| self.open.contains(&file.member));
        let storing = self.receiving.iter().filter_map(Incoming::storing_deadline);
        sending
            .filter_map(Outgoing::deadline)
            .chain(receiving.filter_map(Incoming::deadline))
            .chain(storing)
            .chain(self.offers_due.values().copied())
            .min()
    }

    /// The next action to perform.
    pub fn poll_output(&mut self) -> Option<TransferOutput> {
        self.outputs.pop_front()
    }

    /// The view of a transfer, as of now.
    #[must_use]
    pub fn view(&self, handle: TransferHandle) -> Option<TransferView> {
        let shown = self.sending.iter().filter(|file| !file.is_queued());
        let sending = shown.into_iter().find(|file| file.handle == handle.0).map(Outgoing::view);
        let listed = || self.receiving.iter().filter(|file| !file.is_cleared);
        let receiving = || listed().find(|file| file.handle == handle.0).map(Incoming::view);
        let view = sending.or_else(receiving)?;
        let reach = self.reach.get(&view.member).copied().unwrap_or(Reach::Waiting);
        Some(view.with_reach(reach))
    }

    /// The transfers that have not ended, with their directions.
    #[must_use]
    pub fn unfinished(&self) -> Vec<(TransferHandle, Direction)> {
        let sending = self.sending.iter().filter(|file| !file.is_over() && !file.is_queued());
        let receiving = self.receiving.iter().filter(|file| !file.is_over());
        let sending = sending.map(|file| (TransferHandle(file.handle), Direction::Sending));
        sending.chain(receiving.map(|file| (TransferHandle(file.handle), Direction::Receiving))).collect()
    }

    /// The newest handle.
    #[must_use]
    pub fn last_handle(&self) -> u32 {
        self.next_handle
    }

    fn give_up(&mut self, handle: TransferHandle, reason: TransferEnd, now: Timestamp) {
        if let Some(file) = self.sending.iter_mut().find(|file| file.handle == handle.0 && !file.is_over()) {
            file.end(reason);
            self.outputs
                .push_back(TransferOutput::Perform(TransferTask::Source(handle, SourceCommand::Close)));
            self.say_of_sending(handle.0);
            self.ended(handle.0, now);
        } else if let Some(file) =
            self.receiving.iter_mut().find(|file| file.handle == handle.0 && !file.is_over())
        {
            file.end(reason);
            self.outputs.extend(
                file.discard_command()
                    .map(|discard| TransferOutput::Perform(TransferTask::Sink(handle, discard))),
            );
            self.say_of_receiving(handle.0, now);
            self.ended(handle.0, now);
        }
    }

    /// The transfers from or to a member that have not ended.
    fn handles_with(&self, member: &MemberId) -> Vec<u32> {
        let is_shown = |file: &&Outgoing| file.member == *member && !file.is_over() && !file.is_queued();
        let sending = self.sending.iter().filter(is_shown);
        let receiving = self.receiving.iter().filter(|file| file.member == *member && !file.is_over());
        sending.map(|file| file.handle).chain(receiving.map(|file| file.handle)).collect()
    }

    /// Notes that a transfer ended, so that another one can take its place.
    pub(super) fn ended(&mut self, handle: u32, now: Timestamp) {
        self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
        self.changed(handle);
        let sending = self.sending.iter().find(|file| file.handle == handle);
        if let Some(member) = sending.map(|file| file.member.clone()) {
            self.offer_queued(&member, now);
        } else {
            self.open_accepted();
        }
        self.forget_oldest();
    }

    pub(super) fn changed(&mut self, handle: u32) {
        self.outputs.push_back(TransferOutput::Perform(TransferTask::Changed(TransferHandle(handle))));
    }

    /// Shows changes of state immediately, and changes of the byte count at most once per [`SHOW_INTERVAL`].
    pub(super) fn show_progress(&mut self, handle: u32, is_news: bool, now: Timestamp) {
        if is_news || self.next_show <= now {
            self.next_show = now + SHOW_INTERVAL;
            self.changed(handle);
        }
    }

    pub(super) fn make_handle(&mut self) -> u32 {
        self.next_handle = self.next_handle.saturating_add(1);
        self.next_handle
    }

    /// A new number for a file in its frames. Frames may overtake offers, and the receiver may still know the numbers of the
    /// page before a reload, so a number is never reused for another file.
    pub(super) fn make_number(&mut self) -> u32 {
        loop {
            let number = (self.random.next_u64() >> 32) as u32;
            if self.used_numbers.insert(number) {
                return number;
            }
        }
    }

    /// Keeps the lists within their bounds. A stored file that was not saved yet is never dropped.
    pub(super) fn forget_oldest(&mut self) {
        if self.sending.len() > MAX_KEPT
            && let Some(at) = self.sending.iter().position(Outgoing::is_over)
        {
            let file = self.sending.remove(at);
            self.outputs
                .push_back(TransferOutput::Perform(TransferTask::Forgotten(TransferHandle(file.handle))));
        }
        let too_long = |list: &[Incoming]| {
            let forgettable = |file: &Incoming| file.is_over() && file.has_file().is_none();
            let withdrawn = list.iter().filter(|file| file.is_withdrawn()).count();
            if withdrawn > MAX_WITHDRAWN {
                list.iter().position(Incoming::is_withdrawn)
            } else if list.len() > MAX_KEPT {
                list.iter().position(forgettable)
            } else {
                None
            }
        };
        while let Some(at) = too_long(&self.receiving) {
            let file = self.receiving.remove(at);
            self.outputs
                .push_back(TransferOutput::Perform(TransferTask::Forgotten(TransferHandle(file.handle))));
        }
    }
}
