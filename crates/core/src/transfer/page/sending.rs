//! Outgoing files: actions of the person, messages of the receivers and events of the source.

use std::collections::BTreeSet;

use sightline_protocol::{
    MemberId, TransferId,
    control::ControlMessage,
    transfer::{FileProgress, Sha256Digest, TransferEnd},
};

use super::{outgoing::Outgoing, transfers::Transfers, view::TransferState};
use crate::{
    Timestamp,
    transfer::commands::{SourceCommand, SourceEvent, TransferHandle, TransferOutput, TransferTask},
};

impl Transfers {
    /// Takes a member's progress for a file from this page.
    pub fn handle_progress(&mut self, member: &MemberId, progress: &FileProgress, now: Timestamp) {
        let Some(file) = self.sending.iter_mut().find(|file| file.offer.transfer == progress.transfer) else {
            let reason = TransferEnd::Unknown;
            let message = ControlMessage::TransferEnd { transfer: progress.transfer.clone(), reason };
            self.outputs.push_back(TransferOutput::Send(member.clone(), message));
            return;
        };
        // A page that knows the id may continue the transfer: it is the same page after it lost its seat in the room.
        if file.member != *member {
            file.member = member.clone();
            self.descriptions.insert(file.description_hash());
        }
        let handle = file.handle;
        if file.is_over() {
            self.say_of_sending(handle);
            return;
        }
        let (was, was_accepted) = (file.view().state, file.is_accepted());
        let command = file.handle_progress(progress, now);
        let is_news = file.view().state != was;
        if let Some(command) = command {
            self.outputs
                .push_back(TransferOutput::Perform(TransferTask::Source(TransferHandle(handle), command)));
        }
        if !was_accepted {
            self.outputs.push_back(TransferOutput::Perform(TransferTask::RecordsChanged));
        }
        self.show_progress(handle, is_news, now);
    }

    /// Takes a member's report that it has a file from this page.
    pub fn handle_done(
        &mut self,
        member: &MemberId,
        transfer: &TransferId,
        sha256: Sha256Digest,
        now: Timestamp,
    ) {
        let is_meant = |file: &&mut Outgoing| {
            file.offer.transfer == *transfer && file.member == *member && !file.is_over()
        };
        let Some(file) = self.sending.iter_mut().find(is_meant) else { return };
        let handle = file.handle;
        if let Some(command) = file.handle_done(sha256) {
            self.outputs
                .push_back(TransferOutput::Perform(TransferTask::Source(TransferHandle(handle), command)));
        } else if file.is_over() {
            self.outputs.push_back(TransferOutput::Perform(TransferTask::Source(
                TransferHandle(handle),
                SourceCommand::Close,
            )));
            self.ended(handle, now);
            return;
        }
        self.changed(handle);
    }

    /// Requests chunks for a member whose channels take `free_bytes` more, of at most `chunk_bytes` each and `most_bytes` in
    /// total. Returns the number of requested bytes. Files are sent one after the other, in their order.
    pub fn handle_capacity(
        &mut self,
        member: &MemberId,
        free_bytes: u64,
        most_bytes: u64,
        chunk_bytes: usize,
    ) -> u64 {
        let next = self.sending.iter_mut().find(|file| file.member == *member && file.is_flowing());
        if let Some(file) = next
            && self.open.contains(member)
            && let Some((pull, bytes)) = file.pull(free_bytes, most_bytes, chunk_bytes)
        {
            self.outputs
                .push_back(TransferOutput::Perform(TransferTask::Source(TransferHandle(file.handle), pull)));
            return bytes;
        }
        0
    }

    /// Whether a file to the member is in transfer, even if all of its bytes were sent.
    #[must_use]
    pub fn is_sending_to(&self, member: &MemberId) -> bool {
        self.sending.iter().any(|file| file.member == *member && file.is_on_its_way())
    }

    /// Number of bytes that are still to be sent to a member, of the files that can be sent now.
    #[must_use]
    pub fn remaining_bytes(&self, member: &MemberId) -> u64 {
        let flowing = self.sending.iter().filter(|file| file.member == *member && file.is_flowing());
        flowing.map(Outgoing::remaining_bytes).fold(0, u64::saturating_add)
    }

    /// Takes an event of the source of a transfer. Returns the member that the frame, if there is one, goes to.
    pub fn handle_source(
        &mut self,
        handle: TransferHandle,
        event: &SourceEvent,
        now: Timestamp,
    ) -> Option<MemberId> {
        if let SourceEvent::Identified(identity) = event {
            self.handle_identified(handle, *identity, now);
            return None;
        }
        let file = self.sending.iter_mut().find(|file| file.handle == handle.0)?;
        let (was, was_over) = (file.view().state, file.is_over());
        let is_sent = file.handle_source(event);
        let (is_over, is_news) = (file.is_over(), file.view().state != was);
        let member = file.member.clone();
        if is_over && !was_over {
            if file.view().state == TransferState::Done {
                self.outputs
                    .push_back(TransferOutput::Perform(TransferTask::Source(handle, SourceCommand::Close)));
            } else {
                self.say_of_sending(handle.0);
            }
            self.ended(handle.0, now);
        } else if is_news {
            self.changed(handle.0);
        }
        is_sent.then_some(member)
    }

    /// The members that files are being sent to now.
    pub fn receivers(&self) -> BTreeSet<&MemberId> {
        self.sending.iter().filter(|file| file.is_flowing()).map(|file| &file.member).collect()
    }

    pub(super) fn say_of_sending(&mut self, handle: u32) {
        if let Some(file) = self.sending.iter_mut().find(|file| file.handle == handle) {
            let message = file.statement();
            self.outputs.push_back(TransferOutput::Send(file.member.clone(), message));
        }
    }
}
