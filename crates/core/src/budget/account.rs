//! The budgets of one member, and how far it went beyond them.

use super::{Bucket, MUTE, MessageKind, PATIENCE};
use crate::Timestamp;

/// How a member stands to this page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Everything it says counts.
    #[default]
    Heard,
    /// It sends more than its budgets; what is beyond them is dropped.
    Muted,
    /// It went on: there is no connection to it, and nothing of it counts.
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

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Taken,
    /// It is dropped.
    Dropped,
    /// It is dropped, the first in a while: the person is to hear of it.
    Muted,
    /// It is dropped, and the member is to be cut off now.
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

    /// So many messages were dropped.
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

    /// When a muted member counts as heard again, if nothing more is dropped.
    pub(super) fn unmute_at(&self) -> Option<Timestamp> {
        self.last_drop.filter(|_| self.standing == Standing::Muted).map(|at| at + MUTE)
    }

    pub(super) fn unmute(&mut self) {
        self.standing = Standing::Heard;
    }
}
