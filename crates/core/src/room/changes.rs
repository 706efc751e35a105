//! Paces the changes that a page shows, so that one member cannot keep it busy with showing.
//!
//! A change costs the page far more to show (elements, layout, a stored record) than the core to process. A few changes pass at
//! once. When more follow, they wait for up to a quarter of a second and pass together, each member or message once.
//!
//! Invariants: events leave in the order in which they came, a repeated change at the place of its first mention. Nothing is
//! lost. An event of another kind never waits, and what waits passes before it.

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

/// How long further changes wait.
const INTERVAL: Duration = Duration::from_millis(250);

/// Most changes that wait.
const MAX_WAITING: usize = 1_000;

/// Events on their way to the page.
#[derive(Debug, Default)]
pub struct Changes {
    ready: VecDeque<RoomEvent>,
    waiting: Vec<RoomEvent>,
    waiting_members: HashSet<MemberId>,
    waiting_messages: HashSet<MessageNumber>,
    passed: Bucket,
    due: Option<Timestamp>,
}

impl Changes {
    /// Takes an event of the session.
    pub fn handle(&mut self, event: RoomEvent, now: Timestamp) {
        let can_wait = matches!(
            event,
            RoomEvent::PeerChanged(_) | RoomEvent::ChatChanged(_) | RoomEvent::ChatForgotten(_)
        );
        if !can_wait {
            self.release();
            self.ready.push_back(event);
        } else if self.waiting.is_empty() && self.passed.take(AT_ONCE, 1, now) {
            self.ready.push_back(event);
        } else if self.is_first_mention(&event) {
            self.due.get_or_insert(now + INTERVAL);
            self.waiting.push(event);
            if self.waiting.len() == MAX_WAITING {
                self.release();
            }
        }
    }

    /// Lets the waiting changes pass when their time has come.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.due.is_some_and(|due| due <= now) {
            self.release();
        }
    }

    /// Lets the waiting changes pass now: the page is about to go away.
    pub fn release(&mut self) {
        self.due = None;
        self.waiting_members.clear();
        self.waiting_messages.clear();
        self.ready.extend(self.waiting.drain(..));
    }

    /// The next event that the page shows.
    pub fn poll_output(&mut self) -> Option<RoomEvent> {
        self.ready.pop_front()
    }

    /// When the waiting changes pass.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.due
    }

    fn is_first_mention(&mut self, event: &RoomEvent) -> bool {
        match event {
            RoomEvent::PeerChanged(member) => self.waiting_members.insert(member.clone()),
            RoomEvent::ChatChanged(number) => self.waiting_messages.insert(*number),
            _ => true,
        }
    }
}
