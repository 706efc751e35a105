//! The content that the members of a room exchange: the conversation and the files.
//!
//! Owns the conversation and the transfers, and tells both when a member comes, can be reached or leaves. It never knows a
//! link: the session reports when a channel to a member opens, and sends the resulting messages over an open channel.
//!
//! Invariant: the conversation and the transfers get the same events about members, in the same order.

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

/// An action that the content requests.
pub(super) enum ContentOutput {
    /// Send this message on the `control` channel to a member. Without an open channel the message is repeated when a channel
    /// opens.
    Send(MemberId, ControlMessage),
    /// A task for the worker that reads and stores files, or for the page.
    Transfer(TransferTask),
}

impl Content {
    /// An empty conversation and no files. `random` generates the ids of transfers.
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

    /// Takes a message of a member. Returns the message if it is about neither chat nor files.
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
            ControlMessage::PrivateChat { id, text, sent_at_ms } => {
                self.conversation.handle_private_chat(from, name, id, &text, sent_at_ms.get());
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

    /// Notes that the `control` channel to a member opened: messages can be sent to it now.
    pub(super) fn handle_channel_opened(&mut self, member: &MemberId, now: Timestamp) {
        self.conversation.handle_channel_open(member);
        self.transfers.handle_channel_open(member, now);
    }

    /// Notes that no channel to a member is open any more.
    pub(super) fn handle_links_closed(&mut self, member: &MemberId) {
        self.transfers.handle_channel_closed(member);
    }

    /// Notes that a member was cut off, or removed by a host: its offers are discarded, its files count as those of a member that is
    /// gone, and no message waits for it.
    pub(super) fn handle_shut_out(&mut self, member: &MemberId) {
        self.transfers.forget_offers_of(member);
        self.transfers.handle_reach(member, Reach::Gone);
        self.conversation.handle_member_shut_out(member);
    }

    /// Notes that a member left for good.
    pub(super) fn handle_gone(&mut self, member: &MemberId) {
        self.transfers.handle_reach(member, Reach::Gone);
        self.conversation.handle_member_gone(member);
    }

    /// The next action to perform.
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
