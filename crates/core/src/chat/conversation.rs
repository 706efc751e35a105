//! The log of a conversation and what each member has still to acknowledge.
//!
//! Invariants: a message is identified by its author and its id, so an id of one author cannot hide a message of another; it is
//! in the log once, whatever is repeated; it is handed to a member again whenever a channel to it opens, until that member
//! acknowledges it; local messages reach a member in the order they were written. The same holds for a conversation that was kept
//! ([`Conversation::kept`]) and restored after a reload. The log is bounded in messages and bytes; when it is full, the oldest
//! message of the author with the largest share is dropped, so that nobody displaces the messages of others.

use std::collections::{BTreeSet, HashMap, VecDeque};

use sightline_protocol::{
    DisplayName, MemberId, MessageId,
    control::{ControlMessage, UnixMilliseconds},
    limits::MAX_CHAT_TEXT_BYTES,
};

use super::{Addressee, ChatMessage, DeliveryState, KeptMessage, MessageNumber, prepare, seen::SeenIds};

/// Number of messages in the log.
pub const MAX_LOG: usize = 2_000;
/// Bytes of all texts in the log: 512 of the longest.
pub const MAX_LOG_BYTES: usize = 8 * 1024 * 1024;

/// Latest messages of a member that are acknowledged again when its channel opens.
const MAX_ACKNOWLEDGED_AGAIN: usize = 16;

/// A message for the `control` channel of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The member that gets the message.
    pub to: MemberId,
    /// The message to send.
    pub message: ControlMessage,
}

/// Why a text is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextRefused {
    /// No character of the text would be visible.
    #[error("the text is empty")]
    Empty,
    /// The text is longer than [`MAX_CHAT_TEXT_BYTES`].
    #[error("the text is longer than {MAX_CHAT_TEXT_BYTES} bytes")]
    TooLong,
}

/// The conversation of a room.
#[derive(Debug, Default)]
pub struct Conversation {
    /// Ordered by message number.
    log: VecDeque<ChatMessage>,
    log_bytes: usize,
    /// Whether messages were dropped from the log.
    is_cut: bool,
    next_number: u32,
    seen: SeenIds,
    /// The messages of this page that a member has still to acknowledge.
    unacknowledged: HashMap<MessageId, Waiting>,
    outgoing: VecDeque<Outgoing>,
    changed: VecDeque<MessageNumber>,
    forgotten: VecDeque<MessageNumber>,
}

/// What is known about a message that a member has still to acknowledge.
#[derive(Debug, Default)]
struct Waiting {
    members: BTreeSet<MemberId>,
    /// Whether a member has acknowledged the message.
    is_heard: bool,
}

impl Conversation {
    /// Sends a text to all members in `present`. `open` says which of them have an open channel now; the others get the message
    /// when their channel opens.
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
        let message = ChatMessage { state, ..self.own_message(id, text, sent_at_ms) };
        self.send_to(message, waiting, open);
        Ok(())
    }

    /// Sends a text to one member. A member that is not in the room gets the message when it returns.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_private(
        &mut self,
        id: MessageId,
        to: Addressee,
        text: &str,
        sent_at_ms: u64,
    ) -> Result<(), TextRefused> {
        let text = prepare(text)?;
        let Addressee { member, name, is_in_room, is_open } = to;
        let state = if is_in_room { DeliveryState::Sending } else { DeliveryState::Undeliverable };
        let own = self.own_message(id, text, sent_at_ms);
        let message = ChatMessage { state, is_private: true, addressee_name: name, ..own };
        self.send_to(message, BTreeSet::from([member]), |_| is_open);
        Ok(())
    }

    /// Takes a chat message of the member `from`, whose name is `name`. A repeated message is acknowledged again, since the
    /// acknowledgement may have been lost.
    pub fn handle_chat(&mut self, from: &MemberId, name: &str, id: MessageId, text: &str, sent_at_ms: u64) {
        self.receive(from, name, id, text, sent_at_ms, false);
    }

    /// Like [`Self::handle_chat`], for a message to this page alone.
    pub fn handle_private_chat(
        &mut self,
        from: &MemberId,
        name: &str,
        id: MessageId,
        text: &str,
        sent_at_ms: u64,
    ) {
        self.receive(from, name, id, text, sent_at_ms, true);
    }

    fn receive(
        &mut self,
        from: &MemberId,
        name: &str,
        id: MessageId,
        text: &str,
        sent_at_ms: u64,
        is_private: bool,
    ) {
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
                is_private,
                addressee_name: String::new(),
                text,
                sent_at_ms,
                state: DeliveryState::Received,
            });
        }
    }

    /// Takes a member's acknowledgement of a message of this page.
    pub fn handle_ack(&mut self, from: &MemberId, id: &MessageId) {
        let Some(waiting) = self.unacknowledged.get_mut(id) else { return };
        if !waiting.members.remove(from) {
            return;
        }
        waiting.is_heard = true;
        if waiting.members.is_empty() {
            self.unacknowledged.remove(id);
            self.set_own_state(id, DeliveryState::Delivered);
        }
    }

    /// Notes that the channel to a member opened, for the first time or again: all messages that the member has not acknowledged
    /// are sent, in order, and its latest messages are acknowledged again.
    pub fn handle_channel_open(&mut self, member: &MemberId) {
        let repeated: Vec<_> = self
            .log
            .iter()
            .filter(|message| message.author.is_none())
            .filter(|message| {
                self.unacknowledged.get(&message.id).is_some_and(|waiting| waiting.members.contains(member))
            })
            .map(|message| Outgoing { to: member.clone(), message: message.to_wire() })
            .collect();
        self.outgoing.extend(repeated);
        // The acknowledgments were perhaps sent on a link that was replaced. The member repeats its messages, but this page may leave
        // before.
        let heard = self.log.iter().rev().filter(|message| message.author.as_ref() == Some(member));
        self.outgoing.extend(heard.take(MAX_ACKNOWLEDGED_AGAIN).map(|message| Outgoing {
            to: member.clone(),
            message: ControlMessage::ChatAck { id: message.id.clone() },
        }));
    }

    /// Notes that a member left: messages that it has not acknowledged are undeliverable, until it returns.
    pub fn handle_member_gone(&mut self, member: &MemberId) {
        let lost: Vec<_> = self
            .unacknowledged
            .iter()
            .filter(|(_, waiting)| waiting.members.contains(member))
            .map(|(id, _)| id.clone())
            .collect();
        for id in lost {
            self.set_own_state(&id, DeliveryState::Undeliverable);
        }
    }

    /// Notes that a member was shut out, by this page or by a host: no message waits for it any more. Only a message that nobody else
    /// was to get remains undeliverable, until the member returns.
    pub fn handle_member_shut_out(&mut self, member: &MemberId) {
        let mut delivered = Vec::new();
        for (id, waiting) in &mut self.unacknowledged {
            if waiting.is_heard || waiting.members.len() > 1 {
                waiting.members.remove(member);
            }
            if waiting.members.is_empty() {
                delivered.push(id.clone());
            }
        }
        for id in delivered {
            self.unacknowledged.remove(&id);
            self.set_own_state(&id, DeliveryState::Delivered);
        }
        self.handle_member_gone(member);
    }

    /// Takes a new list of the members in the room: every other member with unacknowledged messages has left.
    pub fn handle_present(&mut self, is_present: impl Fn(&MemberId) -> bool) {
        let absent = self.unacknowledged.values().flat_map(|waiting| &waiting.members);
        let absent: BTreeSet<_> = absent.filter(|member| !is_present(member)).cloned().collect();
        for member in absent {
            self.handle_member_gone(&member);
        }
    }

    /// The record of a message that outlives the page.
    #[must_use]
    pub fn kept(&self, number: MessageNumber) -> Option<KeptMessage> {
        let message = self.message(number)?.clone();
        let unacknowledged = self.unacknowledged.get(&message.id).filter(|_| message.author.is_none());
        let is_heard = unacknowledged.is_some_and(|waiting| waiting.is_heard);
        let missing = unacknowledged.into_iter().flat_map(|waiting| &waiting.members).cloned().collect();
        Some(KeptMessage { message, missing, is_heard })
    }

    /// Restores the conversation of an earlier page instance. Must be called before anything else. Records that do not fit are
    /// skipped.
    pub fn restore(&mut self, kept: impl IntoIterator<Item = KeptMessage>) {
        for KeptMessage { message, missing, is_heard } in kept {
            let is_new = !self.seen.contains(message.author.as_ref(), &message.id)
                && message.number.0 >= self.next_number;
            let Ok(text) = prepare(&message.text) else { continue };
            if !is_new {
                continue;
            }
            let author_name = DisplayName::cut(&message.author_name).into();
            let addressee_name = DisplayName::cut(&message.addressee_name).into();
            let sent_at_ms = UnixMilliseconds::saturating(message.sent_at_ms).get();
            let message = ChatMessage { text, author_name, addressee_name, sent_at_ms, ..message };
            self.next_number = message.number.0.saturating_add(1);
            if message.author.is_none() && !missing.is_empty() {
                let waiting = Waiting { members: missing.into_iter().collect(), is_heard };
                self.unacknowledged.insert(message.id.clone(), waiting);
            }
            self.append(message);
        }
    }

    /// The message with this number, if it is in the log.
    #[must_use]
    pub fn message(&self, number: MessageNumber) -> Option<&ChatMessage> {
        let at = self.log.binary_search_by_key(&number, |message| message.number).ok()?;
        self.log.get(at)
    }

    /// The number of the message to which `author` gave this id; `None` as author is this page.
    #[must_use]
    pub fn find(&self, author: Option<&MemberId>, id: &MessageId) -> Option<&ChatMessage> {
        self.log.iter().rev().find(|message| message.id == *id && message.author.as_ref() == author)
    }

    /// Number of messages in the log.
    #[must_use]
    pub fn len(&self) -> usize {
        self.log.len()
    }

    /// Whether the log is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.log.is_empty()
    }

    /// Whether older messages were dropped from the log.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The next message to send.
    pub fn poll_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// The number of the next message that is new or whose state changed.
    pub fn poll_changed(&mut self) -> Option<MessageNumber> {
        self.changed.pop_front()
    }

    /// The number of the next message that was dropped from the log.
    pub fn poll_forgotten(&mut self) -> Option<MessageNumber> {
        self.forgotten.pop_front()
    }

    /// A message of this page to everyone.
    fn own_message(&mut self, id: MessageId, text: String, sent_at_ms: u64) -> ChatMessage {
        ChatMessage {
            id,
            number: self.take_number(),
            author: None,
            author_name: String::new(),
            is_private: false,
            addressee_name: String::new(),
            text,
            sent_at_ms,
            state: DeliveryState::Sending,
        }
    }

    fn send_to(
        &mut self,
        message: ChatMessage,
        waiting: BTreeSet<MemberId>,
        open: impl Fn(&MemberId) -> bool,
    ) {
        for to in waiting.iter().filter(|member| open(member)) {
            self.outgoing.push_back(Outgoing { to: to.clone(), message: message.to_wire() });
        }
        if !waiting.is_empty() {
            self.unacknowledged.insert(message.id.clone(), Waiting { members: waiting, is_heard: false });
        }
        self.append(message);
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

    /// Drops the oldest message of the author with the largest share of the log.
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
