//! The budgets of all members, including members that left: a member that returns with the same id continues with the budget it
//! had left.

use std::collections::BTreeMap;

use sightline_protocol::{InstanceId, MemberId};

use super::{FIRST_EXILE, LONGEST_EXILE, MAX_ACCOUNTS, MessageKind, Standing, Verdict, account::Account};
use crate::Timestamp;

/// A change that follows from the passage of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A member is no longer muted.
    Unmuted,
    /// A member that was cut off may connect again, if its page is a new instance.
    Returned,
}

/// The budgets of all members.
#[derive(Debug, Default)]
pub struct Accounts {
    members: BTreeMap<MemberId, Entry>,
}

#[derive(Debug)]
struct Entry {
    account: Account,
    used_at: Timestamp,
    cut_offs: u32,
    exile: Option<Exile>,
}

/// A member that was cut off.
#[derive(Debug)]
struct Exile {
    until: Timestamp,
    /// The page instance for which the member was cut off.
    instance: InstanceId,
    has_new_page: bool,
}

impl Accounts {
    /// Whether a message of a member takes effect. `amount` is 1 for a message, or a number of bytes.
    pub fn admit(&mut self, member: &MemberId, kind: MessageKind, amount: u64, now: Timestamp) -> Verdict {
        self.of(member, now).account.admit(kind, amount, now)
    }

    /// Records messages of a member that were lost before they could be counted, because its queue was full.
    pub fn handle_lost(&mut self, member: &MemberId, count: u64, now: Timestamp) -> Verdict {
        self.of(member, now).account.drop_messages(count, now)
    }

    /// Cuts off a member for what its page instance `instance` did.
    pub fn cut_off(&mut self, member: &MemberId, instance: &InstanceId, now: Timestamp) {
        let entry = self.of(member, now);
        entry.account.cut_off();
        let exile = FIRST_EXILE.saturating_mul(1 << entry.cut_offs.min(16)).min(LONGEST_EXILE);
        entry.cut_offs = entry.cut_offs.saturating_add(1);
        entry.exile = Some(Exile { until: now + exile, instance: instance.clone(), has_new_page: false });
    }

    /// Takes the page instance that a member has now. If another instance was cut off, this one may connect once the exile is
    /// over.
    pub fn handle_instance(&mut self, member: &MemberId, instance: &InstanceId) {
        if let Some(exile) = self.members.get_mut(member).and_then(|entry| entry.exile.as_mut()) {
            exile.has_new_page = exile.instance != *instance;
        }
    }

    /// The standing of a member.
    #[must_use]
    pub fn standing(&self, member: &MemberId) -> Standing {
        self.members.get(member).map(|entry| entry.account.standing()).unwrap_or_default()
    }

    /// Number of messages of a member that were dropped since the page met the member.
    #[must_use]
    pub fn dropped(&self, member: &MemberId) -> u64 {
        self.members.get(member).map_or(0, |entry| entry.account.dropped())
    }

    /// Number of members with an account.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no member has an account.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The time at which [`Self::poll_change`] returns the next change.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.members.values().filter_map(Entry::due).min()
    }

    /// The next change that is due at `now`.
    pub fn poll_change(&mut self, now: Timestamp) -> Option<(MemberId, Change)> {
        let (member, entry) =
            self.members.iter_mut().find(|(_, entry)| entry.due().is_some_and(|due| due <= now))?;
        let change = if entry.exile.take().is_some() {
            entry.account = Account::default();
            Change::Returned
        } else {
            entry.account.unmute();
            Change::Unmuted
        };
        Some((member.clone(), change))
    }

    fn of(&mut self, member: &MemberId, now: Timestamp) -> &mut Entry {
        if !self.members.contains_key(member) {
            self.make_room();
        }
        let entry = self.members.entry(member.clone()).or_insert_with(|| Entry {
            account: Account::default(),
            used_at: now,
            cut_offs: 0,
            exile: None,
        });
        entry.used_at = now;
        entry
    }

    /// Forgets the member that was silent longest; a member that was cut off only if all were.
    fn make_room(&mut self) {
        if self.members.len() < MAX_ACCOUNTS {
            return;
        }
        let oldest = self.members.iter().min_by_key(|(_, entry)| (entry.exile.is_some(), entry.used_at));
        if let Some(id) = oldest.map(|(id, _)| id.clone()) {
            self.members.remove(&id);
        }
    }
}

impl Entry {
    fn due(&self) -> Option<Timestamp> {
        match &self.exile {
            Some(exile) => exile.has_new_page.then_some(exile.until),
            None => self.account.unmute_at(),
        }
    }
}
