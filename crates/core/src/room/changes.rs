//! Paces the changes that a page shows, so that one member cannot keep it busy with showing.
//!
//! A change costs the page far more to show (elements, layout, a stored record) than the core to process. A few changes pass at
//! once. When more follow, those of members wait for up to a quarter of a second and pass together, each member once. Messages
//! pass a few at a time, so that the browser paints between them.
//!
//! Invariants: messages leave in the order in which they came, a repeated change at the place of its first mention. Nothing is
//! lost, and a bounded number waits. An event of another kind never waits, and what waits about members passes before it, unless it is held
//! for the connection to one of them.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use sightline_protocol::MemberId;

use super::RoomEvent;
use crate::{
    Timestamp,
    budget::{Bucket, Limit},
    chat::MessageNumber,
};

/// Changes that pass at once: more than a person causes by typing, or a room by joining.
const AT_ONCE: Limit = Limit { burst: 40, per_second: 10.0 };

/// How long further changes of members wait.
const MEMBER_INTERVAL: Duration = Duration::from_millis(250);

/// The pause between two groups of messages. With [`MESSAGES_AT_A_TIME`] it lets the burst of one member's budget (500) pass within a
/// second, so that a message of another member behind it does not wait longer.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(100);

/// Messages that pass together: about as many as a page lays out between two frames of a video.
const MESSAGES_AT_A_TIME: usize = 50;

/// Most changes of messages that wait.
const MAX_WAITING: usize = 1_000;

/// Events on their way to the page.
#[derive(Debug, Default)]
pub struct Changes {
    ready: VecDeque<RoomEvent>,
    passed: Bucket,
    members: Vec<RoomEvent>,
    waiting_members: HashSet<MemberId>,
    members_due: Option<Timestamp>,
    /// Until when changes of members wait.
    held_until: Option<Timestamp>,
    messages: VecDeque<RoomEvent>,
    waiting_messages: HashSet<MessageNumber>,
    messages_due: Option<Timestamp>,
}

impl Changes {
    /// Lets changes of members wait until [`Self::release_members`], but not beyond `until`: the page is busy with the connection to one of
    /// them, and to show a member takes longer than to answer it. Has no effect while they wait already.
    pub fn hold_members(&mut self, until: Timestamp, now: Timestamp) {
        if !self.is_held(now) {
            self.held_until = Some(until);
            self.members_due = self.members_due.map(|due| due.max(until));
        }
    }

    /// Takes an event of the session.
    pub fn handle(&mut self, event: RoomEvent, now: Timestamp) {
        match &event {
            RoomEvent::PeerChanged(member) => {
                let held_until = self.held_until.filter(|_| self.is_held(now));
                if held_until.is_none() && self.members.is_empty() && self.passed.take(AT_ONCE, 1, now) {
                    self.ready.push_back(event);
                } else if self.waiting_members.insert(member.clone()) {
                    self.members_due.get_or_insert(held_until.unwrap_or(now + MEMBER_INTERVAL));
                    self.members.push(event);
                }
            }
            RoomEvent::ChatChanged(_) | RoomEvent::ChatForgotten(_) => {
                if self.messages.is_empty() && self.passed.take(AT_ONCE, 1, now) {
                    self.ready.push_back(event);
                } else {
                    self.defer_message(event, now);
                }
            }
            // What is about a member passes behind what waits about it.
            RoomEvent::PeerGone(_) => {
                self.release_members();
                self.ready.push_back(event);
            }
            _ if self.is_held(now) => self.ready.push_back(event),
            _ => {
                self.release_members();
                self.ready.push_back(event);
            }
        }
    }

    /// Lets waiting changes pass when their time has come.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.members_due.is_some_and(|due| due <= now) {
            self.release_members();
        }
        if self.messages_due.is_some_and(|due| due <= now) {
            self.pass_messages(MESSAGES_AT_A_TIME);
            self.messages_due = (!self.messages.is_empty()).then_some(now + MESSAGE_INTERVAL);
        }
    }

    /// Lets the waiting changes of members pass now: what follows is about one of them.
    pub fn release_members(&mut self) {
        self.members_due = None;
        self.held_until = None;
        self.waiting_members.clear();
        self.ready.extend(self.members.drain(..));
    }

    /// Lets all waiting changes pass now: the page is about to go away.
    pub fn release(&mut self) {
        self.release_members();
        self.messages_due = None;
        self.pass_messages(usize::MAX);
    }

    /// The next event that the page shows.
    pub fn poll_output(&mut self) -> Option<RoomEvent> {
        self.ready.pop_front()
    }

    /// When waiting changes pass.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.members_due.into_iter().chain(self.messages_due).min()
    }

    fn is_held(&self, now: Timestamp) -> bool {
        self.held_until.is_some_and(|until| until > now)
    }

    fn defer_message(&mut self, event: RoomEvent, now: Timestamp) {
        let is_waiting = match &event {
            RoomEvent::ChatChanged(number) => !self.waiting_messages.insert(*number),
            _ => false,
        };
        if is_waiting {
            return;
        }
        self.messages_due.get_or_insert(now + MESSAGE_INTERVAL);
        self.messages.push_back(event);
        if self.messages.len() > MAX_WAITING {
            self.pass_messages(1);
        }
    }

    fn pass_messages(&mut self, most: usize) {
        for event in self.messages.drain(..most.min(self.messages.len())) {
            if let RoomEvent::ChatChanged(number) = &event {
                self.waiting_messages.remove(number);
            }
            self.ready.push_back(event);
        }
    }
}
