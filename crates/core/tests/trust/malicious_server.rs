//! A server that attacks a protected call: it exchanges descriptions for its own, replays, reorders, drops, turns signals round, moves
//! them to other members and connections, swaps members, forges names and takes the protection away.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
    time::Duration,
};

use sightline_core::{
    notice::NoticeCode,
    random::SeededRandom,
    room::{LinkState, RoomEvent},
    trust::{Refusal, RoomKeys, RoomSecret, SignalSeals},
};
use sightline_protocol::{
    ConnectionId, DisplayName, Generation, InstanceId, Member, MemberId, RoomName, SealedSignal,
    signaling::{DescriptionKind, ServerMessage, Signal, SignalDescription, SignalPayload},
};

use crate::world::World;

const ATTEMPTS: u64 = 1_000;
const PAGES: usize = 3;
/// Fewer than the budget of unreadable messages, so that every one of them is looked at.
const MOST_CHANGES: usize = 30;
/// The beginning of every description that the server makes.
const FORGED_SDP: &str = "v=0\r\na=fingerprint:sha-256 THE-SERVERS-OWN\r\na=ice-ufrag:mitm\r\n";

/// What the server did, for the coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trick {
    Unsealed,
    SealedWithoutTheSecret,
    BitChanged,
    OtherConnection,
    OtherGeneration,
    OtherSender,
    OtherAddressee,
    TurnedRound,
    Replayed,
    Reordered,
    Dropped,
    MembersSwapped,
    InstanceForged,
    NameForged,
    NameInTheClear,
    LeftAndBack,
}

struct Attacker {
    random: SeededRandom,
    /// All sealed signals so far, with the page that each was for.
    seen: Vec<(usize, MemberId, Signal)>,
    /// A signal that is to arrive later.
    held: Vec<(usize, ServerMessage)>,
    /// The members that a page knows.
    known: HashMap<usize, BTreeSet<MemberId>>,
    /// Changed signals of known members, by the page that each was sent to.
    changes: BTreeMap<usize, usize>,
    tricks: BTreeMap<Trick, u32>,
    is_over: bool,
}

impl Attacker {
    fn new(seed: u64) -> Self {
        Self {
            random: SeededRandom::new(u128::from(seed)),
            seen: Vec::new(),
            held: Vec::new(),
            known: HashMap::new(),
            changes: BTreeMap::new(),
            tricks: BTreeMap::new(),
            is_over: false,
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.random.next_u64() % limit.max(1) as u64) as usize
    }

    fn note(&mut self, trick: Trick) {
        *self.tricks.entry(trick).or_default() += 1;
    }

    /// Notes a signal that the addressee has to refuse, if the page knows its sender.
    fn changed(
        &mut self,
        page: usize,
        from: MemberId,
        signal: Signal,
        told: &mut Vec<(usize, ServerMessage)>,
    ) {
        if self.changes.values().sum::<usize>() < MOST_CHANGES {
            let is_own = from.as_str() == format!("m{page}");
            if !is_own && self.known.get(&page).is_some_and(|known| known.contains(&from)) {
                *self.changes.entry(page).or_default() += 1;
            }
            told.push((page, ServerMessage::Signal { from, signal }));
        }
    }

    fn interfere(&mut self, page: usize, message: ServerMessage) -> Vec<(usize, ServerMessage)> {
        if self.is_over {
            return vec![(page, message)];
        }
        let mut told = Vec::new();
        match message {
            ServerMessage::Signal { from, signal } => self.attack_signal(page, from, signal, &mut told),
            mut message @ ServerMessage::Joined { .. } => {
                if let ServerMessage::Joined { members, .. } = &mut message {
                    self.attack_members(members);
                    self.known.insert(page, members.iter().map(|member| member.id.clone()).collect());
                }
                told.push((page, message));
            }
            ServerMessage::PeerJoined { mut member } => {
                self.attack_members(std::slice::from_mut(&mut member));
                self.known.entry(page).or_default().insert(member.id.clone());
                if self.below(4) == 0 {
                    self.note(Trick::LeftAndBack);
                    told.push((page, ServerMessage::PeerJoined { member: member.clone() }));
                    told.push((page, ServerMessage::PeerLeft { id: member.id.clone() }));
                }
                told.push((page, ServerMessage::PeerJoined { member }));
            }
            ServerMessage::PeerLeft { id } => {
                self.known.entry(page).or_default().remove(&id);
                told.push((page, ServerMessage::PeerLeft { id }));
            }
            other => told.push((page, other)),
        }
        if !self.held.is_empty() && self.below(2) == 0 {
            let at = self.below(self.held.len());
            told.push(self.held.remove(at));
        }
        told
    }

    fn attack_signal(
        &mut self,
        page: usize,
        from: MemberId,
        signal: Signal,
        told: &mut Vec<(usize, ServerMessage)>,
    ) {
        self.seen.push((page, from.clone(), signal.clone()));
        let SignalPayload::Sealed(sealed) = signal.payload.clone() else { panic!("a page sent it unsealed") };
        let own = SignalDescription {
            kind: [DescriptionKind::Offer, DescriptionKind::Answer][self.below(2)],
            exchange: 1 + self.below(3) as u32,
            sdp: FORGED_SDP.to_owned(),
            published: None,
        };
        let own = Signal { payload: SignalPayload::Description(own), ..signal.clone() };
        let others: Vec<_> =
            (0..PAGES).filter(|other| *other != page && self.known.contains_key(other)).collect();
        let other_page = others[self.below(others.len())];
        match self.below(14) {
            0 => {
                self.note(Trick::Unsealed);
                self.changed(page, from, own, told);
            }
            1 => {
                self.note(Trick::SealedWithoutTheSecret);
                let keys = RoomKeys::derive(RoomSecret::from_random(8), &RoomName::new("team").unwrap());
                let instance = InstanceId::new(format!("i{}", self.below(PAGES))).unwrap();
                let random = SeededRandom::new(u128::from(self.random.next_u64()));
                let mut seals = SignalSeals::new(keys, instance, random);
                let to = Member {
                    id: MemberId::new(format!("m{page}")).unwrap(),
                    name: DisplayName::default(),
                    sealed_name: None,
                    instance: InstanceId::new(format!("i{page}")).unwrap(),
                    arrival: sightline_protocol::Arrival(1),
                    presence: sightline_protocol::Presence::Present,
                };
                let forged = seals.seal(&from, &to, &own).unwrap();
                self.changed(page, from, forged, told);
            }
            2 => {
                self.note(Trick::BitChanged);
                let mut text = sealed.as_str().as_bytes().to_vec();
                // Beyond the addressee's tag.
                let at = 6 + self.below(text.len() - 6);
                text[at] = if text[at] == b'A' { b'B' } else { b'A' };
                let text = String::from_utf8(text).unwrap();
                let payload = SignalPayload::Sealed(SealedSignal::new(text).unwrap());
                self.changed(page, from, Signal { payload, ..signal }, told);
            }
            3 => {
                self.note(Trick::OtherConnection);
                let connection = ConnectionId::from_random(self.random.next_u128());
                self.changed(page, from, Signal { connection, ..signal }, told);
            }
            4 => {
                self.note(Trick::OtherGeneration);
                let generation = Generation(signal.generation.0 + 1 + self.below(3) as u32);
                self.changed(page, from, Signal { generation, ..signal }, told);
            }
            5 => {
                self.note(Trick::OtherSender);
                let other = MemberId::new(format!("m{other_page}")).unwrap();
                if other != from {
                    self.changed(page, other, signal, told);
                }
            }
            6 => {
                self.note(Trick::OtherAddressee);
                // Sealed for the page of another member: stale there.
                told.push((other_page, ServerMessage::Signal { from, signal }));
            }
            7 => {
                self.note(Trick::TurnedRound);
                let sender = usize::from(from.as_str().as_bytes()[1] - b'0');
                let from = MemberId::new(format!("m{page}")).unwrap();
                told.push((sender, ServerMessage::Signal { from, signal }));
            }
            8 => {
                self.note(Trick::Replayed);
                told.push((page, ServerMessage::Signal { from: from.clone(), signal: signal.clone() }));
                self.changed(page, from, signal, told);
            }
            9 => {
                self.note(Trick::Replayed);
                told.push((page, ServerMessage::Signal { from, signal }));
                let at = self.below(self.seen.len());
                let (page, from, signal) = self.seen[at].clone();
                // It may not have been delivered before: then it is only late.
                told.push((page, ServerMessage::Signal { from, signal }));
            }
            10 => {
                self.note(Trick::Reordered);
                self.held.push((page, ServerMessage::Signal { from, signal }));
            }
            11 => self.note(Trick::Dropped),
            _ => told.push((page, ServerMessage::Signal { from, signal })),
        }
    }

    fn attack_members(&mut self, members: &mut [Member]) {
        match self.below(6) {
            0 if members.len() > 1 => {
                self.note(Trick::MembersSwapped);
                let first = members[0].id.clone();
                members[0].id = std::mem::replace(&mut members[1].id, first);
            }
            1 if !members.is_empty() => {
                self.note(Trick::InstanceForged);
                members[0].instance = InstanceId::new("of-the-server").unwrap();
            }
            2 if members.len() > 1 => {
                self.note(Trick::NameForged);
                members[0].sealed_name = members[1].sealed_name.clone();
            }
            3 if !members.is_empty() => {
                self.note(Trick::NameInTheClear);
                members[0].sealed_name = None;
                members[0].name = DisplayName::cut("someone 0");
            }
            _ => {}
        }
    }
}

/// Every description that a page applied was made by the page that it is taken for, for this page.
fn assert_no_one_in_the_middle(world: &World, what: &str) {
    for (page, other, sdp) in &world.applied {
        let made = world.made.get(sdp);
        assert_eq!(made, Some(&(other.clone(), page.clone())), "{what}: {page} applied {sdp:?}");
    }
}

/// Every name that is shown is the name of the page that is taken for its member.
fn assert_names(world: &World, what: &str) {
    for page in 0..world.pages.len() {
        for peer in world.pages[page].session.peers() {
            let real = (0..world.pages.len()).find(|other| *world.instance(*other) == peer.member.instance);
            let real = real.map(|other| format!("someone {other}"));
            if peer.has_readable_name() {
                assert_eq!(Some(peer.member.name.as_str()), real.as_deref(), "{what}: page {page}");
            } else {
                assert!(peer.member.name.is_empty(), "{what}: page {page}");
            }
        }
    }
}

#[test]
fn of_a_thousand_attempts_none_has_an_effect_and_none_is_undetected() {
    let mut tricks: BTreeMap<Trick, u32> = BTreeMap::new();
    let (mut changed, mut told, mut calls) = (0, 0, 0);
    for attempt in 0..ATTEMPTS {
        let what = format!("attempt {attempt}");
        let mut world = World::new();
        world.secret = Some(RoomSecret::from_random(7));
        let attacker = Rc::new(RefCell::new(Attacker::new(attempt)));
        let at_work = Rc::clone(&attacker);
        world.interference =
            Some(Box::new(move |page, message| at_work.borrow_mut().interfere(page, message)));
        for _ in 0..PAGES {
            world.open(None);
        }
        world.pass(Duration::from_secs(4));
        world.fail_links(attempt as usize % PAGES);
        world.pass(Duration::from_secs(8));
        assert_no_one_in_the_middle(&world, &what);
        assert_names(&world, &what);
        for (page, changes) in &attacker.borrow().changes {
            let events = &world.pages[*page].events;
            let refused = events.iter().filter_map(|event| match event {
                RoomEvent::SignalRefused(_, refusal) => Some(*refusal),
                _ => None,
            });
            let refused: Vec<_> = refused.collect();
            assert!(refused.len() >= *changes, "{what}: {refused:?} for {changes} at page {page}");
            // A signal looks stale where the server told its sender another page instance of the addressee: then it is as good as
            // dropped, and the person is not told.
            let forged = refused.iter().filter(|refusal| **refusal != Refusal::Stale).count();
            let is_told = events.contains(&RoomEvent::Raised(NoticeCode::SignalsRefused));
            assert_eq!(is_told, forged > 0, "{what}: page {page}");
            changed += changes;
            told += forged;
        }
        // A server that is honest again has its rooms back.
        attacker.borrow_mut().is_over = true;
        world.restart_server();
        world.pass(Duration::from_secs(90));
        assert_no_one_in_the_middle(&world, &what);
        assert_names(&world, &what);
        for page in 0..PAGES {
            for other in (0..PAGES).filter(|other| *other != page) {
                calls += u32::from(world.state(page, other) == Some(LinkState::Connected));
            }
        }
        for (trick, count) in &attacker.borrow().tricks {
            *tricks.entry(*trick).or_default() += count;
        }
    }
    eprintln!(
        "{changed} changed signals, {told} refusals that are told, {calls} ends of calls afterwards, {tricks:?}"
    );
    assert_eq!(tricks.len(), 16, "each trick was tried: {tricks:?}");
    assert!(tricks.values().all(|count| *count > 100), "{tricks:?}");
    assert!(changed > 5_000 && told > 5_000, "{changed}, {told}");
    assert_eq!(calls, ATTEMPTS as u32 * 6, "the members meet as soon as they are let");
}

/// The model can tell: without the seals the same server gets between them.
#[test]
fn the_same_server_gets_between_members_of_an_unprotected_room() {
    let mut world = World::new();
    world.interference = Some(Box::new(|page, message| {
        let message = match message {
            ServerMessage::Signal { from, mut signal } => {
                if let SignalPayload::Description(description) = &mut signal.payload {
                    description.sdp = FORGED_SDP.to_owned();
                }
                ServerMessage::Signal { from, signal }
            }
            other => other,
        };
        vec![(page, message)]
    }));
    let (_, _) = (world.open(None), world.open(None));
    assert!(world.applied.iter().any(|(_, _, sdp)| sdp == FORGED_SDP));
}
