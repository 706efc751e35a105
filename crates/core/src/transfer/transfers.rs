//! All files of a room, both ways.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use sightline_protocol::{
    MemberId, TransferId,
    control::ControlMessage,
    transfer::{
        FileOffer, FileProgress, MAX_FILE_NAME_BYTES, MAX_MEDIA_TYPE_BYTES, MAX_OPEN_TRANSFERS, Sha256Digest,
        TransferEnd,
    },
};

use super::{
    KeptTransfer, Records, TransferState, TransferView,
    incoming::Incoming,
    name::{numbered, safe_name},
    outgoing::Outgoing,
};
use crate::Timestamp;

/// How often a page hears of bytes that came.
const SHOW_INTERVAL: Duration = Duration::from_millis(200);
/// Transfers that a list keeps after they are over; the oldest go first.
const MAX_KEPT: usize = 2 * MAX_OPEN_TRANSFERS;

/// Names a transfer within this page, and its bytes in the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransferHandle(pub u32);

/// A file of this computer, as its sender's browser describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileDescription {
    /// Its name.
    pub name: String,
    /// The folders it was chosen in, with `/` between them.
    pub folder: String,
    /// In bytes.
    pub size_bytes: u64,
    /// A media type, or nothing.
    pub media_type: String,
    /// In milliseconds since 1970.
    pub modified_ms: u64,
}

/// For what reads a file of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceCommand {
    /// Go to `offset`, and make no chunk before the file is known to begin with what `sha256` is the hash of.
    Seek {
        /// Comes back with every frame from here on.
        seek: u32,
        /// Into the frames.
        number: u32,
        /// In the file.
        offset: u64,
        /// Of the file up to there.
        sha256: Option<Sha256Digest>,
    },
    /// Make so many chunks more.
    Pull {
        /// How many.
        chunks: u32,
    },
    /// Forget the file.
    Close,
}

/// From what reads a file of this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceEvent {
    /// A frame is ready.
    Frame {
        /// Of the command that led here.
        seek: u32,
        /// Where its bytes begin in the file.
        offset: u64,
        /// How many they are.
        length_bytes: u64,
        /// Of the whole file, with its last chunk.
        sha256: Option<Sha256Digest>,
    },
    /// It is where a [`SourceCommand::Seek`] wanted it, and the file up to there is what was expected.
    Reached {
        /// Of the command.
        seek: u32,
        /// Of the file up to there.
        sha256: Sha256Digest,
    },
    /// There will be no more.
    Failed(TransferEnd),
}

/// For what stores a file that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkCommand {
    /// Make a place for it, or find what is there of it already.
    Open {
        /// Its name in the storage.
        transfer: TransferId,
        /// From whom.
        member: MemberId,
        /// In the frames.
        number: u32,
        /// Of the whole file.
        size_bytes: u64,
    },
    /// Its frames come from that member, under that number, now.
    Expect {
        /// From whom.
        member: MemberId,
        /// In the frames.
        number: u32,
    },
    /// Throw away what is there of it.
    Discard {
        /// Its name in the storage.
        transfer: TransferId,
    },
}

/// From what stores a file that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkEvent {
    /// There is a place, with so much of the file in it.
    Opened {
        /// How much.
        verified_bytes: u64,
        /// Of that.
        sha256: Sha256Digest,
    },
    /// More of it is verified and written.
    Progress {
        /// How much there is now.
        verified_bytes: u64,
    },
    /// A chunk was not what its hash says.
    Wrong {
        /// How much there is.
        verified_bytes: u64,
        /// Of that.
        sha256: Sha256Digest,
    },
    /// The whole file is there, and on the disk.
    Complete {
        /// Of the file.
        sha256: Sha256Digest,
    },
    /// It cannot be stored.
    Failed(TransferEnd),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferOutput {
    /// Tell a member, if its channel is open.
    Send(MemberId, ControlMessage),
    /// For the source of a transfer.
    Source(TransferHandle, SourceCommand),
    /// For the sink of a transfer.
    Sink(TransferHandle, SinkCommand),
    /// It shows something else now.
    Changed(TransferHandle),
    /// It is over for long, and no longer known.
    Forgotten(TransferHandle),
    /// Something is to be kept, or no more: see [`Transfers::records`].
    RecordsChanged,
}

/// The files on their way.
#[derive(Debug, Default)]
pub struct Transfers {
    sending: Vec<Outgoing>,
    receiving: Vec<Incoming>,
    open: BTreeSet<MemberId>,
    next_handle: u32,
    next_show: Timestamp,
    outputs: VecDeque<TransferOutput>,
}

impl Transfers {
    /// What a page before this one kept. Files that came are looked for where they are stored.
    pub fn restore(&mut self, records: Records, now: Timestamp) {
        for kept in records.sending.into_iter().take(MAX_OPEN_TRANSFERS) {
            let handle = self.make_handle();
            let offer = FileOffer { number: handle, sequence: 0, ..kept.offer };
            self.sending.push(Outgoing::new(handle, kept.member, offer, now).kept(kept.is_accepted));
            self.changed(handle);
        }
        for kept in records.receiving.into_iter().take(MAX_OPEN_TRANSFERS) {
            let handle = self.make_handle();
            let mut incoming = Incoming::new(handle, kept.member, safe_name(&kept.name), kept.offer, now);
            if let Some(sha256) = kept.sha256 {
                incoming = incoming.kept_done(sha256);
            } else if kept.is_accepted
                && let Some(open) = incoming.accept()
            {
                self.outputs.push_back(TransferOutput::Sink(TransferHandle(handle), open));
            }
            self.receiving.push(incoming);
            self.changed(handle);
        }
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
        });
        let receiving = self.receiving.iter().filter(|file| file.is_accepted()).map(|file| KeptTransfer {
            offer: file.offer.clone(),
            member: file.member.clone(),
            name: file.name.clone(),
            is_accepted: true,
            sha256: file.has_file(),
        });
        Records { sending: sending.collect(), receiving: receiving.collect() }
    }

    // What the person does.

    /// The transfers to these members that wait for this very file, after a reload: they go on with it.
    pub fn handle_file_again(
        &mut self,
        file: &FileDescription,
        members: &[MemberId],
        now: Timestamp,
    ) -> Vec<TransferHandle> {
        let mut found = Vec::new();
        for sending in self.sending.iter_mut().filter(|sending| sending.needs_file && !sending.is_over()) {
            let offer = &sending.offer;
            if members.contains(&sending.member)
                && offer.name == file.name
                && offer.size_bytes == file.size_bytes
                && offer.modified_ms == file.modified_ms
            {
                sending.handle_file(now);
                found.push(TransferHandle(sending.handle));
            }
        }
        for handle in &found {
            self.say_of_sending(handle.0);
            self.changed(handle.0);
        }
        found
    }

    /// Offers a file to a member, under a random id.
    ///
    /// # Errors
    /// [`TransferEnd::TooMany`] where more are open than may be.
    pub fn offer(
        &mut self,
        member: &MemberId,
        transfer: TransferId,
        file: FileDescription,
        now: Timestamp,
    ) -> Result<TransferHandle, TransferEnd> {
        let open = self.sending.iter().filter(|sending| sending.member == *member && !sending.is_over());
        if open.count() >= MAX_OPEN_TRANSFERS {
            return Err(TransferEnd::TooMany);
        }
        let handle = self.make_handle();
        let offer = FileOffer {
            transfer,
            sequence: 0,
            number: handle,
            name: cut(file.name, MAX_FILE_NAME_BYTES),
            folder: cut(file.folder, MAX_FILE_NAME_BYTES),
            size_bytes: file.size_bytes,
            media_type: cut(file.media_type, MAX_MEDIA_TYPE_BYTES),
            modified_ms: file.modified_ms,
            is_paused: false,
        };
        self.sending.push(Outgoing::new(handle, member.clone(), offer, now));
        self.say_of_sending(handle);
        self.changed(handle);
        self.outputs.push_back(TransferOutput::RecordsChanged);
        self.forget_oldest();
        Ok(TransferHandle(handle))
    }

    /// Takes a file that is offered.
    pub fn accept(&mut self, handle: TransferHandle) {
        let open = self.receiving.iter_mut().find(|file| file.handle == handle.0).and_then(Incoming::accept);
        if let Some(open) = open {
            self.outputs.push_back(TransferOutput::Sink(handle, open));
            self.outputs.push_back(TransferOutput::RecordsChanged);
            self.changed(handle.0);
        }
    }

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
        }
        self.changed(handle.0);
    }

    /// The person leaves the room: everything that is not over is cancelled, and what is stored is thrown away.
    pub fn leave(&mut self, now: Timestamp) {
        let sending = self.sending.iter().map(|file| file.handle);
        let all: Vec<_> = sending.chain(self.receiving.iter().map(|file| file.handle)).collect();
        for handle in all {
            self.cancel(TransferHandle(handle), now);
        }
        for file in &self.receiving {
            self.outputs.push_back(TransferOutput::Sink(TransferHandle(file.handle), file.discard_command()));
        }
        self.receiving.clear();
        self.sending.clear();
        self.outputs.push_back(TransferOutput::RecordsChanged);
    }

    // What the connections do.

    /// The `control` channel to a member opened, for the first time or again.
    pub fn handle_channel_open(&mut self, member: &MemberId, now: Timestamp) {
        self.open.insert(member.clone());
        let mut handles = Vec::new();
        for file in self.sending.iter_mut().filter(|file| file.member == *member && !file.is_over()) {
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
    }

    /// It closed, or the member is gone.
    pub fn handle_channel_closed(&mut self, member: &MemberId) {
        self.open.remove(member);
    }

    /// A member offers a file, or says something of one.
    pub fn handle_offer(&mut self, member: &MemberId, offer: FileOffer, now: Timestamp) {
        if offer.name.len() > MAX_FILE_NAME_BYTES
            || offer.folder.len() > MAX_FILE_NAME_BYTES
            || offer.media_type.len() > MAX_MEDIA_TYPE_BYTES
        {
            return;
        }
        let known = self.receiving.iter_mut().find(|file| file.offer.transfer == offer.transfer);
        let handle = if let Some(file) = known {
            let handle = file.handle;
            if let Some(command) = file.handle_offer(member, &offer, now) {
                self.outputs.push_back(TransferOutput::Sink(TransferHandle(handle), command));
            }
            handle
        } else {
            let open = self.receiving.iter().filter(|file| file.member == *member && !file.is_over());
            if open.count() >= MAX_OPEN_TRANSFERS {
                let message =
                    ControlMessage::TransferEnd { transfer: offer.transfer, reason: TransferEnd::TooMany };
                self.outputs.push_back(TransferOutput::Send(member.clone(), message));
                return;
            }
            let handle = self.make_handle();
            let receiving = &self.receiving;
            let is_taken = |name: &str| receiving.iter().any(|file| file.name.to_lowercase() == name);
            let name = numbered(&safe_name(&offer.name), is_taken);
            self.receiving.push(Incoming::new(handle, member.clone(), name, offer, now));
            self.forget_oldest();
            handle
        };
        self.say_of_receiving(handle, now);
        self.changed(handle);
    }

    /// A member says how far a file from here is.
    pub fn handle_progress(&mut self, member: &MemberId, progress: &FileProgress, now: Timestamp) {
        let Some(file) = self.sending.iter_mut().find(|file| file.offer.transfer == progress.transfer) else {
            let reason = TransferEnd::Unknown;
            let message = ControlMessage::TransferEnd { transfer: progress.transfer.clone(), reason };
            self.outputs.push_back(TransferOutput::Send(member.clone(), message));
            return;
        };
        // Who knows the id may go on with it: the same page, whose place in the room was lost.
        file.member = member.clone();
        let handle = file.handle;
        if file.is_over() {
            self.say_of_sending(handle);
            return;
        }
        let (was, was_accepted) = (file.view().state, file.is_accepted());
        let command = file.handle_progress(progress, now);
        let is_news = file.view().state != was;
        if let Some(command) = command {
            self.outputs.push_back(TransferOutput::Source(TransferHandle(handle), command));
        }
        if !was_accepted {
            self.outputs.push_back(TransferOutput::RecordsChanged);
        }
        self.show_progress(handle, is_news, now);
    }

    /// A member says that it has a file from here.
    pub fn handle_done(&mut self, member: &MemberId, transfer: &TransferId, sha256: Sha256Digest) {
        let of_member = |file: &&mut Outgoing| file.offer.transfer == *transfer && file.member == *member;
        let Some(file) = self.sending.iter_mut().find(of_member) else { return };
        let handle = file.handle;
        if let Some(command) = file.handle_done(sha256) {
            self.outputs.push_back(TransferOutput::Source(TransferHandle(handle), command));
        } else if file.is_over() {
            self.outputs.push_back(TransferOutput::Source(TransferHandle(handle), SourceCommand::Close));
            self.outputs.push_back(TransferOutput::RecordsChanged);
        }
        self.changed(handle);
    }

    /// A member gave a transfer up.
    pub fn handle_end(&mut self, member: &MemberId, transfer: &TransferId, reason: TransferEnd) {
        let sending = self.sending.iter_mut().find(|file| file.offer.transfer == *transfer);
        if let Some(file) = sending.filter(|file| file.member == *member && !file.is_over()) {
            let handle = file.handle;
            file.end(reason);
            self.outputs.push_back(TransferOutput::Source(TransferHandle(handle), SourceCommand::Close));
            self.ended(handle);
        }
        let receiving = self.receiving.iter_mut().find(|file| file.offer.transfer == *transfer);
        if let Some(file) = receiving.filter(|file| file.member == *member && !file.is_over()) {
            let handle = file.handle;
            file.end(reason);
            self.outputs.push_back(TransferOutput::Sink(TransferHandle(handle), file.discard_command()));
            self.ended(handle);
        }
    }

    /// The channels for bytes to a member take `free_bytes` more. Files go one after the other, in their order.
    pub fn handle_capacity(&mut self, member: &MemberId, free_bytes: u64) {
        let next = self.sending.iter_mut().find(|file| file.member == *member && file.is_flowing());
        if let Some(file) = next
            && self.open.contains(member)
            && let Some(pull) = file.pull(free_bytes)
        {
            self.outputs.push_back(TransferOutput::Source(TransferHandle(file.handle), pull));
        }
    }

    // What the worker does.

    /// From the source of a transfer; to whom the frame, if it is one, is to be sent.
    pub fn handle_source(&mut self, handle: TransferHandle, event: &SourceEvent) -> Option<MemberId> {
        let file = self.sending.iter_mut().find(|file| file.handle == handle.0)?;
        let (was, was_over) = (file.view().state, file.is_over());
        let is_sent = file.handle_source(event);
        let (is_over, is_news) = (file.is_over(), file.view().state != was);
        let member = file.member.clone();
        if is_over && !was_over {
            if file.view().state == TransferState::Done {
                self.outputs.push_back(TransferOutput::Source(handle, SourceCommand::Close));
            } else {
                self.say_of_sending(handle.0);
            }
            self.ended(handle.0);
        } else if is_news {
            self.changed(handle.0);
        }
        is_sent.then_some(member)
    }

    /// From the sink of a transfer.
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
                self.outputs.push_back(TransferOutput::Sink(handle, discard));
            }
            self.outputs.push_back(TransferOutput::RecordsChanged);
        }
        if matches!(event, SinkEvent::Progress { .. }) {
            for other in self.receiving.iter_mut().filter(|other| other.member == member) {
                other.note_sender_alive(now);
            }
        }
        self.show_progress(handle.0, is_news || matches!(event, SinkEvent::Opened { .. }), now);
    }

    // Time and results.

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
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
    }

    /// When [`Self::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let sending = self.sending.iter().filter(|file| self.open.contains(&file.member));
        let receiving = self.receiving.iter().filter(|file| self.open.contains(&file.member));
        sending.filter_map(Outgoing::deadline).chain(receiving.filter_map(Incoming::deadline)).min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<TransferOutput> {
        self.outputs.pop_front()
    }

    /// A transfer as it is now.
    #[must_use]
    pub fn view(&self, handle: TransferHandle) -> Option<TransferView> {
        let sending = self.sending.iter().find(|file| file.handle == handle.0).map(Outgoing::view);
        sending.or_else(|| self.receiving.iter().find(|file| file.handle == handle.0).map(Incoming::view))
    }

    /// The members that files are on their way to now.
    pub fn receivers(&self) -> impl Iterator<Item = &MemberId> {
        self.sending.iter().filter(|file| file.is_flowing()).map(|file| &file.member)
    }

    fn give_up(&mut self, handle: TransferHandle, reason: TransferEnd, now: Timestamp) {
        if let Some(file) = self.sending.iter_mut().find(|file| file.handle == handle.0 && !file.is_over()) {
            file.end(reason);
            self.outputs.push_back(TransferOutput::Source(handle, SourceCommand::Close));
            self.say_of_sending(handle.0);
            self.ended(handle.0);
        } else if let Some(file) =
            self.receiving.iter_mut().find(|file| file.handle == handle.0 && !file.is_over())
        {
            file.end(reason);
            self.outputs.push_back(TransferOutput::Sink(handle, file.discard_command()));
            self.say_of_receiving(handle.0, now);
            self.ended(handle.0);
        }
    }

    fn say_of_sending(&mut self, handle: u32) {
        if let Some(file) = self.sending.iter_mut().find(|file| file.handle == handle) {
            let message = file.statement();
            self.outputs.push_back(TransferOutput::Send(file.member.clone(), message));
        }
    }

    fn say_of_receiving(&mut self, handle: u32, now: Timestamp) {
        if let Some(file) = self.receiving.iter_mut().find(|file| file.handle == handle)
            && let Some(message) = file.statement(now)
        {
            self.outputs.push_back(TransferOutput::Send(file.member.clone(), message));
        }
    }

    fn ended(&mut self, handle: u32) {
        self.outputs.push_back(TransferOutput::RecordsChanged);
        self.changed(handle);
    }

    fn changed(&mut self, handle: u32) {
        self.outputs.push_back(TransferOutput::Changed(TransferHandle(handle)));
    }

    /// News at once, bytes now and then.
    fn show_progress(&mut self, handle: u32, is_news: bool, now: Timestamp) {
        if is_news || self.next_show <= now {
            self.next_show = now + SHOW_INTERVAL;
            self.changed(handle);
        }
    }

    fn make_handle(&mut self) -> u32 {
        self.next_handle += 1;
        self.next_handle
    }

    fn forget_oldest(&mut self) {
        if self.sending.len() > MAX_KEPT
            && let Some(at) = self.sending.iter().position(Outgoing::is_over)
        {
            let file = self.sending.remove(at);
            self.outputs.push_back(TransferOutput::Forgotten(TransferHandle(file.handle)));
        }
        if self.receiving.len() > MAX_KEPT
            && let Some(at) =
                self.receiving.iter().position(|file| file.is_over() && file.has_file().is_none())
        {
            let file = self.receiving.remove(at);
            self.outputs.push_back(TransferOutput::Forgotten(TransferHandle(file.handle)));
        }
    }
}

fn cut(mut text: String, max_bytes: usize) -> String {
    while text.len() > max_bytes {
        text.pop();
    }
    text
}
