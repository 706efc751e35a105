//! What a malicious server does to the messages between pages and itself.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};
use sightline_core::{
    random::SeededRandom,
    trust::{RoomKeys, RoomSecret, SignalSeals},
};
use sightline_protocol::{
    Member, RoomName,
    signaling::{Signal, SignalCandidate, SignalPayload},
};

/// The name that the server would like to show.
pub(super) const FORGED_NAME: &str = "Mallory";

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trick {
    /// A letter of each encrypted signal is another one.
    Altered,
    /// Descriptions of the server's own take the place of encrypted signals.
    Unsealed,
    /// Signals that the server encrypted with a secret of its own take their place.
    SealedWithoutTheSecret,
    OtherConnection,
    OtherGeneration,
    /// Signals arrive as those of a third member.
    OtherSender,
    /// Signals arrive at a third member.
    OtherAddressee,
    Replayed,
    /// Each page gets its own signals back, too, as if the other one had sent them.
    TurnedRound,
    Dropped,
    /// Each signal changes places with the next one.
    Reordered,
    /// Two members are listed under the id of each other.
    MembersSwapped,
    /// Each member is said to leave and to be back at once.
    LeftAndBack,
    NameAltered,
    NameInTheClear,
    InstanceForged,
    /// The pages enter the room without protection.
    Downgraded,
    /// Of the signals of each member only the first one arrives: the candidates are missing.
    Truncated,
    /// Each member is listed a second time, under another id.
    ListedTwice,
    /// Each page is told that all others came before it.
    ArrivalsForged,
    /// In the middle of the call each member is said to have loaded its page again, and the truth comes next.
    ReloadForged,
    /// Somebody who is not there is said to be host.
    HostForged,
    /// Somebody knocks under a name that is not encrypted.
    KnockForged,
}

impl Trick {
    pub(super) const ALL: [Self; 23] = [
        Self::Altered,
        Self::Unsealed,
        Self::SealedWithoutTheSecret,
        Self::OtherConnection,
        Self::OtherGeneration,
        Self::OtherSender,
        Self::OtherAddressee,
        Self::Replayed,
        Self::TurnedRound,
        Self::Dropped,
        Self::Reordered,
        Self::MembersSwapped,
        Self::LeftAndBack,
        Self::NameAltered,
        Self::NameInTheClear,
        Self::InstanceForged,
        Self::Downgraded,
        Self::Truncated,
        Self::ListedTwice,
        Self::ArrivalsForged,
        Self::ReloadForged,
        Self::HostForged,
        Self::KnockForged,
    ];

    /// Whether a page sees that a signal was changed. What does not come, or comes in another order, may be the network; what was made
    /// for another page looks stale (`docs/security.md`).
    pub(super) fn is_reported(self) -> bool {
        matches!(
            self,
            Self::Altered
                | Self::Unsealed
                | Self::SealedWithoutTheSecret
                | Self::OtherConnection
                | Self::OtherGeneration
                | Self::OtherSender
                | Self::Replayed
        )
    }

    /// Whether the trick needs a third member.
    pub(super) fn needs_a_third(self) -> bool {
        matches!(self, Self::OtherSender | Self::OtherAddressee | Self::MembersSwapped)
    }

    /// Whether the other member may be shown without its name only.
    pub(super) fn takes_the_name(self) -> bool {
        matches!(self, Self::NameAltered | Self::NameInTheClear | Self::InstanceForged | Self::Downgraded)
    }
}

/// The server of one attempt.
pub(super) struct Attacker {
    trick: Trick,
    /// Messages that were changed, or made by the server.
    pub(super) changed: u32,
    /// All signals so far, and one that is to arrive later.
    signals: Vec<Value>,
    held: Option<Value>,
    /// All members, as the server listed them.
    members: HashMap<String, Member>,
    /// The addressee of each encrypted signal.
    addressees: HashMap<String, String>,
    /// The members at both ends of each connection.
    ends: HashMap<String, [String; 2]>,
    /// Number of signals of each member.
    counts: HashMap<String, u32>,
}

/// Signals of a member before the server says that its page was loaded again: description and candidates are there.
const BEFORE_RELOAD: u32 = 4;

impl Attacker {
    pub(super) fn new(trick: Trick) -> Self {
        let (members, addressees, ends, counts) = Default::default();
        Self { trick, changed: 0, signals: Vec::new(), held: None, members, addressees, ends, counts }
    }

    pub(super) fn change_of_page(&mut self, mut message: Value) -> Vec<Value> {
        match (message["type"].as_str(), self.trick) {
            (Some("join"), Trick::Downgraded) => {
                self.changed += 1;
                message["name"] = json!(FORGED_NAME);
                for protection in ["admission", "sealed_name"] {
                    message.as_object_mut().map(|join| join.remove(protection));
                }
            }
            (Some("signal"), _) => {
                let to = text(&message["to"]);
                let ends = self.ends_of(&message, &to);
                let third = self.members.keys().find(|id| !ends.contains(id));
                if let (Trick::OtherAddressee, Some(third)) = (self.trick, third) {
                    message["to"] = json!(third);
                    self.changed += 1;
                }
                self.addressees.insert(text(&message["payload"]["sealed"]), to);
            }
            _ => {}
        }
        vec![message]
    }

    /// The members at both ends of the connection of a signal. Its first signal comes from the member that was the last to join.
    fn ends_of(&mut self, signal: &Value, to: &str) -> [String; 2] {
        let newcomer = self.members.values().max_by_key(|member| member.arrival);
        let newcomer = newcomer.map(|member| member.id.to_string()).unwrap_or_default();
        let ends = self.ends.entry(text(&signal["connection"]));
        ends.or_insert_with(|| [newcomer, to.to_owned()]).clone()
    }

    pub(super) fn change_of_server(&mut self, mut message: Value) -> Vec<Value> {
        match message["type"].as_str() {
            Some("signal") => {
                self.signals.push(message.clone());
                return self.attack_signal(message);
            }
            Some("joined") => {
                let members = message["members"].as_array_mut();
                let Some(members) = members else { return vec![message] };
                members.iter().for_each(|member| self.note(member));
                if let (Trick::MembersSwapped, [one, other, ..]) = (self.trick, &mut members[..]) {
                    let id = one["id"].take();
                    one["id"] = std::mem::replace(&mut other["id"], id);
                    self.changed += 1;
                }
                members.iter_mut().for_each(|member| self.attack_member(member));
                if self.trick == Trick::ListedTwice {
                    let again: Vec<_> = members.iter().map(listed_again).collect();
                    self.changed += u32::try_from(again.len()).unwrap_or_default();
                    members.extend(again);
                }
                if self.trick == Trick::HostForged {
                    self.changed += 1;
                    message["hosts"] = json!(["of-the-server"]);
                }
                if self.trick == Trick::KnockForged {
                    self.changed += 1;
                    let visitor = json!({ "id": "v1", "name": FORGED_NAME, "instance": "of-the-server" });
                    return vec![message, json!({ "type": "knock", "visitor": visitor })];
                }
            }
            Some("room_state") if self.trick == Trick::HostForged => {
                self.changed += 1;
                message["hosts"] = json!(["of-the-server"]);
            }
            Some("peer_joined") => {
                self.note(&message["member"]);
                self.attack_member(&mut message["member"]);
                if self.trick == Trick::ListedTwice {
                    self.changed += 1;
                    let again = json!({ "type": "peer_joined", "member": listed_again(&message["member"]) });
                    return vec![again, message];
                }
                if self.trick == Trick::LeftAndBack {
                    self.changed += 1;
                    let left = json!({ "type": "peer_left", "id": message["member"]["id"] });
                    return vec![message.clone(), left, message];
                }
            }
            _ => {}
        }
        vec![message]
    }

    fn note(&mut self, member: &Value) {
        if let Ok(member) = Member::deserialize(member) {
            self.members.insert(member.id.to_string(), member);
        }
    }

    /// A signal for the same connection, encrypted as the sender would, with another secret.
    fn sealed_by_the_server(&self, signal: &Value) -> Option<Value> {
        let from = self.members.get(signal["from"].as_str()?)?;
        let to = self.members.get(self.addressees.get(signal["payload"]["sealed"].as_str()?)?)?;
        let mut made = Signal::deserialize(signal).ok()?;
        let (candidate, sdp_mid) =
            ("candidate:1 1 udp 1 192.0.2.1 9 typ host".to_owned(), Some("0".to_owned()));
        made.payload = SignalPayload::Candidate(SignalCandidate {
            candidate,
            sdp_mid,
            sdp_m_line_index: None,
            ufrag: None,
        });
        let keys = RoomKeys::derive(RoomSecret::from_random(6), &RoomName::new("attack").ok()?);
        let mut seals = SignalSeals::new(keys, from.instance.clone(), SeededRandom::new(6));
        let sealed = seals.seal(&from.id, to, &made)?;
        let mut signal = signal.clone();
        signal["payload"] = serde_json::to_value(sealed.payload).ok()?;
        Some(signal)
    }

    fn attack_signal(&mut self, mut signal: Value) -> Vec<Value> {
        let mut told = vec![signal.clone()];
        match self.trick {
            Trick::Altered => {
                let text = signal["payload"]["sealed"].as_str().unwrap_or_default();
                signal["payload"]["sealed"] = json!(altered(text));
                told = vec![signal];
            }
            Trick::Unsealed => {
                let description = json!({ "kind": "offer", "exchange": 1, "sdp": "v=0\r\n" });
                signal["payload"] = json!({ "description": description });
                told = vec![signal];
            }
            Trick::SealedWithoutTheSecret => match self.sealed_by_the_server(&signal) {
                Some(forged) => told = vec![forged],
                // One of the two is not known yet.
                None => return Vec::new(),
            },
            Trick::OtherSender => {
                let to = self.addressees.get(&text(&signal["payload"]["sealed"]));
                let is_third = |id: &&String| signal["from"] != **id && Some(*id) != to;
                let Some(third) = self.members.keys().find(is_third) else { return told };
                signal["from"] = json!(third);
                told = vec![signal];
            }
            Trick::OtherConnection => {
                signal["connection"] = json!("another-connection");
                told = vec![signal];
            }
            Trick::OtherGeneration => {
                signal["generation"] = json!(signal["generation"].as_u64().unwrap_or_default() + 1);
                told = vec![signal];
            }
            Trick::Replayed => told.push(signal),
            Trick::TurnedRound => {
                let of_the_addressee =
                    self.signals.iter().rev().find(|earlier| earlier["from"] != signal["from"]);
                if let Some(earlier) = of_the_addressee {
                    let mut turned = earlier.clone();
                    turned["from"] = signal["from"].clone();
                    told.push(turned);
                }
                self.changed += u32::from(told.len() > 1);
                return told;
            }
            Trick::Dropped => told.clear(),
            Trick::Truncated => {
                if self.count(&signal) == 1 {
                    return told;
                }
                told.clear();
            }
            Trick::ReloadForged => {
                let known = self.members.get(&text(&signal["from"])).cloned();
                let Some(member) = known.filter(|_| self.count(&signal) == BEFORE_RELOAD) else {
                    return told;
                };
                let truth = json!({ "type": "peer_joined", "member": member });
                let mut lie = truth.clone();
                lie["member"]["instance"] = json!("of-the-server");
                told.extend([lie, truth]);
            }
            Trick::Reordered => match self.held.take() {
                Some(held) if held["from"] == signal["from"] => told.push(held),
                held => {
                    self.held = Some(signal);
                    told = held.into_iter().collect();
                }
            },
            Trick::OtherAddressee
            | Trick::MembersSwapped
            | Trick::LeftAndBack
            | Trick::NameAltered
            | Trick::NameInTheClear
            | Trick::InstanceForged
            | Trick::Downgraded
            | Trick::ListedTwice
            | Trick::ArrivalsForged
            | Trick::HostForged
            | Trick::KnockForged => return told,
        }
        self.changed += 1;
        told
    }

    /// The number of this signal among those of its sender.
    fn count(&mut self, signal: &Value) -> u32 {
        let count = self.counts.entry(text(&signal["from"])).or_default();
        *count += 1;
        *count
    }

    fn attack_member(&mut self, member: &mut Value) {
        match self.trick {
            Trick::NameAltered => {
                let name = member["sealed_name"].as_str().unwrap_or_default();
                member["sealed_name"] = json!(altered(name));
            }
            Trick::NameInTheClear => {
                member["name"] = json!(FORGED_NAME);
                member.as_object_mut().map(|member| member.remove("sealed_name"));
            }
            Trick::InstanceForged => member["instance"] = json!("of-the-server"),
            Trick::ArrivalsForged => member["arrival"] = json!(1),
            _ => return,
        }
        self.changed += 1;
    }
}

/// The same page as another member.
fn listed_again(member: &Value) -> Value {
    let mut again = member.clone();
    again["id"] = json!(format!("again-{}", text(&member["id"])));
    again
}

/// The text with another letter in the middle.
fn altered(text: &str) -> String {
    let (beginning, end) = text.split_at(text.len() / 2);
    let other = if end.starts_with('A') { "B" } else { "A" };
    format!("{beginning}{other}{}", end.get(1..).unwrap_or_default())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
