//! The budgets of one member, and what happens when the member exceeds them.

use super::{Bucket, MUTE, MessageKind, PATIENCE};
use crate::Timestamp;

/// The standing of a member with this page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Standing {
    /// The messages of the member take effect.
    #[default]
    Heard,
    /// The member sends more than its budgets allow; the excess is dropped.
    Muted,
    /// The member continued after it was muted: it has no connection, and nothing that it sends takes effect.
    CutOff,
}

impl Standing {
    /// The word as tests read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Muted => "muted",
            Self::CutOff => "cut-off",
        }
    }
}

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The message takes effect.
    Taken,
    /// The message is dropped.
    Dropped,
    /// The message is dropped, and it is the first one in a while: the page tells the person.
    Muted,
    /// The message is dropped, and the member is to be cut off now.
    CutOff,
}

#[derive(Debug, Default)]
pub(super) struct Account {
    buckets: [Bucket; MessageKind::ALL.len()],
    patience: Bucket,
    dropped: u64,
    last_drop: Option<Timestamp>,
    standing: Standing,
}

impl Account {
    pub(super) fn admit(&mut self, kind: MessageKind, amount: u64, now: Timestamp) -> Verdict {
        if self.standing == Standing::CutOff {
            self.dropped += 1;
            return Verdict::Dropped;
        }
        if self.buckets[kind as usize].take(kind.limit(), amount, now) {
            return Verdict::Taken;
        }
        self.dropped += 1;
        self.charge(kind.weight(), now)
    }

    /// Records that `count` messages were dropped.
    pub(super) fn drop_messages(&mut self, count: u64, now: Timestamp) -> Verdict {
        self.dropped = self.dropped.saturating_add(count);
        if self.standing == Standing::CutOff { Verdict::Dropped } else { self.charge(count, now) }
    }

    fn charge(&mut self, weight: u64, now: Timestamp) -> Verdict {
        self.last_drop = Some(now);
        if !self.patience.take(PATIENCE, weight, now) {
            self.standing = Standing::CutOff;
            return Verdict::CutOff;
        }
        match std::mem::replace(&mut self.standing, Standing::Muted) {
            Standing::Heard => Verdict::Muted,
            _ => Verdict::Dropped,
        }
    }

    pub(super) fn cut_off(&mut self) {
        self.standing = Standing::CutOff;
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The time at which a muted member is unmuted, if nothing more is dropped.
    pub(super) fn unmute_at(&self) -> Option<Timestamp> {
        self.last_drop.filter(|_| self.standing == Standing::Muted).map(|at| at + MUTE)
    }

    pub(super) fn unmute(&mut self) {
        self.standing = Standing::Heard;
    }
}
