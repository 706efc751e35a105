//! The log of a conversation and what each member has still to acknowledge.
//!
//! Invariants: a message is in the log once, whatever is repeated; it is handed to a member again whenever a channel
//! to it opens, until that member acknowledges it; one's own messages reach a member in the order they were written. What
//! is kept of it ([`Conversation::kept`]) and restored after a reload takes part in all that as before.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use sightline_protocol::{
    DisplayName, MemberId, MessageId, control::ControlMessage, limits::MAX_CHAT_TEXT_BYTES,
};

use super::{DeliveryState, KeptMessage, prepare};

/// Messages in the log; the oldest go first.
pub const MAX_LOG: usize = 2_000;
/// Ids remembered so that a repetition is recognised even after its message left the log.
const MAX_SEEN: usize = 8_000;

/// One message of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Made by the author.
    pub id: MessageId,
    /// Its place in the conversation: grows with each message.
    pub number: u32,
    /// `None` for one's own.
    pub author: Option<MemberId>,
    /// What the author was called then; empty for one's own, and for who has no name.
    pub author_name: String,
    /// Text with line breaks.
    pub text: String,
    /// On the author's clock, in milliseconds since 1970.
    pub sent_at_ms: u64,
    /// How far it came.
    pub state: DeliveryState,
}

/// Something for one member's `control` channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// For whom.
    pub to: MemberId,
    /// What.
    pub message: ControlMessage,
}

/// Why a text is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextRefused {
    /// Nothing of it would be seen.
    #[error("the text is empty")]
    Empty,
    /// It is longer than [`MAX_CHAT_TEXT_BYTES`].
    #[error("the text is longer than {MAX_CHAT_TEXT_BYTES} bytes")]
    TooLong,
}

/// The conversation of a room.
#[derive(Debug, Default)]
pub struct Conversation {
    log: VecDeque<ChatMessage>,
    next_number: u32,
    seen: HashSet<MessageId>,
    seen_order: VecDeque<MessageId>,
    /// Who has not acknowledged which of one's own messages.
    unacknowledged: HashMap<MessageId, BTreeSet<MemberId>>,
    outgoing: VecDeque<Outgoing>,
    changed: VecDeque<MessageId>,
}

impl Conversation {
    /// Says something to everyone in `present`. `open` tells which of them have an open channel now; the others get
    /// it when theirs opens.
    ///
    /// # Errors
    /// [`TextRefused`] where the text is empty or too long.
    pub fn send(
        &mut self,
        id: MessageId,
        text: &str,
        sent_at_ms: u64,
        present: impl IntoIterator<Item = MemberId>,
        open: impl Fn(&MemberId) -> bool,
    ) -> Result<(), TextRefused> {
        let text = prepare(text)?;
        let waiting: BTreeSet<MemberId> = present.into_iter().collect();
        let state = if waiting.is_empty() { DeliveryState::Unheard } else { DeliveryState::Sending };
        let message = ChatMessage {
            id: id.clone(),
            number: self.take_number(),
            author: None,
            author_name: String::new(),
            text,
            sent_at_ms,
            state,
        };
        for to in waiting.iter().filter(|member| open(member)) {
            self.outgoing.push_back(Outgoing { to: to.clone(), message: wire(&message) });
        }
        if !waiting.is_empty() {
            self.unacknowledged.insert(id, waiting);
        }
        self.append(message);
        Ok(())
    }

    /// A member, called `name`, said something. It is acknowledged even if it was seen before: the acknowledgement may have
    /// been lost.
    pub fn handle_chat(&mut self, from: &MemberId, name: &str, id: MessageId, text: &str, sent_at_ms: u64) {
        let own = self.log.iter().any(|message| message.id == id && message.author.is_none());
        let Ok(text) = prepare(text) else { return };
        if own {
            return;
        }
        self.outgoing
            .push_back(Outgoing { to: from.clone(), message: ControlMessage::ChatAck { id: id.clone() } });
        if !self.seen.contains(&id) {
            let number = self.take_number();
            self.append(ChatMessage {
                id,
                number,
                author: Some(from.clone()),
                author_name: name.to_owned(),
                text,
                sent_at_ms,
                state: DeliveryState::Received,
            });
        }
    }

    /// A member has one of our messages.
    pub fn handle_ack(&mut self, from: &MemberId, id: &MessageId) {
        let Some(waiting) = self.unacknowledged.get_mut(id) else { return };
        if waiting.remove(from) && waiting.is_empty() {
            self.unacknowledged.remove(id);
            self.set_state(id, DeliveryState::Delivered);
        }
    }

    /// The channel to a member opened, for the first time or again: everything it has not acknowledged goes out, in
    /// order.
    pub fn handle_channel_open(&mut self, member: &MemberId) {
        let repeated: Vec<_> = self
            .log
            .iter()
            .filter(|message| {
                self.unacknowledged.get(&message.id).is_some_and(|waiting| waiting.contains(member))
            })
            .map(|message| Outgoing { to: member.clone(), message: wire(message) })
            .collect();
        self.outgoing.extend(repeated);
    }

    /// A member is gone: what it has not acknowledged is undeliverable, unless it does come back after all.
    pub fn handle_member_gone(&mut self, member: &MemberId) {
        let lost: Vec<_> = self
            .unacknowledged
            .iter()
            .filter(|(_, waiting)| waiting.contains(member))
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            self.set_state(&id, DeliveryState::Undeliverable);
        }
    }

    /// Who is in the room is known, or known anew: whoever else had not acknowledged something is gone.
    pub fn handle_present(&mut self, is_present: impl Fn(&MemberId) -> bool) {
        let absent: BTreeSet<_> =
            self.unacknowledged.values().flatten().filter(|member| !is_present(member)).cloned().collect();
        for member in absent {
            self.handle_member_gone(&member);
        }
    }

    /// What is to be kept of a message, so that it outlives the page.
    #[must_use]
    pub fn kept(&self, id: &MessageId) -> Option<KeptMessage> {
        let message = self.message(id)?.clone();
        let missing = self.unacknowledged.get(id).into_iter().flatten().cloned().collect();
        Some(KeptMessage { message, missing })
    }

    /// Takes up the conversation of an earlier life of the page; before anything else happens to it. What does not
    /// belong there is left out.
    pub fn restore(&mut self, kept: impl IntoIterator<Item = KeptMessage>) {
        for KeptMessage { message, missing } in kept {
            let is_new = !self.seen.contains(&message.id) && message.number >= self.next_number;
            let Ok(text) = prepare(&message.text) else { continue };
            if !is_new {
                continue;
            }
            let author_name = DisplayName::cut(&message.author_name).into();
            let message = ChatMessage { text, author_name, ..message };
            self.next_number = message.number.saturating_add(1);
            if message.author.is_none() && !missing.is_empty() {
                self.unacknowledged.insert(message.id.clone(), missing.into_iter().collect());
            }
            self.append(message);
        }
    }

    /// A message of the log.
    #[must_use]
    pub fn message(&self, id: &MessageId) -> Option<&ChatMessage> {
        self.log.iter().rev().find(|message| message.id == *id)
    }

    /// The next thing to send.
    pub fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// The next message that is new or has another state.
    pub fn poll_changed(&mut self) -> Option<MessageId> {
        self.changed.pop_front()
    }

    fn take_number(&mut self) -> u32 {
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        number
    }

    fn append(&mut self, message: ChatMessage) {
        self.remember(message.id.clone());
        self.changed.push_back(message.id.clone());
        self.log.push_back(message);
        if self.log.len() > MAX_LOG
            && let Some(oldest) = self.log.pop_front()
        {
            self.unacknowledged.remove(&oldest.id);
        }
    }

    fn remember(&mut self, id: MessageId) {
        if self.seen.insert(id.clone()) {
            self.seen_order.push_back(id);
        }
        if self.seen_order.len() > MAX_SEEN
            && let Some(oldest) = self.seen_order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }

    fn set_state(&mut self, id: &MessageId, state: DeliveryState) {
        if let Some(message) = self.log.iter_mut().rev().find(|message| message.id == *id)
            && message.state != state
        {
            message.state = state;
            self.changed.push_back(id.clone());
        }
    }
}

fn wire(message: &ChatMessage) -> ControlMessage {
    ControlMessage::Chat {
        id: message.id.clone(),
        text: message.text.clone(),
        sent_at_ms: message.sent_at_ms,
    }
}
