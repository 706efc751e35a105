//! The log of a conversation and what each member has still to acknowledge.
//!
//! Invariants: a message is named by its author and its id, so nobody's id hides another's message; it is in the log once,
//! whatever is repeated; it is handed to a member again whenever a channel to it opens, until that member acknowledges it;
//! local messages reach a member in the order they were written. What is kept of it ([`Conversation::kept`]) and restored
//! after a reload takes part in all that as before. The log is bounded in messages and bytes; what goes is the oldest message of
//! whoever has most in it, so that nobody displaces the others' messages.

use std::collections::{BTreeSet, HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use sightline_protocol::{
    DisplayName, MemberId, MessageId,
    control::{ControlMessage, UnixMilliseconds},
    limits::MAX_CHAT_TEXT_BYTES,
};

use super::{DeliveryState, KeptMessage, prepare, seen::SeenIds};

/// Messages in the log.
pub const MAX_LOG: usize = 2_000;
/// Their texts together: 512 of the longest.
pub const MAX_LOG_BYTES: usize = 8 * 1024 * 1024;

/// The place of a message in this page's conversation: grows with each message, and names it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageNumber(pub u32);

/// One message of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Made by the author.
    pub id: MessageId,
    /// Its place in the conversation.
    pub number: MessageNumber,
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
    /// In the order of their numbers.
    log: VecDeque<ChatMessage>,
    log_bytes: usize,
    /// Whether messages left the log.
    is_cut: bool,
    next_number: u32,
    seen: SeenIds,
    /// Who has not acknowledged which of one's own messages.
    unacknowledged: HashMap<MessageId, BTreeSet<MemberId>>,
    outgoing: VecDeque<Outgoing>,
    changed: VecDeque<MessageNumber>,
    forgotten: VecDeque<MessageNumber>,
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
        let Ok(text) = prepare(text) else { return };
        self.outgoing
            .push_back(Outgoing { to: from.clone(), message: ControlMessage::ChatAck { id: id.clone() } });
        if !self.seen.contains(Some(from), &id) {
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
            self.set_own_state(id, DeliveryState::Delivered);
        }
    }

    /// The channel to a member opened, for the first time or again: everything it has not acknowledged goes out, in
    /// order.
    pub fn handle_channel_open(&mut self, member: &MemberId) {
        let repeated: Vec<_> = self
            .log
            .iter()
            .filter(|message| message.author.is_none())
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
            self.set_own_state(&id, DeliveryState::Undeliverable);
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
    pub fn kept(&self, number: MessageNumber) -> Option<KeptMessage> {
        let message = self.message(number)?.clone();
        let unacknowledged = self.unacknowledged.get(&message.id).filter(|_| message.author.is_none());
        let missing = unacknowledged.into_iter().flatten().cloned().collect();
        Some(KeptMessage { message, missing })
    }

    /// Takes up the conversation of an earlier life of the page; before anything else happens to it. What does not
    /// belong there is left out.
    pub fn restore(&mut self, kept: impl IntoIterator<Item = KeptMessage>) {
        for KeptMessage { message, missing } in kept {
            let is_new = !self.seen.contains(message.author.as_ref(), &message.id)
                && message.number.0 >= self.next_number;
            let Ok(text) = prepare(&message.text) else { continue };
            if !is_new {
                continue;
            }
            let author_name = DisplayName::cut(&message.author_name).into();
            let sent_at_ms = UnixMilliseconds::saturating(message.sent_at_ms).get();
            let message = ChatMessage { text, author_name, sent_at_ms, ..message };
            self.next_number = message.number.0.saturating_add(1);
            if message.author.is_none() && !missing.is_empty() {
                self.unacknowledged.insert(message.id.clone(), missing.into_iter().collect());
            }
            self.append(message);
        }
    }

    /// A message of the log.
    #[must_use]
    pub fn message(&self, number: MessageNumber) -> Option<&ChatMessage> {
        let at = self.log.binary_search_by_key(&number, |message| message.number).ok()?;
        self.log.get(at)
    }

    /// The message that an author gave this id; `None` is this page.
    #[must_use]
    pub fn find(&self, author: Option<&MemberId>, id: &MessageId) -> Option<&ChatMessage> {
        self.log.iter().rev().find(|message| message.id == *id && message.author.as_ref() == author)
    }

    /// How many messages are in the log.
    #[must_use]
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// Whether older messages were left out.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next thing to send.
    pub fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// The next message that is new or has another state.
    pub fn poll_changed(&mut self) -> Option<MessageNumber> {
        self.changed.pop_front()
    }

    /// The next message that left the log.
    pub fn poll_forgotten(&mut self) -> Option<MessageNumber> {
        self.forgotten.pop_front()
    }

    fn take_number(&mut self) -> MessageNumber {
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        MessageNumber(number)
    }

    fn append(&mut self, message: ChatMessage) {
        self.seen.insert(message.author.as_ref(), message.id.clone());
        self.changed.push_back(message.number);
        self.log_bytes += message.text.len();
        self.log.push_back(message);
        while self.log.len() > MAX_LOG || self.log_bytes > MAX_LOG_BYTES {
            self.forget_one();
        }
    }

    /// The oldest of whoever has most in the log.
    fn forget_one(&mut self) {
        let is_over_in_bytes = self.log_bytes > MAX_LOG_BYTES;
        let mut shares: HashMap<Option<&MemberId>, (usize, usize)> = HashMap::new();
        for (at, message) in self.log.iter().enumerate() {
            let cost = if is_over_in_bytes { message.text.len() } else { 1 };
            shares.entry(message.author.as_ref()).or_insert((0, at)).0 += cost;
        }
        let Some((_, at)) = shares.into_values().max_by_key(|&(cost, at)| (cost, usize::MAX - at)) else {
            return;
        };
        let Some(message) = self.log.remove(at) else { return };
        self.log_bytes -= message.text.len();
        self.is_cut = true;
        if message.author.is_none() {
            self.unacknowledged.remove(&message.id);
        }
        self.forgotten.push_back(message.number);
    }

    fn set_own_state(&mut self, id: &MessageId, state: DeliveryState) {
        let own = |message: &&mut ChatMessage| message.id == *id && message.author.is_none();
        if let Some(message) = self.log.iter_mut().rev().find(own)
            && message.state != state
        {
            message.state = state;
            self.changed.push_back(message.number);
        }
    }
}

fn wire(message: &ChatMessage) -> ControlMessage {
    ControlMessage::Chat {
        id: message.id.clone(),
        text: message.text.clone(),
        sent_at_ms: UnixMilliseconds::saturating(message.sent_at_ms),
    }
}
