//! What the members of a room tell each other: the conversation and the files.
//!
//! Owns both, and tells both what becomes of a member. It never knows a link: the session says when a way to a member is open, and
//! sends what comes out where one is.
//!
//! Invariant: both hear of the same members, in the same order.

use sightline_protocol::{MemberId, control::ControlMessage};

use crate::{
    Timestamp,
    chat::Conversation,
    random::SeededRandom,
    transfer::{Reach, TransferOutput, TransferTask, Transfers},
};

#[derive(Debug)]
pub(super) struct Content {
    conversation: Conversation,
    transfers: Transfers,
}

/// What the content wants done.
pub(super) enum ContentOutput {
    /// Send this on the `control` channel to a member; what finds no open channel is said again when one opens.
    Send(MemberId, ControlMessage),
    /// For the worker that reads and stores files, or for the page.
    Transfer(TransferTask),
}

impl Content {
    /// Nothing said and no files. The ids of transfers come from `random`.
    pub(super) fn new(random: SeededRandom) -> Self {
        Self { conversation: Conversation::default(), transfers: Transfers::new(random) }
    }

    pub(super) fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    pub(super) fn conversation_mut(&mut self) -> &mut Conversation {
        &mut self.conversation
    }

    pub(super) fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    pub(super) fn transfers_mut(&mut self) -> &mut Transfers {
        &mut self.transfers
    }

    /// Takes what a member said. Gives it back where it is about neither chat nor files.
    pub(super) fn handle_message(
        &mut self,
        from: &MemberId,
        name: &str,
        message: ControlMessage,
        now: Timestamp,
    ) -> Option<ControlMessage> {
        match message {
            ControlMessage::Chat { id, text, sent_at_ms } => {
                self.conversation.handle_chat(from, name, id, &text, sent_at_ms.get());
            }
            ControlMessage::ChatAck { id } => self.conversation.handle_ack(from, &id),
            ControlMessage::TransferOffer(offer) => self.transfers.handle_offer(from, offer, now),
            ControlMessage::TransferProgress(progress) => {
                self.transfers.handle_progress(from, &progress, now);
            }
            ControlMessage::TransferDone { transfer, sha256 } => {
                self.transfers.handle_done(from, &transfer, sha256, now);
            }
            ControlMessage::TransferEnd { transfer, reason } => {
                self.transfers.handle_end(from, &transfer, reason, now);
            }
            other => return Some(other),
        }
        None
    }

    /// What is to be said to a member can be said now.
    pub(super) fn handle_channel_opened(&mut self, member: &MemberId, now: Timestamp) {
        self.conversation.handle_channel_open(member);
        self.transfers.handle_channel_open(member, now);
    }

    /// Nothing can be said to a member.
    pub(super) fn handle_links_closed(&mut self, member: &MemberId) {
        self.transfers.handle_channel_closed(member);
    }

    /// Nothing that a member said or offered counts any more.
    pub(super) fn handle_cut_off(&mut self, member: &MemberId) {
        self.transfers.forget_offers_of(member);
        self.handle_gone(member);
    }

    /// A member is gone for good.
    pub(super) fn handle_gone(&mut self, member: &MemberId) {
        self.transfers.handle_reach(member, Reach::Gone);
        self.conversation.handle_member_gone(member);
    }

    /// The next thing to do.
    pub(super) fn poll_output(&mut self) -> Option<ContentOutput> {
        if let Some(outgoing) = self.conversation.poll_outgoing() {
            return Some(ContentOutput::Send(outgoing.to, outgoing.message));
        }
        Some(match self.transfers.poll_output()? {
            TransferOutput::Send(to, message) => ContentOutput::Send(to, message),
            TransferOutput::Perform(task) => ContentOutput::Transfer(task),
        })
    }
}
