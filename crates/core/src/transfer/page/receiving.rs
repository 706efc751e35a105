//! Incoming files: actions of the person, messages of the senders and events of the sink.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sightline_protocol::{
    BatchId, MemberId, TransferId,
    control::ControlMessage,
    transfer::{FileOffer, MAX_FILE_BYTES, MAX_OPEN_TRANSFERS, TransferEnd},
};

use super::{
    batches::Answer,
    incoming::Incoming,
    name::{numbered_from, safe_name},
    transfers::Transfers,
    view::{Offered, TransferState},
};
use crate::{
    Timestamp,
    transfer::commands::{SinkEvent, TransferHandle, TransferOutput, TransferTask},
};

/// Number of file names whose last appended number is remembered.
const MAX_NUMBERED: usize = 1000;
/// Number of files of one sender that may have storage while they run, and the same again while they are paused.
const MAX_PLACES: usize = 32;

impl Transfers {
    /// Accepts an offered file.
    pub fn accept(&mut self, handle: TransferHandle) {
        let file = self.receiving.iter_mut().find(|file| file.handle == handle.0);
        if file.is_some_and(Incoming::accept) {
            self.open_accepted();
            self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
            self.changed(handle.0);
        }
    }

    /// Accepts all files that `offered` counts, including those without a row and those still to come.
    pub fn accept_all(&mut self, offered: Offered) {
        let is_counted = |file: &Incoming| file.is_offered() && file.handle <= offered.last_handle;
        self.answer_batches(Answer::Accept, is_counted);
        let counted: Vec<_> =
            self.receiving.iter().filter(|file| is_counted(file)).map(|file| file.handle).collect();
        for handle in counted {
            self.accept(TransferHandle(handle));
        }
    }

    /// Declines all offered files, and those still to come with them.
    pub fn decline_all(&mut self, now: Timestamp) {
        self.answer_batches(Answer::Decline, Incoming::is_offered);
        let offered: Vec<_> =
            self.receiving.iter().filter(|file| file.is_offered()).map(|file| file.handle).collect();
        for handle in offered {
            self.decline(TransferHandle(handle), now);
        }
    }

    fn answer_batches(&mut self, answer: Answer, is_meant: impl Fn(&Incoming) -> bool) {
        for (member, batch) in batches_of(self.receiving.iter().filter(|file| is_meant(file))) {
            self.batches.answer(member, batch, answer);
        }
    }

    /// The files that wait for the person's answer, and those still to come with them.
    #[must_use]
    pub fn offered(&self) -> Offered {
        let waiting = || self.receiving.iter().filter(|file| file.is_offered());
        let mut offered = Offered {
            files: waiting().count() as u64,
            bytes: waiting().map(|file| file.offer.size_bytes).fold(0, u64::saturating_add),
            members: waiting().map(|file| &file.member).collect::<HashSet<_>>().len(),
            last_handle: waiting().map(|file| file.handle).max().unwrap_or_default(),
            ..Offered::default()
        };
        for (member, batch) in batches_of(waiting()) {
            let (files, bytes) = self.batches.to_come(member, batch);
            offered.files_to_come = offered.files_to_come.saturating_add(files);
            offered.bytes = offered.bytes.saturating_add(bytes);
        }
        offered
    }

    /// Number of announced files that were not offered yet, whatever was answered to those offered with them.
    #[must_use]
    pub fn files_to_come(&self) -> u64 {
        self.batches.all_to_come()
    }

    /// Takes a new or repeated offer of a member.
    pub fn handle_offer(&mut self, member: &MemberId, offer: FileOffer, now: Timestamp) {
        if !offer.has_valid_lengths() {
            return;
        }
        let known = self.receiving.iter_mut().find(|file| file.offer.transfer == offer.transfer);
        let handle = if let Some(file) = known {
            let handle = file.handle;
            if let Some(command) = file.handle_offer(member, &offer, now) {
                self.outputs
                    .push_back(TransferOutput::Perform(TransferTask::Sink(TransferHandle(handle), command)));
            }
            handle
        } else {
            let open = self.receiving.iter().filter(|file| file.member == *member && !file.is_over());
            if open.count() >= MAX_OPEN_TRANSFERS {
                let refused = self.refused.entry(member.clone()).or_default();
                *refused = refused.saturating_add(1);
                self.backlog_changed();
                let message =
                    ControlMessage::TransferEnd { transfer: offer.transfer, reason: TransferEnd::TooMany };
                self.outputs.push_back(TransferOutput::Send(member.clone(), message));
                return;
            }
            let handle = self.make_handle();
            let name = self.free_name(&offer.name);
            let is_possible = offer.size_bytes <= MAX_FILE_BYTES;
            let counted = offer.batch.as_ref().and_then(|batch| {
                let counted = self.batches.count(member, batch, offer.size_bytes)?;
                Some((batch.id.clone(), counted.answer))
            });
            let mut file = Incoming::new(handle, member.clone(), name, offer, now);
            let answer = counted.as_ref().and_then(|(_, answer)| *answer);
            file.batch = counted.map(|(batch, _)| batch);
            match answer {
                _ if !is_possible => file.end(TransferEnd::TooLarge),
                Some(Answer::Accept) => {
                    file.accept();
                    self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
                }
                Some(Answer::Decline) => file.end(TransferEnd::Declined),
                None => {}
            }
            self.receiving.push(file);
            self.forget_oldest();
            handle
        };
        // The offer may end a pause of the sender, or begin one.
        self.open_accepted();
        self.say_of_receiving(handle, now);
        self.changed(handle);
    }

    /// Forgets a member's offers that nobody accepted. A member that reconnects repeats them.
    pub fn forget_offers_of(&mut self, member: &MemberId) {
        self.batches.forget(member);
        let outputs = &mut self.outputs;
        self.receiving.retain(|file| {
            let is_kept =
                file.member != *member || file.is_accepted() || (file.is_over() && !file.is_withdrawn());
            if !is_kept {
                outputs
                    .push_back(TransferOutput::Perform(TransferTask::Forgotten(TransferHandle(file.handle))));
            }
            is_kept
        });
    }

    /// Whether this page knows a transfer with this id.
    #[must_use]
    pub fn is_offered(&self, transfer: &TransferId) -> bool {
        self.receiving.iter().any(|file| file.offer.transfer == *transfer)
    }

    /// Whether the transfer waits for the person's answer.
    #[must_use]
    pub fn is_only_offered(&self, transfer: &TransferId) -> bool {
        let file = self.receiving.iter().find(|file| file.offer.transfer == *transfer);
        file.is_some_and(|file| !file.is_over() && !file.is_accepted())
    }

    /// Whether the sender withdrew the file before it was accepted.
    #[must_use]
    pub fn is_taken_back(&self, handle: TransferHandle) -> bool {
        let file = self.receiving.iter().find(|file| file.handle == handle.0);
        file.is_some_and(|file| file.is_withdrawn() && file.view().end == Some(TransferEnd::Cancelled))
    }

    /// Whether files of a member were accepted and have not arrived yet.
    #[must_use]
    pub fn expects_bytes_from(&self, member: &MemberId) -> bool {
        self.receiving.iter().any(|file| file.member == *member && file.is_accepted() && !file.is_over())
    }

    /// Notes that a `bulk` channel from a member closed, possibly with bytes in flight: missing bytes are requested again.
    pub fn handle_bulk_lost(&mut self, member: &MemberId, now: Timestamp) {
        let running = self.receiving.iter_mut().filter(|file| file.member == *member);
        let asking: Vec<_> = running.filter_map(|file| file.ask_again(now).then_some(file.handle)).collect();
        asking.into_iter().for_each(|handle| self.say_of_receiving(handle, now));
    }

    /// Takes an event of the sink of a transfer.
    pub fn handle_sink(&mut self, handle: TransferHandle, event: &SinkEvent, now: Timestamp) {
        let Some(file) = self.receiving.iter_mut().find(|file| file.handle == handle.0) else { return };
        let was = file.view().state;
        let is_told = file.handle_sink(event, now);
        let (state, member, is_over) = (file.view().state, file.member.clone(), file.is_over());
        let discard = file.discard_command();
        let is_news = state != was;
        if is_told {
            self.say_of_receiving(handle.0, now);
        }
        if is_over && is_news {
            if state != TransferState::Done {
                self.outputs.extend(
                    discard.map(|discard| TransferOutput::Perform(TransferTask::Sink(handle, discard))),
                );
            }
            self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
            self.open_accepted();
        }
        if matches!(event, SinkEvent::Progress { .. }) {
            for other in self.receiving.iter_mut().filter(|other| other.member == member) {
                other.note_sender_alive(now);
            }
        }
        self.show_progress(handle.0, is_news || matches!(event, SinkEvent::Opened { .. }), now);
    }

    /// Requests storage for accepted files, in their order: for each sender, a number of running and of paused ones. Each takes
    /// two open files of the browser.
    pub(super) fn open_accepted(&mut self) {
        if !self.receiving.iter().any(Incoming::wants_place) {
            return;
        }
        let mut places: BTreeMap<(MemberId, bool), usize> = BTreeMap::new();
        for file in self.receiving.iter().filter(|file| file.has_place()) {
            *places.entry((file.member.clone(), file.is_paused())).or_default() += 1;
        }
        for file in self.receiving.iter_mut().filter(|file| file.wants_place()) {
            let used = places.entry((file.member.clone(), file.is_paused())).or_default();
            if *used < MAX_PLACES
                && let Some(open) = file.open()
            {
                *used += 1;
                self.outputs.push_back(TransferOutput::Perform(TransferTask::Sink(
                    TransferHandle(file.handle),
                    open,
                )));
            }
        }
    }

    /// A file name that no other file here has, ignoring case.
    fn free_name(&mut self, offered: &str) -> String {
        let is_taken =
            |name: &str| self.receiving.iter().any(|file| file.folded_name == name && file.keeps_name());
        let name = safe_name(offered);
        let folded = name.to_lowercase();
        if !is_taken(&folded) {
            self.numbers.remove(&folded);
            return name;
        }
        // Continues with the number after the last one, since many files may have the same name.
        let from = self.numbers.get(&folded).copied().unwrap_or_default();
        let keeping = self.receiving.iter().filter(|file| file.keeps_name());
        let taken: HashSet<&str> = keeping.map(|file| file.folded_name.as_str()).collect();
        let (numbered, number) = numbered_from(&name, from, |name| taken.contains(name));
        if self.numbers.len() >= MAX_NUMBERED {
            self.numbers.clear();
        }
        self.numbers.insert(folded, number);
        numbered
    }

    pub(super) fn say_of_receiving(&mut self, handle: u32, now: Timestamp) {
        if let Some(file) = self.receiving.iter_mut().find(|file| file.handle == handle)
            && let Some(message) = file.statement(now)
        {
            self.outputs.push_back(TransferOutput::Send(file.member.clone(), message));
        }
    }
}

/// The distinct batches of these files.
fn batches_of<'a>(files: impl Iterator<Item = &'a Incoming>) -> BTreeSet<(&'a MemberId, &'a BatchId)> {
    files.filter_map(|file| Some((&file.member, file.batch.as_ref()?))).collect()
}
