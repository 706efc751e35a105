//! The reactions that a page shows.
//!
//! Owns which member shows which reaction until when, and how often this page may react. It sends nothing.
//!
//! Invariants: a member shows at most one reaction, the latest, for at most [`SHOWN_FOR`] after it came. What this page sends stays
//! within the budget that the other pages have for it.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{MemberId, Reaction};

use crate::{
    Timestamp,
    budget::{Bucket, Limit},
};

/// How long a reaction is shown.
pub const SHOWN_FOR: Duration = Duration::from_secs(5);

/// How often this page may react.
const OWN: Limit = Limit { burst: 6, per_second: 1.0 };

/// A reaction on a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownReaction {
    /// What is shown.
    pub reaction: Reaction,
    /// Differs from that of the reaction before, so that the same reaction twice is seen twice.
    pub number: u32,
}

/// The reactions of all members. A member is `None` for this page.
#[derive(Debug, Default)]
pub struct Reactions {
    shown: Vec<Shown>,
    sent: Bucket,
    next_number: u32,
    changed: VecDeque<Option<MemberId>>,
}

#[derive(Debug)]
struct Shown {
    member: Option<MemberId>,
    reaction: ShownReaction,
    until: Timestamp,
}

impl Reactions {
    /// Shows a reaction of this page. Returns false if the person reacts too often; then the caller must not send the reaction.
    pub fn react(&mut self, reaction: Reaction, now: Timestamp) -> bool {
        let may = self.sent.take(OWN, 1, now);
        if may {
            self.show(None, reaction, now);
        }
        may
    }

    /// Shows a reaction of a member that is in the room.
    pub fn handle(&mut self, member: &MemberId, reaction: Reaction, now: Timestamp) {
        if reaction != Reaction::Unknown {
            self.show(Some(member.clone()), reaction, now);
        }
    }

    /// Forgets a member that left.
    pub fn handle_gone(&mut self, member: &MemberId) {
        self.shown.retain(|shown| shown.member.as_ref() != Some(member));
    }

    /// Removes the reactions whose time is over.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let over = self.shown.iter().filter(|shown| shown.until <= now);
        self.changed.extend(over.map(|shown| shown.member.clone()));
        self.shown.retain(|shown| shown.until > now);
    }

    /// When the next reaction is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.shown.iter().map(|shown| shown.until).min()
    }

    /// The next member whose reaction is new or over, and what it shows now.
    pub fn poll_changed(&mut self) -> Option<(Option<MemberId>, Option<ShownReaction>)> {
        let member = self.changed.pop_front()?;
        let shown = self.shown.iter().find(|shown| shown.member == member).map(|shown| shown.reaction);
        Some((member, shown))
    }

    fn show(&mut self, member: Option<MemberId>, reaction: Reaction, now: Timestamp) {
        self.shown.retain(|shown| shown.member != member);
        self.changed.push_back(member.clone());
        let reaction = ShownReaction { reaction, number: self.next_number };
        self.next_number = self.next_number.wrapping_add(1);
        self.shown.push(Shown { member, reaction, until: now + SHOWN_FOR });
    }
}
