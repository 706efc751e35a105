//! All files of a room, both ways.

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

/// How often a page hears of bytes that came.
const SHOW_INTERVAL: Duration = Duration::from_millis(200);
/// Transfers in a list, with those that are over; the oldest of these go first.
const MAX_KEPT: usize = 2 * MAX_OPEN_TRANSFERS;
/// Offers that their senders took back before they were accepted, and that are still shown.
const MAX_WITHDRAWN: usize = 20;

/// The files on their way.
#[derive(Debug)]
pub struct Transfers {
    pub(super) sending: Vec<Outgoing>,
    pub(super) receiving: Vec<Incoming>,
    pub(super) open: BTreeSet<MemberId>,
    /// Members that files are on their way from or to; whoever is missing was not met yet.
    reach: BTreeMap<MemberId, Reach>,
    /// What was chosen and is not offered yet.
    pub(super) picks: VecDeque<Pick>,
    /// What the source was asked to look at.
    pub(super) identifying: Option<u32>,
    /// What members announced to come.
    pub(super) batches: Batches,
    /// Until when each member has heard of files from here, at the rate of `choosing::OFFER_INTERVAL`.
    pub(super) offered_until: BTreeMap<MemberId, Timestamp>,
    /// Members that hear of further files then.
    pub(super) offers_due: BTreeMap<MemberId, Timestamp>,
    /// Members that hear of no further file before another is over, or before `offers_due`.
    pub(super) full: BTreeSet<MemberId>,
    /// Descriptions of files that were offered: one that is not among them is like no other.
    pub(super) descriptions: HashSet<u64>,
    /// Numbers of files in frames, those included that are over.
    used_numbers: HashSet<u32>,
    /// A page before this one left transfers that may wait for their files.
    pub(super) has_kept: bool,
    /// Offers beyond what is taken of one member.
    pub(super) refused: BTreeMap<MemberId, u64>,
    /// The last number that was added to a name, by the name.
    pub(super) numbers: HashMap<String, u32>,
    /// For the ids of transfers.
    pub(super) random: SeededRandom,
    next_handle: u32,
    next_show: Timestamp,
    pub(super) outputs: VecDeque<TransferOutput>,
}

impl Transfers {
    /// Without any files. The ids of transfers come from `random`.
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

    /// What a page before this one kept. Files that came are looked for where they are stored. Returns the files that waited
    /// for somebody and have to be chosen again.
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
            } else if kept.is_accepted {
                incoming.accept();
            }
            self.receiving.push(incoming);
            self.changed(handle);
        }
        self.open_accepted();
        if records.waiting.count > 0 {
            // Told once.
            self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
        }
        LeftOut::of(LeftOutReason::Forgotten, records.waiting.count, records.waiting.names)
    }

    /// What to keep for the time after a reload.
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
        });
        Records { sending: sending.collect(), receiving: receiving.collect(), waiting: self.waiting_names() }
    }

    // What the person does.

    /// Does not take a file that is offered.
    pub fn decline(&mut self, handle: TransferHandle, now: Timestamp) {
        self.give_up(handle, TransferEnd::Declined, now);
    }

    /// Gives a transfer up, whichever way it goes.
    pub fn cancel(&mut self, handle: TransferHandle, now: Timestamp) {
        self.give_up(handle, TransferEnd::Cancelled, now);
    }

    /// Holds a transfer back, or lets it go on.
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

    /// The person leaves the room: everything that is not over is cancelled, and what is stored is thrown away.
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

    // What the connections do.

    /// The `control` channel to a member opened, for the first time or again.
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
        let of_member = self.receiving.iter_mut().filter(|file| file.member == *member && !file.is_over());
        for file in of_member {
            file.handle_channel_open(now);
            handles.push(file.handle);
        }
        handles.into_iter().for_each(|handle| self.say_of_receiving(handle, now));
        self.offer_waiting(member, now);
    }

    /// It closed, or the member is gone.
    pub fn handle_channel_closed(&mut self, member: &MemberId) {
        self.open.remove(member);
        self.handle_reach(member, Reach::Waiting);
    }

    /// Whether bytes can reach a member now, for what is shown of its files.
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

    /// A member gave a transfer up.
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

    /// Time passed.
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

    /// When [`Self::handle_timeout`] wants to be called.
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

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<TransferOutput> {
        self.outputs.pop_front()
    }

    /// A transfer as it is now.
    #[must_use]
    pub fn view(&self, handle: TransferHandle) -> Option<TransferView> {
        let shown = self.sending.iter().filter(|file| !file.is_queued());
        let sending = shown.into_iter().find(|file| file.handle == handle.0).map(Outgoing::view);
        let receiving = || self.receiving.iter().find(|file| file.handle == handle.0).map(Incoming::view);
        let view = sending.or_else(receiving)?;
        let reach = self.reach.get(&view.member).copied().unwrap_or(Reach::Waiting);
        Some(view.with_reach(reach))
    }

    /// Those that are not over, and which way they go.
    #[must_use]
    pub fn unfinished(&self) -> Vec<(TransferHandle, Direction)> {
        let sending = self.sending.iter().filter(|file| !file.is_over() && !file.is_queued());
        let receiving = self.receiving.iter().filter(|file| !file.is_over());
        let sending = sending.map(|file| (TransferHandle(file.handle), Direction::Sending));
        sending.chain(receiving.map(|file| (TransferHandle(file.handle), Direction::Receiving))).collect()
    }

    /// The newest handle that was given.
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

    /// Those from or to a member that are not over.
    fn handles_with(&self, member: &MemberId) -> Vec<u32> {
        let is_shown = |file: &&Outgoing| file.member == *member && !file.is_over() && !file.is_queued();
        let sending = self.sending.iter().filter(is_shown);
        let receiving = self.receiving.iter().filter(|file| file.member == *member && !file.is_over());
        sending.map(|file| file.handle).chain(receiving.map(|file| file.handle)).collect()
    }

    /// A transfer is over: another one has its place.
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

    /// News at once, bytes now and then.
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

    /// The name of a file in frames. Frames overtake offers, and the receiver may still know the numbers of the page before a reload:
    /// a number that was used for one file must not be used for another.
    pub(super) fn make_number(&mut self) -> u32 {
        loop {
            let number = (self.random.next_u64() >> 32) as u32;
            if self.used_numbers.insert(number) {
                return number;
            }
        }
    }

    /// Keeps the lists within their bounds. What is stored here and not saved yet is never forgotten.
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
