//! Replaces the secret of a protected room when a member is removed.
//!
//! Owns the present secret and the names of those that it replaced. [`RemovedPages`] has the pages from which it is kept, [`ServerTag`]
//! what the server knows of it. The machine never sends: the session passes the secret to the members over their data channels, which the
//! server cannot read, and tells the server the new tag.
//!
//! Contract: the session calls [`Rekeying::handle_server`] with every state that the server gives, the other `handle_*` when something
//! happens, and then [`Rekeying::poll_output`] until it returns `None`; [`Rekeying::handle_timeout`] when the time of
//! [`Rekeying::poll_timeout`] has come.
//!
//! Invariants: a secret is taken from hosts only. A secret that was replaced is never used again. A host passes no secret on that a
//! page got which was removed since: it makes another one.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    AdmissionDigest, InstanceId, KeyId, MemberId, Rekey, RoomName, limits::MAX_REPLACED_KEYS,
};

use super::{
    RoomKeys, RoomSecret, removed_pages::RemovedPages, secret_source::SecretSource, server_tag::ServerTag,
};
use crate::{
    Timestamp,
    budget::{Bucket, REKEYS},
};

/// How long a host waits for the secret of the host that removed a member, before it makes one itself.
const PATIENCE_OF_HOST: Duration = Duration::from_secs(5);
/// How much longer each further host waits, in the order in which the server names them.
const STEP_OF_HOSTS: Duration = Duration::from_secs(1);
/// How long a member stays in a room whose secret it does not get.
const PATIENCE_OF_MEMBER: Duration = Duration::from_secs(20);
/// Secrets of members that may turn out to be hosts, because the server says so later.
const MAX_HELD: usize = 16;
/// What the session is to do.
#[derive(Debug, Clone)]
pub enum RekeyOutput {
    /// Seal and open with these keys from now on, and show this link.
    Use(RoomSecret, RoomKeys),
    /// Pass [`Rekeying::message`] to every member.
    PassOn,
    /// Pass it to this member.
    PassTo(MemberId),
    /// Tell the server the tag of the present secret, and the name of this member under it.
    TellServer,
    /// A host removed this page: close every connection to it.
    Removed(InstanceId),
    /// The room has a secret that no host passes to this page: leave it.
    LinkLost,
}

/// How a secret of another page relates to the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// It is the present one.
    Same,
    /// The present one replaced it.
    Earlier,
    /// It replaces the present one.
    Later,
    /// Two hosts made one at the same time.
    Rival,
}

/// The secret of the room, as one page knows it.
#[derive(Debug)]
pub struct Rekeying {
    room: RoomName,
    /// `None` if this page replaces no secrets, as in an earlier version.
    source: Option<SecretSource>,
    secret: RoomSecret,
    /// Always there: as [`RoomKeys::admission`].
    key: Option<KeyId>,
    /// The latest one last.
    replaced: VecDeque<KeyId>,
    removed: RemovedPages,
    tag: ServerTag,
    /// Since when another host has made another secret at the same time, and is to make the next one.
    contested_since: Option<Timestamp>,
    hosts: Vec<MemberId>,
    is_host: bool,
    /// Number of hosts before this one.
    rank: u32,
    held: VecDeque<(MemberId, Rekey)>,
    taken: Bucket,
    outputs: VecDeque<RekeyOutput>,
}

impl Rekeying {
    /// The state of a page that entered with this secret. It replaces none before [`Self::enable`].
    #[must_use]
    pub fn new(room: RoomName, secret: RoomSecret, instance: InstanceId) -> Self {
        let keys = RoomKeys::derive(secret, &room);
        Self {
            room,
            source: None,
            secret,
            key: keys.id().cloned(),
            replaced: VecDeque::new(),
            removed: RemovedPages::new(instance),
            tag: ServerTag::new(keys.admission_digest()),
            contested_since: None,
            hosts: Vec::new(),
            is_host: false,
            rank: 0,
            held: VecDeque::new(),
            taken: Bucket::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes part. `seed` must come from a cryptographic generator and serve nothing else.
    pub fn enable(&mut self, seed: u128) {
        self.source = Some(SecretSource::new(seed));
    }

    /// Whether a removal by this page replaces the secret: the page and the server know how.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        self.source.is_some() && self.tag.has_rekeys()
    }

    /// Whether the server named a secret that this page does not have: what cannot be opened may be sealed with it. A server that took
    /// such a secret back is not believed again, so that it cannot hide forged signals for long.
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.tag.is_outdated()
    }

    /// What a host passes to a member whose channel opened; `None` if there is nothing to tell.
    #[must_use]
    pub fn message(&self) -> Option<Rekey> {
        let has_news = self.is_host && self.source.is_some() && !self.replaced.is_empty();
        has_news.then_some(Rekey {
            secret: self.secret.to_message()?,
            replaces: self.replaced.iter().cloned().collect(),
            removed: self.removed.excluded().cloned().collect(),
        })
    }

    /// Takes what the server says: the digest of the tag that admits to the room, and who is host; `local` is this member.
    pub fn handle_server(
        &mut self,
        server: Option<AdmissionDigest>,
        hosts: &[MemberId],
        local: Option<&MemberId>,
        now: Timestamp,
    ) {
        if self.source.is_none() {
            return;
        }
        let rank = hosts.iter().position(|host| Some(host) == local);
        let is_host = rank.is_some();
        let became_host = is_host && !self.is_host;
        self.rank = rank.and_then(|rank| u32::try_from(rank).ok()).unwrap_or_default();
        (self.is_host, self.hosts) = (is_host, hosts.to_vec());
        if self.tag.handle_named(server, is_host, now) {
            self.outputs.push_back(RekeyOutput::TellServer);
        }
        if became_host && !self.replaced.is_empty() {
            self.outputs.push_back(RekeyOutput::PassOn);
        }
        let held: Vec<_> = self.held.iter().filter(|(from, _)| self.hosts.contains(from)).cloned().collect();
        self.held.retain(|(from, _)| !self.hosts.contains(from));
        for (from, message) in held {
            self.handle_message(&from, message, now);
        }
    }

    /// The person removed a member: makes a secret that its page does not know.
    pub fn remove(&mut self, instance: InstanceId, now: Timestamp) {
        self.removed.note(instance);
        self.replace(now);
    }

    /// The server says that a host removed this page.
    pub fn handle_removed(&mut self, instance: InstanceId, now: Timestamp) {
        if self.source.is_some() {
            self.removed.note(instance);
            self.removed.review(now);
        }
    }

    /// Notes that a member is gone: a secret that it sent while it was no host is never taken, whatever the server says later.
    pub fn handle_gone(&mut self, member: &MemberId) {
        self.held.retain(|(from, _)| from != member);
    }

    /// Takes a secret from a member.
    pub fn handle_message(&mut self, from: &MemberId, message: Rekey, now: Timestamp) {
        if self.source.is_none() {
            return;
        }
        if !self.hosts.contains(from) {
            self.held.retain(|(sender, _)| sender != from);
            if self.held.len() >= MAX_HELD {
                self.held.pop_front();
            }
            return self.held.push_back((from.clone(), message));
        }
        let Ok(secret) = RoomSecret::parse(message.secret.as_str()) else { return };
        let keys = RoomKeys::derive(secret, &self.room);
        let Some(id) = keys.id() else { return };
        let relation = self.relation(id, &message.replaces);
        let is_change = matches!(relation, Relation::Later | Relation::Rival);
        if is_change && !self.taken.take(REKEYS, 1, now) {
            return;
        }
        match relation {
            Relation::Same => {
                self.note_replaced(message.replaces);
                self.take_removed(&message.removed);
                self.removed.exclude(&message.removed);
            }
            Relation::Later => self.adopt(secret, &keys, message, now),
            // Everybody else follows the host that spoke last, until the hosts agree.
            Relation::Rival if !self.is_host => self.adopt(secret, &keys, message, now),
            Relation::Rival => {
                let id = id.clone();
                self.take_removed(&message.removed);
                let is_below = self.is_below(&id);
                self.note_replaced(message.replaces.into_iter().chain([id]));
                // Neither may be used, since each host may have given its own to the page that the other one removed. One of the two
                // hosts makes another, the other one waits for it.
                if is_below {
                    self.replace(now);
                } else {
                    self.contested_since.get_or_insert(now);
                    self.outputs.push_back(RekeyOutput::PassTo(from.clone()));
                }
            }
            Relation::Earlier => {
                self.take_removed(&message.removed);
                if self.is_host {
                    self.outputs.push_back(RekeyOutput::PassTo(from.clone()));
                }
            }
        }
        self.removed.review(now);
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.due_as_host().is_some_and(|due| due <= now) {
            self.replace(now);
        } else if self.due_as_member().is_some_and(|due| due <= now) {
            self.tag.give_up();
            self.outputs.push_back(RekeyOutput::LinkLost);
        }
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.due_as_host().or_else(|| self.due_as_member())
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<RekeyOutput> {
        self.outputs.pop_front()
    }

    /// One host after the other, so that not all make a secret at the same time.
    fn due_as_host(&self) -> Option<Timestamp> {
        let reasons = [self.removed.exposed_since(), self.contested_since, self.tag.outdated_since()];
        let since = reasons.into_iter().flatten().min();
        let patience = PATIENCE_OF_HOST + STEP_OF_HOSTS * self.rank;
        since.filter(|_| self.is_host && self.is_possible()).map(|since| since + patience)
    }

    fn due_as_member(&self) -> Option<Timestamp> {
        self.tag.outdated_since().filter(|_| !self.is_host).map(|since| since + PATIENCE_OF_MEMBER)
    }

    fn is_below(&self, key: &KeyId) -> bool {
        self.key.as_ref().is_none_or(|present| present.as_str() < key.as_str())
    }

    fn relation(&self, key: &KeyId, replaces: &[KeyId]) -> Relation {
        if self.key.as_ref() == Some(key) {
            Relation::Same
        } else if self.replaced.contains(key) {
            Relation::Earlier
        } else if self.key.as_ref().is_some_and(|present| replaces.contains(present)) {
            Relation::Later
        } else {
            Relation::Rival
        }
    }

    /// Makes the next secret.
    fn replace(&mut self, now: Timestamp) {
        let Some(secret) = self.source.as_mut().map(SecretSource::draw) else { return };
        let keys = RoomKeys::derive(secret, &self.room);
        self.switch(secret, &keys);
        self.removed.handle_own_secret();
        self.removed.review(now);
        self.tag.handle_own_secret(keys.admission_digest());
        self.outputs.push_back(RekeyOutput::PassOn);
        self.outputs.push_back(RekeyOutput::TellServer);
    }

    fn adopt(&mut self, secret: RoomSecret, keys: &RoomKeys, message: Rekey, now: Timestamp) {
        self.switch(secret, keys);
        self.note_replaced(message.replaces);
        self.take_removed(&message.removed);
        self.removed.handle_secret_of_another(&message.removed);
        if self.is_host && self.removed.is_exposed() {
            // The other host did not know whom this one removed, and may have given the secret to that page.
            return self.replace(now);
        }
        if self.is_host {
            self.outputs.push_back(RekeyOutput::PassOn);
        }
        if self.tag.handle_secret_of_another(keys.admission_digest(), self.is_host, now) {
            self.outputs.push_back(RekeyOutput::TellServer);
        }
    }

    fn switch(&mut self, secret: RoomSecret, keys: &RoomKeys) {
        let before = std::mem::replace(&mut self.key, keys.id().cloned());
        self.note_replaced(before);
        (self.secret, self.contested_since) = (secret, None);
        self.outputs.push_back(RekeyOutput::Use(secret, keys.clone()));
    }

    fn note_replaced(&mut self, keys: impl IntoIterator<Item = KeyId>) {
        for key in keys {
            if self.key.as_ref() != Some(&key) && !self.replaced.contains(&key) {
                if self.replaced.len() >= MAX_REPLACED_KEYS {
                    self.replaced.pop_front();
                }
                self.replaced.push_back(key);
            }
        }
    }

    /// Takes the pages that another host removed.
    fn take_removed(&mut self, removed: &[InstanceId]) {
        for instance in removed {
            if self.removed.note(instance.clone()) {
                self.outputs.push_back(RekeyOutput::Removed(instance.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTS: usize = 3;

    fn instance(number: usize) -> InstanceId {
        InstanceId::new(format!("page-{number}")).unwrap()
    }

    fn member(number: usize) -> MemberId {
        MemberId::new(format!("m{number}")).unwrap()
    }

    impl Rekeying {
        fn digest(&self) -> Option<AdmissionDigest> {
            RoomKeys::derive(self.secret, &self.room).admission_digest()
        }
    }

    /// Pages that exchange secrets over reliable channels, whose messages wait until a test delivers them.
    struct Room {
        pages: Vec<Rekeying>,
        waiting: Vec<(usize, usize, Rekey)>,
        /// Every secret that a page was given.
        known: Vec<Vec<KeyId>>,
        is_removed: Vec<bool>,
        /// What the server knows, by the host that spoke last.
        server: Option<AdmissionDigest>,
        now: Timestamp,
    }

    impl Room {
        /// The first pages are hosts.
        fn new(pages: usize) -> Self {
            let name = RoomName::new("team").unwrap();
            let now = Timestamp::ZERO;
            let hosts: Vec<_> = (0..HOSTS).map(member).collect();
            let digest = RoomKeys::derive(RoomSecret::from_random(1), &name).admission_digest();
            let pages = (0..pages).map(|number| {
                let mut page = Rekeying::new(name.clone(), RoomSecret::from_random(1), instance(number));
                page.enable(100 + number as u128);
                page.handle_server(digest.clone(), &hosts, Some(&member(number)), now);
                page
            });
            let pages: Vec<_> = pages.collect();
            let (known, is_removed) = (vec![Vec::new(); pages.len()], vec![false; pages.len()]);
            Self { pages, waiting: Vec::new(), known, is_removed, server: digest, now }
        }

        fn remove(&mut self, host: usize, page: usize) {
            if host != page && !self.is_removed[host] && !self.is_removed[page] {
                self.is_removed[page] = true;
                self.pages[host].remove(instance(page), self.now);
                self.settle(host);
            }
        }

        fn settle(&mut self, page: usize) {
            while let Some(output) = self.pages[page].poll_output() {
                let passes_to: Vec<usize> = match output {
                    RekeyOutput::PassOn => (0..self.pages.len()).collect(),
                    RekeyOutput::PassTo(to) => {
                        (0..self.pages.len()).filter(|page| member(*page) == to).collect()
                    }
                    RekeyOutput::TellServer if self.pages[page].is_host && !self.is_removed[page] => {
                        self.server = self.pages[page].digest();
                        continue;
                    }
                    _ => continue,
                };
                let Some(message) = self.pages[page].message() else { continue };
                let knows = |to: usize| self.pages[page].removed.contains(&instance(to));
                let to: Vec<_> = passes_to.into_iter().filter(|to| *to != page && !knows(*to)).collect();
                self.waiting.extend(to.into_iter().map(|to| (page, to, message.clone())));
            }
        }

        /// Delivers the oldest message between two pages, chosen by a number. Channels keep the order, each its own.
        fn deliver(&mut self, choice: usize) {
            if self.waiting.is_empty() {
                return;
            }
            let (from, to, _) = self.waiting[choice % self.waiting.len()];
            let first = self.waiting.iter().position(|(a, b, _)| (*a, *b) == (from, to)).unwrap_or_default();
            let (from, to, message) = self.waiting.remove(first);
            let secret = RoomSecret::parse(message.secret.as_str()).unwrap();
            self.known[to].extend(RoomKeys::derive(secret, &self.pages[to].room).id().cloned());
            if !self.is_removed[to] {
                self.pages[to].handle_message(&member(from), message, self.now);
                self.settle(to);
            }
        }
    }

    proptest! {
        #[test]
        fn hosts_that_remove_at_the_same_time_agree_on_a_secret_that_no_removed_page_got(
            steps in prop::collection::vec((any::<bool>(), 0..HOSTS, 0..8_usize, 0..1_000_usize), 1..40),
        ) {
            let mut room = Room::new(8);
            for (removes, host, page, choice) in steps {
                if removes {
                    // One host stays.
                    room.remove(host, page.max(1));
                } else {
                    room.deliver(choice);
                }
            }
            // What removed pages sent while they were hosts arrives, too; the server names the hosts that are left, and tells of removals.
            for _ in 0..20 {
                for _ in 0..5_000 {
                    room.deliver(0);
                }
                prop_assert!(room.waiting.is_empty());
                let hosts: Vec<_> = (0..HOSTS).filter(|page| !room.is_removed[*page]).map(member).collect();
                for page in (0..8).filter(|page| !room.is_removed[*page]).collect::<Vec<_>>() {
                    for removed in (0..8).filter(|page| room.is_removed[*page]) {
                        room.pages[page].handle_removed(instance(removed), room.now);
                    }
                    let digest = room.server.clone();
                    room.pages[page].handle_server(digest, &hosts, Some(&member(page)), room.now);
                    room.settle(page);
                }
                room.now = room.now + Duration::from_secs(6);
                for page in (0..8).filter(|page| !room.is_removed[*page]).collect::<Vec<_>>() {
                    room.pages[page].handle_timeout(room.now);
                    room.settle(page);
                }
            }
            let present = room.pages[0].key.clone();
            prop_assert_eq!(&room.server, &room.pages[0].digest());
            for page in (0..8).filter(|page| !room.is_removed[*page]) {
                prop_assert_eq!(&room.pages[page].key, &present, "page {}", page);
            }
            for page in (0..8).filter(|page| room.is_removed[*page]) {
                prop_assert!(!present.as_ref().is_some_and(|key| room.known[page].contains(key)), "page {}", page);
                prop_assert!(room.pages[page].key != present || room.pages[page].replaced.is_empty());
            }
        }
    }

    #[test]
    fn a_message_that_arrives_after_a_later_one_changes_nothing() {
        let mut room = Room::new(5);
        room.remove(0, 4);
        room.remove(0, 3);
        let messages: Vec<_> =
            room.waiting.drain(..).filter(|(_, to, _)| *to == 1).map(|(.., message)| message).collect();
        let [earlier, later] = &messages[..] else { panic!("{messages:?}") };
        let page = &mut room.pages[1];
        page.handle_message(&member(0), later.clone(), Timestamp::ZERO);
        let key = page.key.clone();
        for message in [earlier, later, earlier] {
            page.handle_message(&member(0), message.clone(), Timestamp::ZERO);
            assert_eq!(page.key, key);
            assert!([3, 4].iter().all(|removed| page.removed.contains(&instance(*removed))));
        }
        assert_eq!(room.pages[0].key, key);
    }

    #[test]
    fn the_secret_of_a_member_that_turns_out_to_be_host_is_taken_then() {
        let mut room = Room::new(4);
        room.remove(0, 3);
        let (_, _, message) = room.waiting.iter().find(|(_, to, _)| *to == 2).cloned().unwrap();
        let mut page = Rekeying::new(RoomName::new("team").unwrap(), RoomSecret::from_random(1), instance(2));
        page.enable(5);
        let before = page.key.clone();
        page.handle_message(&member(0), message, Timestamp::ZERO);
        assert_eq!(page.key, before);
        page.handle_server(None, &[member(0)], Some(&member(2)), Timestamp::ZERO);
        assert_eq!(page.key, room.pages[0].key);
    }

    #[test]
    fn a_server_that_names_two_secrets_in_turn_is_believed_once_and_gets_a_secret_in_five_seconds_at_most() {
        let mut room = Room::new(HOSTS + 1);
        let name = RoomName::new("team").unwrap();
        let invented = RoomKeys::derive(RoomSecret::from_random(66), &name).admission_digest();
        let hosts: Vec<_> = (0..HOSTS).map(member).collect();
        let (mut believed_by_member, mut made_by_host) = (0, 0);
        for second in 0..600 {
            let now = Timestamp::ZERO + Duration::from_secs(second);
            for number in [0, HOSTS] {
                let page = &mut room.pages[number];
                let server = if second % 8 == 7 { page.digest() } else { invented.clone() };
                page.handle_server(server, &hosts, Some(&member(number)), now);
                page.handle_timeout(now);
                while let Some(output) = page.poll_output() {
                    made_by_host += usize::from(matches!(output, RekeyOutput::Use(..)));
                    assert!(number == 0, "a member makes no secret, and stays: {output:?}");
                }
            }
            believed_by_member += usize::from(room.pages[HOSTS].is_outdated());
        }
        assert_eq!(believed_by_member, 7, "until the server took it back");
        assert!((1..=120).contains(&made_by_host), "{made_by_host}");
    }

    #[test]
    fn secrets_without_end_are_taken_no_faster_than_hosts_may_act() {
        let mut room = Room::new(2);
        let mut host = Rekeying::new(RoomName::new("team").unwrap(), RoomSecret::from_random(1), instance(0));
        host.enable(9);
        host.handle_server(room.server.clone(), &[member(0)], Some(&member(0)), Timestamp::ZERO);
        let mut taken = 0;
        for number in 0..500 {
            host.remove(instance(100 + number), Timestamp::ZERO);
            let before = room.pages[1].key.clone();
            room.pages[1].handle_message(&member(0), host.message().unwrap(), Timestamp::ZERO);
            taken += usize::from(room.pages[1].key != before);
        }
        assert_eq!(taken, 30);
        assert!(room.pages[1].replaced.len() <= MAX_REPLACED_KEYS);
    }
}
