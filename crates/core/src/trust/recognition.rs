//! Recognizes people that were verified in an earlier call, by a key of their device.
//!
//! Owns which people this page remembers, what it knows of each member, and when a name is used by somebody else. It never sees a
//! private key: the page computes with keys that the browser does not give out, and reports the results.
//!
//! Each device has a key pair (ECDH, P-256). Two members who both said that their code matches send each other the public key, and to
//! nobody else. From then on the two devices have a key in common. Whenever a channel opens, each page sends 32 tags: one for each
//! person that it remembers, made with that person's key from the fingerprints of both ends of the connection, and random ones in
//! addition. Only the person with the other end of the key can tell a tag from a random one. So a member learns neither a lasting name of
//! the device nor how many people it remembers, unless both have verified each other.
//!
//! A tag binds the fingerprints of both ends, the sender's first. So it is worth nothing on another connection, nor in the other
//! direction, and whoever stands in between two pages has other fingerprints.
//!
//! Invariants: the public key of this device goes only to members whose code matches at that moment. A person is remembered only
//! after a tag proved that the member has the private key, so that nobody introduces himself with the key of another. A member is
//! recognized only while all its connections have the fingerprints of the tag.

use std::{collections::VecDeque, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use sightline_protocol::{
    DeviceKey, DisplayName, MemberId, RecognitionMessage, RecognitionTag, limits::RECOGNITION_TAGS as TAGS,
};

use super::{Acquaintance, EndFingerprints, Person, PersonId, Verified};
use crate::{
    Timestamp,
    budget::{Bucket, MAX_ACCOUNTS, RECOGNITIONS_OF_MEMBER, RECOGNITIONS_OF_PAGE},
    short_list,
};

/// How long a member's page may take to send its tags before its name counts as used by somebody else.
const TAGS_DEADLINE: Duration = Duration::from_secs(8);

/// Identifies a computation. Results of an earlier one have no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ComputationId(u64);

/// An action that the machine requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecognitionOutput {
    /// Send this on the connection in use of the member.
    Send(MemberId, RecognitionMessage),
    /// A task for the page.
    Perform(RecognitionTask),
    /// The result of [`Recognition::view`] changed.
    Changed(MemberId),
}

/// A task for the page, which has the private key of this device and stores people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecognitionTask {
    /// For each of these public keys: agree on a key with it, and authenticate both texts with that key (HMAC-SHA-256, first 16 bytes).
    /// Report with [`Recognition::handle_computed`].
    Compute {
        /// Identifies the computation.
        id: ComputationId,
        /// The public keys of people.
        keys: Vec<DeviceKey>,
        /// The text of the tag that this page sends.
        sent: String,
        /// The text of the tag that the person sends.
        expected: String,
    },
    /// Store this person, in place of an earlier one with the same key.
    Remember(Person),
    /// Remove this person from storage.
    Forget(PersonId),
    /// Remove all people and the key of this device from storage.
    ForgetEverybody,
}

/// The tags of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTags {
    /// The key that they belong to.
    pub key: DeviceKey,
    /// The tag that this page sends.
    pub sent: RecognitionTag,
    /// The tag that the person sends.
    pub expected: RecognitionTag,
}

#[derive(Debug, Default)]
struct Entry {
    name: DisplayName,
    /// The fingerprints of the connection in use, while its channel is open.
    ends: Option<EndFingerprints>,
    is_verified: bool,
    has_introduced: bool,
    /// The key that the member introduced itself with.
    introduced: Option<DeviceKey>,
    computation: Option<ComputationId>,
    computed: Vec<KeyTags>,
    received: Vec<RecognitionTag>,
    /// Until when the tags may come; `None` once it is decided.
    due: Option<Timestamp>,
    /// The key of the recognized device, and the fingerprints with which it was.
    recognized: Option<(DeviceKey, EndFingerprints)>,
    shown: Acquaintance,
    drawn: Bucket,
}

#[derive(Debug)]
struct Device {
    key: DeviceKey,
    /// A moment, and the time of day at it.
    began: (Timestamp, u64),
}

/// The machine.
///
/// Contract: call [`Self::handle_device`] at most once, at any time. Until then the machine only notes what happens, within the same
/// limits. After every call poll [`Self::poll_output`] until it returns `None`.
#[derive(Debug)]
pub struct Recognition {
    /// `None` until the page has read the key of this device.
    device: Option<Device>,
    people: Vec<Person>,
    /// The member of the latest event is the last one.
    members: Vec<(MemberId, Entry)>,
    next_computation: u64,
    drawn: Bucket,
    fillers: Fillers,
    outputs: VecDeque<RecognitionOutput>,
}

impl Recognition {
    /// `secret` must come from a cryptographic generator and serve nothing else.
    #[must_use]
    pub fn new(secret: u128) -> Self {
        Self {
            device: None,
            people: Vec::new(),
            members: Vec::new(),
            next_computation: 0,
            drawn: Bucket::default(),
            fillers: Fillers { secret, drawn: 0 },
            outputs: VecDeque::new(),
        }
    }

    /// Takes the public key of this device and the people that it remembers, and does what waited for them. If there are more than
    /// [`TAGS`] people, because several pages stored some, the oldest are forgotten. `unix_ms` is the time of day at `now`.
    pub fn handle_device(
        &mut self,
        key: DeviceKey,
        people: impl IntoIterator<Item = Person>,
        unix_ms: u64,
        now: Timestamp,
    ) {
        self.people = people.into_iter().collect();
        short_list::sort_by(&mut self.people, |one, other| {
            one.verified_at_unix_ms.cmp(&other.verified_at_unix_ms)
        });
        let surplus = self.people.len().saturating_sub(TAGS);
        for person in self.people.drain(..surplus) {
            let task = RecognitionTask::Forget(PersonId::of(&person.key));
            self.outputs.push_back(RecognitionOutput::Perform(task));
        }
        let mut waiting = Vec::new();
        for (member, entry) in &mut self.members {
            entry.introduced.take_if(|introduced| *introduced == key);
            if entry.ends.is_some() {
                entry.due = Some(now + TAGS_DEADLINE);
                waiting.push(member.clone());
            }
        }
        self.device = Some(Device { key, began: (now, unix_ms) });
        // The latest first: a server can invent members to use up the limit of the page.
        for member in waiting.iter().rev() {
            self.introduce(member);
            self.compute(member, now);
        }
    }

    /// Whether the key of this device is known.
    #[must_use]
    pub fn has_device(&self) -> bool {
        self.device.is_some()
    }

    /// The people that this device remembers, the latest one last.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Forgets a person.
    pub fn forget(&mut self, id: &PersonId) {
        let known = self.people.len();
        self.people.retain(|person| PersonId::of(&person.key) != *id);
        if self.people.len() < known {
            self.outputs.push_back(RecognitionOutput::Perform(RecognitionTask::Forget(id.clone())));
            self.show_all();
        }
    }

    /// Forgets everybody, and the key of this device. The owner drops the machine after its outputs.
    pub(crate) fn forget_everybody(&mut self) {
        self.people.clear();
        self.outputs.push_back(RecognitionOutput::Perform(RecognitionTask::ForgetEverybody));
        self.show_all();
    }

    /// What this page knows of a member.
    #[must_use]
    pub fn view(&self, member: &MemberId) -> Acquaintance {
        let entry = self.members.iter().find(|(id, _)| id == member);
        entry.map(|(_, entry)| entry.shown.clone()).unwrap_or_default()
    }

    /// Notes that the channel of a connection opened, which is in use from now on.
    pub fn handle_opened(
        &mut self,
        member: &MemberId,
        name: &DisplayName,
        ends: &EndFingerprints,
        now: Timestamp,
    ) {
        let entry = self.entry(member);
        name.clone_into(&mut entry.name);
        entry.due = Some(now + TAGS_DEADLINE);
        if entry.ends.as_ref() != Some(ends) {
            entry.ends = Some(ends.clone());
            entry.computed.clear();
            entry.received.clear();
            entry.introduced = None;
            entry.has_introduced = false;
        }
        self.compute(member, now);
    }

    /// Takes the fingerprints of a connection of the member, in use or not, and the name that it has now.
    pub fn handle_fingerprints(&mut self, member: &MemberId, name: &DisplayName, ends: &EndFingerprints) {
        let Some(entry) = self.get_mut(member) else { return };
        name.clone_into(&mut entry.name);
        entry.recognized.take_if(|(_, known)| !ends.is_within(known));
        // Tags are about the fingerprints of the moment at which the channel opened.
        if entry.ends.as_ref().is_some_and(|known| !ends.is_within(known)) {
            entry.ends = None;
            entry.computation = None;
        }
        self.show(member);
    }

    /// Takes what the person said of the code of a member, which is about the connection in use.
    pub fn handle_verified(&mut self, member: &MemberId, verified: Verified, now: Timestamp) {
        let Some(entry) = self.get_mut(member) else { return };
        let was_verified = std::mem::replace(&mut entry.is_verified, verified == Verified::Matched);
        if was_verified
            && verified == Verified::Never
            && let Some((key, _)) = &entry.recognized
        {
            // The person took back that the codes are the same, and may have done so by mistake. No page introduces itself twice.
            let id = PersonId::of(key);
            entry.introduced = Some(key.clone());
            return self.forget(&id);
        }
        let is_new = entry.is_verified && !was_verified && entry.ends.is_some();
        if is_new {
            self.introduce(member);
            self.compute(member, now);
        }
        self.review(member, now);
    }

    /// Takes a message of a member on its connection in use.
    pub fn handle_message(&mut self, member: &MemberId, message: RecognitionMessage, now: Timestamp) {
        let own = self.device.as_ref().map(|device| device.key.clone());
        let Some(entry) = self.get_mut(member).filter(|entry| entry.ends.is_some()) else { return };
        match message {
            RecognitionMessage::Introduce { key } if own.as_ref() != Some(&key) => {
                let is_new = entry.introduced.as_ref() != Some(&key);
                entry.introduced = Some(key);
                if is_new && entry.is_verified {
                    self.compute(member, now);
                }
            }
            RecognitionMessage::Recognize { tags } => {
                entry.received = tags.to_vec();
                self.review(member, now);
            }
            RecognitionMessage::Introduce { .. } | RecognitionMessage::Unknown => {}
        }
    }

    /// Takes the tags of a computation. Keys that are none are missing in it.
    pub fn handle_computed(&mut self, id: ComputationId, tags: Vec<KeyTags>, now: Timestamp) {
        let of_computation = |(_, entry): &&mut (MemberId, Entry)| entry.computation == Some(id);
        let Some((member, entry)) = self.members.iter_mut().find(of_computation) else { return };
        let member = member.clone();
        entry.computation = None;
        entry.computed = tags;
        let mut all: Vec<_> = entry.computed.iter().take(TAGS).map(|tags| tags.sent.clone()).collect();
        all.extend(std::iter::repeat_with(|| self.fillers.draw()).flatten().take(TAGS - all.len()));
        // The order would tell which ones are random.
        short_list::sort_by(&mut all, |one, other| one.as_str().cmp(other.as_str()));
        if let Ok(tags) = all.try_into() {
            let message = RecognitionMessage::Recognize { tags };
            self.outputs.push_back(RecognitionOutput::Send(member.clone(), message));
        }
        self.review(&member, now);
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        for (_, entry) in &mut self.members {
            entry.due.take_if(|due| *due <= now);
        }
        self.show_all();
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.members.iter().filter_map(|(_, entry)| entry.due).min()
    }

    /// The next action to perform.
    pub fn poll_output(&mut self) -> Option<RecognitionOutput> {
        self.outputs.pop_front()
    }

    /// Sends the public key of this device, unless the member has it, or its code does not match.
    fn introduce(&mut self, member: &MemberId) {
        let Some(key) = self.device.as_ref().map(|device| device.key.clone()) else { return };
        let Some(entry) = self.get_mut(member) else { return };
        if entry.is_verified && entry.ends.is_some() && !std::mem::replace(&mut entry.has_introduced, true) {
            self.outputs
                .push_back(RecognitionOutput::Send(member.clone(), RecognitionMessage::Introduce { key }));
        }
    }

    /// Asks for the tags of all people, and of the key that the member introduced itself with.
    fn compute(&mut self, member: &MemberId, now: Timestamp) {
        if self.device.is_none() {
            return;
        }
        let people: Vec<_> = self.people.iter().rev().map(|person| person.key.clone()).collect();
        let of_page = &mut self.drawn;
        let Some((_, entry)) = self.members.iter_mut().find(|(id, _)| id == member) else { return };
        let Some((local, remote)) = entry.ends.as_ref().and_then(EndFingerprints::texts) else { return };
        if !entry.drawn.take(RECOGNITIONS_OF_MEMBER, 1, now) || !of_page.take(RECOGNITIONS_OF_PAGE, 1, now) {
            return;
        }
        let introduced = entry.introduced.iter().filter(|_| entry.is_verified).cloned();
        let mut keys: Vec<_> = introduced.collect();
        keys.extend(people.into_iter().filter(|key| entry.introduced.as_ref() != Some(key)));
        keys.truncate(TAGS);
        let id = ComputationId(self.next_computation);
        self.next_computation += 1;
        entry.computation = Some(id);
        let text = |from: &str, to: &str| format!("sightline/1 recognition\n{from}\n{to}");
        let (sent, expected) = (text(&local, &remote), text(&remote, &local));
        self.outputs.push_back(RecognitionOutput::Perform(RecognitionTask::Compute {
            id,
            keys,
            sent,
            expected,
        }));
    }

    /// Looks for a tag that only a known device can make.
    fn review(&mut self, member: &MemberId, now: Timestamp) {
        let Some(Device { began: (began, unix_ms), .. }) = self.device else { return };
        let passed_ms = u64::try_from(now.since(began).as_millis()).unwrap_or(u64::MAX);
        let Some((_, entry)) = self.members.iter_mut().find(|(id, _)| id == member) else { return };
        let Some(ends) = entry.ends.clone() else { return self.show(member) };
        if !entry.received.is_empty() && entry.computation.is_none() {
            entry.due = None;
        }
        let proved = entry.computed.iter().find(|tags| entry.received.contains(&tags.expected));
        let Some(key) = proved.map(|tags| tags.key.clone()) else { return self.show(member) };
        let known = self.people.iter().position(|person| person.key == key);
        let is_introduced = entry.is_verified && entry.introduced.as_ref() == Some(&key);
        if is_introduced {
            let verified_at_unix_ms = unix_ms.saturating_add(passed_ms);
            let person = Person { key: key.clone(), name: entry.name.clone(), verified_at_unix_ms };
            // Once for each comparison.
            entry.introduced = None;
            if let Some(at) = known {
                self.people.remove(at);
            } else if self.people.len() >= TAGS {
                let oldest = self.people.remove(0);
                self.outputs.push_back(RecognitionOutput::Perform(RecognitionTask::Forget(PersonId::of(
                    &oldest.key,
                ))));
            }
            self.people.push(person.clone());
            self.outputs.push_back(RecognitionOutput::Perform(RecognitionTask::Remember(person)));
        } else if known.is_none() {
            return self.show(member);
        }
        entry.recognized = Some((key, ends));
        self.show_all();
    }

    fn show_all(&mut self) {
        let members: Vec<_> = self.members.iter().map(|(id, _)| id.clone()).collect();
        members.iter().for_each(|member| self.show(member));
    }

    fn show(&mut self, member: &MemberId) {
        let Some((_, entry)) = self.members.iter_mut().find(|(id, _)| id == member) else { return };
        let known = entry.recognized.as_ref();
        let known = known.and_then(|(key, _)| self.people.iter().find(|person| person.key == *key));
        let has_their_name =
            |person: &Person| !entry.name.as_str().is_empty() && person.has_name(&entry.name);
        let shown = match known {
            Some(person) if person.has_name(&entry.name) => Acquaintance::Known(person.clone()),
            Some(person) => Acquaintance::Renamed(person.clone()),
            // Nobody without a name has somebody's name.
            None if entry.due.is_none() && self.people.iter().any(has_their_name) => {
                Acquaintance::OtherDevice
            }
            None => Acquaintance::Unknown,
        };
        if std::mem::replace(&mut entry.shown, shown.clone()) != shown {
            self.outputs.push_back(RecognitionOutput::Changed(member.clone()));
        }
    }

    fn get_mut(&mut self, member: &MemberId) -> Option<&mut Entry> {
        self.members.iter_mut().find(|(id, _)| id == member).map(|(_, entry)| entry)
    }

    /// The entry of a member. Members that left stay, so that they get no new limit when they return.
    fn entry(&mut self, member: &MemberId) -> &mut Entry {
        let known = self.members.iter().position(|(id, _)| id == member);
        let entry = known.map_or_else(Entry::default, |at| self.members.remove(at).1);
        if self.members.len() >= MAX_ACCOUNTS {
            self.members.remove(0);
        }
        self.members.push((member.clone(), entry));
        let last = self.members.len() - 1;
        &mut self.members[last].1
    }
}

/// Generates random tags. SHA-256 of a secret and a number, so that no tag tells another.
struct Fillers {
    secret: u128,
    drawn: u64,
}

impl Fillers {
    fn draw(&mut self) -> Option<RecognitionTag> {
        self.drawn += 1;
        let hash = Sha256::new_with_prefix("sightline/1 fillers\n").chain_update(self.secret.to_be_bytes());
        let hash = hash.chain_update(self.drawn.to_be_bytes()).finalize();
        RecognitionTag::new(URL_SAFE_NO_PAD.encode(hash.first_chunk::<16>()?)).ok()
    }
}

impl std::fmt::Debug for Fillers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fillers").field("drawn", &self.drawn).finish_non_exhaustive()
    }
}
