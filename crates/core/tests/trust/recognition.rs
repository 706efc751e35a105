//! Two devices that verified each other recognize each other in a later call, and nobody else learns anything.
//!
//! An attacker in these tests sees every message, and makes its own.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    trust::{
        Acquaintance, ComputationId, EndFingerprints, Person, PersonId, Recognition, RecognitionOutput,
        RecognitionTask, Verified,
    },
};
use sightline_protocol::{
    DeviceKey, DisplayName, MemberId, RecognitionMessage, limits::RECOGNITION_TAGS as TAGS,
};

use crate::device_model::{compute, device_key};

fn name(text: &str) -> DisplayName {
    DisplayName::new(text).unwrap()
}

fn id(text: &str) -> MemberId {
    MemberId::new(text).unwrap()
}

/// The ends of a connection, as the page with the certificate `local` sees them.
fn ends(local: &str, remote: &str) -> EndFingerprints {
    let mut ends = EndFingerprints::default();
    ends.local.add(&format!("a=fingerprint:sha-256 {local}"));
    ends.remote.add(&format!("a=fingerprint:sha-256 {remote}"));
    ends
}

/// A page on somebody's device.
struct Page {
    key: DeviceKey,
    machine: Recognition,
    now: Timestamp,
    /// Computations that the browser has not finished.
    open: Vec<(ComputationId, Vec<DeviceKey>, String, String)>,
    sent: Vec<(MemberId, RecognitionMessage)>,
    changed: Vec<MemberId>,
    forgotten: Vec<PersonId>,
}

impl Page {
    fn new(owner: &str, people: &[Person]) -> Self {
        let key = device_key(owner);
        let mut page = Self::waiting(owner);
        page.machine.handle_device(key, people.to_vec(), 1_000, Timestamp::ZERO);
        page
    }

    /// A page whose browser has not given the key of the device yet.
    fn waiting(owner: &str) -> Self {
        let (open, sent, changed, forgotten) = Default::default();
        let (key, machine) = (device_key(owner), Recognition::new(7));
        Self { key, machine, now: Timestamp::ZERO, open, sent, changed, forgotten }
    }

    fn read_device(&mut self, people: &[Person]) {
        self.machine.handle_device(self.key.clone(), people.to_vec(), 1_000, self.now);
        self.compute();
    }

    fn collect(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                RecognitionOutput::Send(to, message) => self.sent.push((to, message)),
                RecognitionOutput::Perform(RecognitionTask::Compute { id, keys, sent, expected }) => {
                    self.open.push((id, keys, sent, expected));
                }
                RecognitionOutput::Changed(member) => self.changed.push(member),
                RecognitionOutput::Perform(RecognitionTask::Forget(id)) => self.forgotten.push(id),
                RecognitionOutput::Perform(
                    RecognitionTask::Remember(_) | RecognitionTask::ForgetEverybody,
                ) => {}
            }
        }
    }

    fn compute(&mut self) {
        self.collect();
        for (id, keys, sent, expected) in std::mem::take(&mut self.open) {
            let tags = compute(&self.key, keys, &sent, &expected);
            self.machine.handle_computed(id, tags, self.now);
            self.collect();
        }
    }

    fn open(&mut self, member: &str, shown: &str, ends: &EndFingerprints) {
        self.machine.handle_opened(&id(member), &name(shown), ends, self.now);
        self.compute();
    }

    fn hear(&mut self, member: &str, message: RecognitionMessage) {
        self.machine.handle_message(&id(member), message, self.now);
        self.compute();
    }

    fn verify(&mut self, member: &str, verified: Verified) {
        self.machine.handle_verified(&id(member), verified, self.now);
        self.compute();
    }

    fn take_sent(&mut self) -> Vec<RecognitionMessage> {
        std::mem::take(&mut self.sent).into_iter().map(|(_, message)| message).collect()
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
        self.machine.handle_timeout(self.now);
        self.compute();
    }

    fn view(&self, member: &str) -> Acquaintance {
        self.machine.view(&id(member))
    }

    fn knows(&self, member: &str) -> Option<String> {
        match self.view(member) {
            Acquaintance::Known(person) => Some(person.name.as_str().to_owned()),
            Acquaintance::Unknown | Acquaintance::Renamed(_) | Acquaintance::OtherDevice => None,
        }
    }
}

/// Carries all messages between two pages, each of which knows the other by the second word.
fn exchange(one: (&mut Page, &str), other: (&mut Page, &str)) {
    loop {
        let (from_one, from_other) = (one.0.take_sent(), other.0.take_sent());
        if from_one.is_empty() && from_other.is_empty() {
            return;
        }
        from_one.into_iter().for_each(|message| other.0.hear(other.1, message));
        from_other.into_iter().for_each(|message| one.0.hear(one.1, message));
    }
}

/// A connection between Ada's and Bob's pages with these certificates.
fn connect(ada: &mut Page, bob: &mut Page, of_ada: &str, of_bob: &str) {
    ada.open("bob", "Bob", &ends(of_ada, of_bob));
    bob.open("ada", "Ada", &ends(of_bob, of_ada));
    exchange((ada, "bob"), (bob, "ada"));
}

/// The devices of Ada and Bob after they verified each other.
fn acquainted() -> (Page, Page) {
    let (mut ada, mut bob) = (Page::new("ada", &[]), Page::new("bob", &[]));
    connect(&mut ada, &mut bob, "A1", "B1");
    ada.verify("bob", Verified::Matched);
    exchange((&mut ada, "bob"), (&mut bob, "ada"));
    assert_eq!(ada.machine.people().len() + bob.machine.people().len(), 0, "one side is not enough");
    bob.verify("ada", Verified::Matched);
    exchange((&mut ada, "bob"), (&mut bob, "ada"));
    (ada, bob)
}

fn is_key(message: &RecognitionMessage) -> bool {
    matches!(message, RecognitionMessage::Introduce { .. })
}

fn people_of(page: &Page) -> Vec<Person> {
    page.machine.people().to_vec()
}

#[test]
fn two_who_verified_each_other_recognize_each_other_in_the_next_call() {
    let (ada, bob) = acquainted();
    assert_eq!((ada.knows("bob"), bob.knows("ada")), (Some("Bob".to_owned()), Some("Ada".to_owned())));
    let (mut ada, mut bob) = (Page::new("ada", &people_of(&ada)), Page::new("bob", &people_of(&bob)));
    connect(&mut ada, &mut bob, "A2", "B2");
    assert_eq!((ada.knows("bob"), bob.knows("ada")), (Some("Bob".to_owned()), Some("Ada".to_owned())));
    // Neither key was sent again.
    ada.open("eve", "Eve", &ends("A2", "E2"));
    assert!(ada.take_sent().iter().all(|message| matches!(message, RecognitionMessage::Recognize { .. })));
}

#[test]
fn another_device_with_the_name_of_a_remembered_person_is_told_apart() {
    let (ada, bob) = acquainted();
    let (mut ada, mut bob) = (Page::new("ada", &people_of(&ada)), Page::new("bob", &people_of(&bob)));
    let mut other = Page::new("other", &[]);
    connect(&mut ada, &mut bob, "A2", "B2");
    ada.open("bob-2", "bob", &ends("A2", "O2"));
    other.open("ada", "Ada", &ends("O2", "A2"));
    assert_eq!(ada.view("bob-2"), Acquaintance::Unknown, "its tags may still come");
    exchange((&mut ada, "bob-2"), (&mut other, "ada"));
    assert_eq!(ada.view("bob-2"), Acquaintance::OtherDevice);
    assert_eq!(ada.knows("bob"), Some("Bob".to_owned()));
    // A page that has no device key, such as an earlier version, is told apart when its time is over.
    ada.open("bob-3", "BOB", &ends("A2", "P2"));
    ada.open("carol", "Carol", &ends("A2", "C2"));
    ada.pass(7);
    assert_eq!(ada.view("bob-3"), Acquaintance::Unknown);
    ada.pass(2);
    assert_eq!((ada.view("bob-3"), ada.view("carol")), (Acquaintance::OtherDevice, Acquaintance::Unknown));
}

#[test]
fn a_verified_person_who_takes_the_name_of_another_is_shown_as_who_it_is() {
    let (mut ada, mut bob) = acquainted();
    let mut mallory = Page::new("mallory", &[]);
    ada.open("mallory", "Mallory", &ends("A1", "M1"));
    mallory.open("ada", "Ada", &ends("M1", "A1"));
    ada.verify("mallory", Verified::Matched);
    mallory.verify("ada", Verified::Matched);
    exchange((&mut ada, "mallory"), (&mut mallory, "ada"));
    assert_eq!(ada.knows("mallory").as_deref(), Some("Mallory"));
    let (mut ada, mut mallory) =
        (Page::new("ada", &people_of(&ada)), Page::new("mallory", &people_of(&mallory)));
    ada.open("mallory", "Bob", &ends("A2", "M2"));
    mallory.open("ada", "Ada", &ends("M2", "A2"));
    exchange((&mut ada, "mallory"), (&mut mallory, "ada"));
    let renamed = |view| matches!(view, Acquaintance::Renamed(person) if person.name.as_str() == "Mallory");
    assert!(renamed(ada.view("mallory")), "{:?}", ada.view("mallory"));
    // Capital letters do not make another name.
    ada.machine.handle_fingerprints(&id("mallory"), &name("MALLORY"), &ends("A2", "M2"));
    assert_eq!(ada.knows("mallory").as_deref(), Some("Mallory"));
    connect(&mut ada, &mut bob, "A2", "B2");
    assert_eq!(ada.knows("bob").as_deref(), Some("Bob"));
}

#[test]
fn a_person_is_read_as_it_was_stored() {
    let (ada, _) = acquainted();
    let person = people_of(&ada).remove(0);
    let text = person.to_text().unwrap();
    assert_eq!(Person::from_text(&text), Some(person));
    let cut = text.replace("\"B", "\"");
    for other in ["", "{}", "null", &text[1..], &cut.replace(':', "")] {
        assert_eq!(Person::from_text(other), None, "{other}");
    }
}

#[test]
fn tags_of_one_connection_are_worth_nothing_on_another_or_in_the_other_direction() {
    let (ada, bob) = acquainted();
    let (mut ada, mut bob) = (Page::new("ada", &people_of(&ada)), Page::new("bob", &people_of(&bob)));
    // Mallory has a connection with each of them, and passes on what they send.
    ada.open("mallory", "Bob", &ends("A2", "M"));
    bob.open("mallory", "Ada", &ends("B2", "M"));
    let (of_ada, of_bob) = (ada.take_sent(), bob.take_sent());
    assert_eq!((of_ada.len(), of_bob.len()), (1, 1));
    ada.hear("mallory", of_bob[0].clone());
    bob.hear("mallory", of_ada[0].clone());
    assert_eq!(
        (ada.view("mallory"), bob.view("mallory")),
        (Acquaintance::OtherDevice, Acquaintance::OtherDevice)
    );
    // Sent back to its sender, and repeated on a later connection.
    ada.hear("mallory", of_ada[0].clone());
    ada.open("mallory", "Bob", &ends("A3", "B2"));
    ada.hear("mallory", of_bob[0].clone());
    assert_eq!(ada.knows("mallory"), None);
}

#[test]
fn a_device_key_goes_only_to_a_member_whose_code_matches() {
    let mut ada = Page::new("ada", &[]);
    ada.open("eve", "Eve", &ends("A1", "E1"));
    ada.hear("eve", RecognitionMessage::Introduce { key: device_key("eve") });
    ada.verify("eve", Verified::Never);
    ada.verify("eve", Verified::Changed);
    assert!(!ada.take_sent().iter().any(is_key));
    assert!(ada.machine.people().is_empty(), "whoever introduces himself is not verified");
    ada.verify("eve", Verified::Matched);
    assert_eq!(ada.take_sent().into_iter().filter(is_key).count(), 1);
}

#[test]
fn nobody_is_remembered_under_the_key_of_another() {
    let (ada, bob) = acquainted();
    let mut ada = Page::new("ada", &people_of(&ada));
    // Mallory is verified, and introduces herself with Bob's key, or with Ada's own.
    ada.open("mallory", "Mallory", &ends("A2", "M2"));
    for key in [bob.key.clone(), ada.key.clone(), device_key("nobody")] {
        ada.hear("mallory", RecognitionMessage::Introduce { key });
        ada.verify("mallory", Verified::Matched);
        let own = ada.take_sent();
        own.into_iter().for_each(|message| ada.hear("mallory", message));
    }
    let names: Vec<_> = ada.machine.people().iter().map(|person| person.name.as_str()).collect();
    assert_eq!((names, ada.knows("mallory")), (vec!["Bob"], None));
}

#[test]
fn a_recognized_member_whose_connection_gets_another_key_is_no_longer_known() {
    let (mut ada, _) = acquainted();
    ada.machine.handle_fingerprints(&id("bob"), &name("Bob"), &ends("A1", "B1"));
    assert!(ada.knows("bob").is_some());
    ada.machine.handle_fingerprints(&id("bob"), &name("Bob"), &ends("A1", "M"));
    assert_eq!(ada.view("bob"), Acquaintance::OtherDevice);
}

#[test]
fn a_person_that_is_forgotten_or_whose_match_is_taken_back_is_nobody_again() {
    let (mut ada, mut bob) = acquainted();
    ada.machine.forget(&PersonId::of(&bob.key));
    assert_eq!((ada.machine.people().len(), ada.view("bob")), (0, Acquaintance::Unknown));
    bob.verify("ada", Verified::Never);
    assert_eq!((bob.machine.people().len(), bob.view("ada")), (0, Acquaintance::Unknown));
    // One click too many, and another one.
    bob.verify("ada", Verified::Matched);
    assert_eq!((bob.machine.people().len(), bob.knows("ada").as_deref()), (1, Some("Ada")));
}

#[test]
fn every_message_has_the_same_number_of_tags_in_no_order_that_tells_anything() {
    let person = |at: usize| Person {
        key: device_key(&format!("person {at}")),
        name: name("Bob"),
        verified_at_unix_ms: at as u64,
    };
    for count in [0, 1, 5, TAGS, 3 * TAGS] {
        let people: Vec<_> = (0..count).map(person).collect();
        let mut page = Page::new("ada", &people);
        page.open("eve", "Eve", &ends("A1", "E1"));
        let [RecognitionMessage::Recognize { tags }] = &page.take_sent()[..] else { panic!("{count}") };
        assert!(tags.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()), "{count}: {tags:?}");
        let latest = page.machine.people().last().map(|person| person.verified_at_unix_ms);
        assert_eq!((page.machine.people().len(), latest), (count.min(TAGS), (count as u64).checked_sub(1)));
        assert_eq!(page.forgotten.len(), count.saturating_sub(TAGS), "storage is bounded, too");
    }
}

#[test]
fn a_flood_of_keys_and_of_connections_costs_few_computations() {
    let mut ada = Page::new("ada", &[]);
    let mut count = 0;
    for round in 0..500 {
        ada.machine.handle_opened(&id("eve"), &name("Eve"), &ends("A1", &format!("E{round}")), ada.now);
        ada.machine.handle_verified(&id("eve"), Verified::Matched, ada.now);
        let key = device_key(&format!("key {round}"));
        ada.machine.handle_message(&id("eve"), RecognitionMessage::Introduce { key }, ada.now);
        ada.collect();
        count += std::mem::take(&mut ada.open).len();
    }
    assert!((1..=16).contains(&count), "{count}");
    for round in 0..2_000 {
        let member = format!("member-{round}");
        ada.machine.handle_opened(&id(&member), &name("Eve"), &ends("A1", "E"), ada.now);
        ada.collect();
    }
    assert!(ada.open.len() <= 128, "{}", ada.open.len());
    assert!(ada.machine.people().is_empty());
}

#[test]
fn the_result_of_a_computation_that_was_overtaken_has_no_effect() {
    let (ada, bob) = acquainted();
    let mut ada = Page::new("ada", &people_of(&ada));
    ada.machine.handle_opened(&id("bob"), &name("Bob"), &ends("A2", "B2"), ada.now);
    ada.collect();
    let overtaken = std::mem::take(&mut ada.open);
    ada.open("bob", "Bob", &ends("A2", "B3"));
    ada.take_sent();
    ada.open = overtaken;
    ada.compute();
    assert!(ada.take_sent().is_empty());
    drop(bob);
}

#[test]
fn a_page_that_waits_for_its_key_sends_nothing_and_warns_of_nobody() {
    let (ada, mut bob) = acquainted();
    let people = people_of(&ada);
    let mut ada = Page::waiting("ada");
    connect(&mut ada, &mut bob, "A2", "B2");
    ada.verify("bob", Verified::Matched);
    ada.open("bob-2", "Bob", &ends("A2", "O2"));
    ada.pass(60);
    assert!(ada.take_sent().is_empty() && ada.open.is_empty());
    assert_eq!((ada.view("bob"), ada.view("bob-2")), (Acquaintance::Unknown, Acquaintance::Unknown));
    // From now on the members have the usual time, since they may have waited for this page.
    ada.read_device(&people);
    assert_eq!(ada.knows("bob").as_deref(), Some("Bob"), "its tags came before");
    assert_eq!(ada.view("bob-2"), Acquaintance::Unknown);
    ada.pass(9);
    assert_eq!(ada.view("bob-2"), Acquaintance::OtherDevice);
    assert_eq!(ada.sent.iter().filter(|(_, message)| is_key(message)).count(), 1);
}

#[test]
fn a_flood_before_the_key_is_there_costs_few_computations_and_displaces_nobody_who_comes_later() {
    let (ada, bob) = acquainted();
    let people = people_of(&ada);
    let mut ada = Page::waiting("ada");
    for round in 0..2_000 {
        let member = id(&format!("member-{round}"));
        ada.machine.handle_opened(&member, &name("Eve"), &ends("A2", "E"), ada.now);
        ada.machine.handle_verified(&member, Verified::Matched, ada.now);
        // The key of this page, which is nobody's.
        for key in [device_key(&format!("key {round}")), ada.key.clone()] {
            ada.machine.handle_message(&member, RecognitionMessage::Introduce { key }, ada.now);
        }
    }
    let mut bob = Page::new("bob", &people_of(&bob));
    connect(&mut ada, &mut bob, "A2", "B2");
    ada.machine.handle_device(ada.key.clone(), people.clone(), 1_000, ada.now);
    ada.collect();
    assert!(ada.open.len() <= 128, "{}", ada.open.len());
    assert!(ada.open.iter().all(|(_, keys, ..)| *keys == [bob.key.clone()]));
    ada.compute();
    assert_eq!(ada.knows("bob").as_deref(), Some("Bob"));
    assert_eq!(ada.machine.people(), people);
}

#[test]
fn at_most_32_people_are_remembered_and_the_longest_ago_compared_is_forgotten_first() {
    let mut ada = Page::new("ada", &[]);
    for number in 0..=TAGS {
        let (member, certificate) = (format!("m{number}"), format!("C{number}"));
        let mut other = Page::new(&member, &[]);
        ada.pass(1);
        ada.open(&member, &member, &ends("A1", &certificate));
        other.open("ada", "Ada", &ends(&certificate, "A1"));
        exchange((&mut ada, &member), (&mut other, "ada"));
        for (page, of) in [(&mut ada, &*member), (&mut other, "ada")] {
            page.verify(of, Verified::Matched);
        }
        exchange((&mut ada, &member), (&mut other, "ada"));
    }
    let names: Vec<_> = ada.machine.people().iter().map(|person| person.name.as_str().to_owned()).collect();
    let expected: Vec<_> = (1..=TAGS).map(|number| format!("m{number}")).collect();
    assert_eq!((TAGS, names), (32, expected));
    assert_eq!(ada.forgotten.len(), 1, "and from storage");
}
