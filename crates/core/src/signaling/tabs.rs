//! A room without a server, shared by tabs of the same browser.
//!
//! To the [`super::SignalingClient`] of its own tab, [`TabPlace`] acts as the server and speaks the server's protocol; to other
//! tabs it speaks [`TabMessage`]s. No tab is in charge: every tab keeps its own list of members, and all tabs reach the same
//! conclusions because they order the members by the same numbers (arrival, then id).

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use sightline_protocol::{
    Arrival, DisplayName, ErrorCode, InstanceId, Member, MemberId, Presence, RoomName,
    limits::{AWAY_HOLD_MS, DEFAULT_ROOM_MEMBERS},
    signaling::{ClientMessage, ServerMessage, Signal},
    tabs::TabMessage,
};

use crate::{
    Timestamp,
    budget::{Bucket, TAB_GREETINGS, TAB_SIGNALS},
    decode,
    random::SeededRandom,
};

/// How long a newcomer waits for the members to report. A tab that reports later is accepted all the same.
const ASKING: Duration = Duration::from_millis(200);
const HELLO_INTERVAL: Duration = Duration::from_secs(5);
/// Number of unanswered hellos after which a tab is away. Time does not count, because a hidden tab's timers are slow while
/// messages still reach it at once.
const UNANSWERED_HELLOS: u32 = 3;
const AWAY_HOLD: Duration = Duration::from_millis(AWAY_HOLD_MS);

/// What the caller is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TabOutput {
    /// Pass this frame to the client of this tab.
    Deliver(String),
    /// Post this to the other tabs.
    Post(String),
    /// Close the client's socket: the place has ended.
    Close,
}

/// The place of one tab in a room of tabs, from `join` to its end.
#[derive(Debug)]
pub struct TabPlace {
    random: SeededRandom,
    unix_ms: u64,
    room_limit: usize,
    phase: Phase,
    /// All other members, including those that are away; limited by the size of the room.
    others: BTreeMap<MemberId, Other>,
    greetings: Bucket,
    /// Emptied by the caller after each input.
    outputs: VecDeque<TabOutput>,
}

#[derive(Debug)]
enum Phase {
    /// The client has not joined.
    Outside,
    /// Waiting for the members to report.
    Asking {
        me: Member,
        room: RoomName,
        until: Timestamp,
    },
    /// The tab is in the room.
    Inside {
        me: Member,
        next_hello: Timestamp,
    },
    Over,
}

#[derive(Debug)]
struct Other {
    member: Member,
    /// Hellos of this tab since the last message of that tab.
    unanswered: u32,
    /// Since when the member is away.
    away_since: Option<Timestamp>,
    signals: Bucket,
}

impl TabPlace {
    /// A place before `join`. `unix_ms` is the time on the computer's clock, which all its tabs share and which orders their
    /// arrivals; the id is derived from the seed.
    #[must_use]
    pub fn new(seed: u128, unix_ms: u64) -> Self {
        Self {
            random: SeededRandom::new(seed),
            unix_ms,
            room_limit: DEFAULT_ROOM_MEMBERS,
            phase: Phase::Outside,
            others: BTreeMap::new(),
            greetings: Bucket::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes a frame of the client of this tab.
    pub fn handle_frame(&mut self, frame: &str, now: Timestamp) {
        let Ok(message) = serde_json::from_str(frame) else {
            return self.fail(ErrorCode::ProtocolError, "not understood");
        };
        match (message, &self.phase) {
            (_, Phase::Over) => {}
            (ClientMessage::Join { room, instance, name, sealed_name, resume, .. }, Phase::Outside) => {
                let claims = resume.as_deref().and_then(Claims::read);
                let me = Member { sealed_name, ..self.member(name, instance, claims) };
                self.post(&TabMessage::Ask { from: me.id.clone() });
                self.phase = Phase::Asking { me, room, until: now + ASKING };
            }
            (ClientMessage::Signal { to, signal }, Phase::Inside { .. }) => self.send_signal(to, signal),
            (ClientMessage::Ping { nonce }, Phase::Inside { .. }) => {
                self.deliver(&ServerMessage::Pong { nonce });
            }
            (ClientMessage::Leave, _) => self.leave(true),
            _ => self.fail(ErrorCode::ProtocolError, "not now"),
        }
    }

    /// Takes a post of another tab. An unreadable post is ignored, and so is a flood of greetings.
    pub fn handle_post(&mut self, post: &str, now: Timestamp) {
        let Some(me) = self.me().cloned() else { return };
        let is_inside = matches!(self.phase, Phase::Inside { .. });
        let message = decode::tab_message(post);
        let is_greeting = match &message {
            Ok(TabMessage::Ask { .. } | TabMessage::Hello { .. }) => true,
            Ok(TabMessage::Here { to, .. }) => *to == me.id,
            Ok(TabMessage::Away { from, instance } | TabMessage::Leave { from, instance }) => {
                self.knows(from, instance)
            }
            Ok(TabMessage::Signal { .. }) | Err(_) => false,
        };
        if is_greeting && !self.greetings.take(TAB_GREETINGS, 1, now) {
            return;
        }
        match message {
            Ok(TabMessage::Ask { from }) if is_inside => {
                self.post(&TabMessage::Here { to: from, member: me });
            }
            Ok(TabMessage::Hello { member }) => {
                if is_inside && member.id != me.id {
                    self.post(&TabMessage::Here { to: member.id.clone(), member: me });
                }
                self.hear_of(member);
            }
            Ok(TabMessage::Here { to, member }) if to == me.id => self.hear_of(member),
            Ok(TabMessage::Signal { from, to, signal })
                if is_inside && to == me.id && self.takes_signal(&from, now) =>
            {
                self.deliver(&ServerMessage::Signal { from, signal });
            }
            Ok(TabMessage::Away { from, instance }) if self.knows(&from, &instance) => {
                self.miss(&from, now);
            }
            Ok(TabMessage::Leave { from, instance }) if self.knows(&from, &instance) => self.forget(&from),
            Err(_) if is_inside => self.handle_unreadable(post, &me.id, now),
            _ => {}
        }
    }

    /// Forwards a signal for this tab that cannot be read, without its content, so that it is charged to its sender.
    fn handle_unreadable(&mut self, post: &str, me: &MemberId, now: Timestamp) {
        let envelope = decode::envelope(post);
        let is_for_us = envelope.r#type.as_deref() == Some("signal") && envelope.to.as_ref() == Some(me);
        if let Some(from) = envelope.from.filter(|from| is_for_us && self.takes_signal(from, now)) {
            // An id needs no escaping.
            self.outputs.push_back(TabOutput::Deliver(format!(r#"{{"type":"signal","from":"{from}"}}"#)));
        }
    }

    /// Notes that the page goes away, or that the client closed its socket: the other tabs hold the place for a while.
    pub fn handle_closed(&mut self) {
        self.leave(false);
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        match &self.phase {
            Phase::Asking { until, .. } if *until <= now => self.enter(now),
            Phase::Inside { next_hello, .. } if *next_hello <= now => self.greet(now),
            _ => {}
        }
        let given_up: Vec<_> = self
            .others
            .iter()
            .filter(|(_, other)| other.away_since.is_some_and(|since| since + AWAY_HOLD <= now))
            .map(|(id, _)| id.clone())
            .collect();
        given_up.iter().for_each(|id| self.forget(id));
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let next = match &self.phase {
            Phase::Outside | Phase::Over => return None,
            Phase::Asking { until, .. } => *until,
            Phase::Inside { next_hello, .. } => *next_hello,
        };
        let held_until = self.others.values().filter_map(|other| other.away_since).min();
        Some(held_until.map_or(next, |since| next.min(since + AWAY_HOLD)))
    }

    /// The next thing that the caller is to do.
    pub fn poll_output(&mut self) -> Option<TabOutput> {
        self.outputs.pop_front()
    }

    fn me(&self) -> Option<&Member> {
        match &self.phase {
            Phase::Asking { me, .. } | Phase::Inside { me, .. } => Some(me),
            Phase::Outside | Phase::Over => None,
        }
    }

    fn member(&mut self, name: DisplayName, instance: InstanceId, claims: Option<Claims>) -> Member {
        let id = claims.as_ref().map(|claims| claims.id.clone());
        // The same page instance returns to its place; another one has lost its peer connections and is a newcomer.
        let arrival = claims.filter(|claims| claims.instance == instance).map(|claims| claims.arrival);
        Member {
            id: id.unwrap_or_else(|| MemberId::from_random(self.random.next_u128())),
            name,
            sealed_name: None,
            instance,
            arrival: arrival.unwrap_or(Arrival(self.unix_ms)),
            presence: Presence::Present,
        }
    }

    /// Enters the room: all members have had the time to report.
    fn enter(&mut self, now: Timestamp) {
        if self.others.len() >= self.room_limit {
            return self.refuse_full();
        }
        let Phase::Asking { me, room, .. } = std::mem::replace(&mut self.phase, Phase::Outside) else {
            return;
        };
        let claims = Claims { id: me.id.clone(), instance: me.instance.clone(), arrival: me.arrival };
        self.deliver(&ServerMessage::Joined {
            you: me.id.clone(),
            arrival: me.arrival,
            room,
            members: self.others.values().map(|other| other.member.clone()).collect(),
            resume: claims.write(),
            ice_servers: Vec::new(),
            ice_servers_life_s: None,
            room_limit: self.room_limit,
            // Every tab belongs to the same person.
            hosts: Vec::new(),
            locked: false,
            admission_sha256: None,
        });
        self.phase = Phase::Inside { me, next_hello: now };
        self.greet(now);
    }

    /// Posts a hello, and marks members away that did not answer the last ones.
    fn greet(&mut self, now: Timestamp) {
        let Phase::Inside { me, next_hello } = &mut self.phase else { return };
        *next_hello = now + HELLO_INTERVAL;
        let hello = TabMessage::Hello { member: me.clone() };
        let mut missed = Vec::new();
        for (id, other) in &mut self.others {
            if other.unanswered >= UNANSWERED_HELLOS {
                missed.push(id.clone());
            }
            other.unanswered += 1;
        }
        missed.iter().for_each(|id| self.miss(id, now));
        self.post(&hello);
    }

    /// Notes that another tab is in the room.
    fn hear_of(&mut self, member: Member) {
        let Some(me) = self.me() else { return };
        if member.id == me.id {
            // A duplicated tab has a copy of the token; the later of the two stays.
            if member.instance != me.instance && order(me) < order(&member) {
                self.deliver(&ServerMessage::Replaced);
                self.end();
            }
            return;
        }
        let is_inside = matches!(self.phase, Phase::Inside { .. });
        let is_full = self.others.len() >= self.room_limit;
        let is_news = match self.others.get_mut(&member.id) {
            // A late message of a page that was reloaded since.
            Some(other) if order(&member) < order(&other.member) => return,
            Some(other) => {
                let was_as_now = other.member == member;
                *other = Other { signals: other.signals, ..Other::heard(member.clone()) };
                !was_as_now
            }
            None if !is_inside && is_full => return,
            None => {
                self.others.insert(member.id.clone(), Other::heard(member.clone()));
                true
            }
        };
        if is_inside && self.others.len() >= self.room_limit && !self.settle_overfull(&member.id) {
            return;
        }
        if is_inside && is_news {
            self.deliver(&ServerMessage::PeerJoined { member });
        }
    }

    /// Handles a room with too many members after several joined at the same time: every tab knows that the last arrival must go.
    /// Returns whether the member that was just heard of stays.
    fn settle_overfull(&mut self, heard: &MemberId) -> bool {
        let last =
            self.others.values().map(|other| &other.member).max_by_key(|member| order(member)).cloned();
        let Some((last, me)) = last.zip(self.me()) else { return false };
        if order(&last) < order(me) {
            self.refuse_full();
            false
        } else if last.id == *heard {
            self.others.remove(heard);
            false
        } else {
            self.forget(&last.id);
            true
        }
    }

    fn refuse_full(&mut self) {
        self.deliver(&ServerMessage::Full { room_limit: self.room_limit });
        self.leave(true);
    }

    fn send_signal(&mut self, to: MemberId, signal: Signal) {
        let is_present = self.others.get(&to).is_some_and(|other| other.away_since.is_none());
        match self.me().map(|me| me.id.clone()).filter(|_| is_present) {
            Some(from) => self.post(&TabMessage::Signal { from, to, signal }),
            None => self.deliver(&ServerMessage::Error {
                code: ErrorCode::PeerUnreachable,
                message: format!("{to} is not in the room or is away"),
            }),
        }
    }

    fn takes_signal(&mut self, from: &MemberId, now: Timestamp) -> bool {
        self.others.get_mut(from).is_some_and(|other| other.signals.take(TAB_SIGNALS, 1, now))
    }

    fn knows(&self, id: &MemberId, instance: &InstanceId) -> bool {
        self.others.get(id).is_some_and(|other| other.member.instance == *instance)
    }

    fn miss(&mut self, id: &MemberId, now: Timestamp) {
        let Some(other) = self.others.get_mut(id).filter(|other| other.away_since.is_none()) else { return };
        other.away_since = Some(now);
        other.member.presence = Presence::Away;
        if matches!(self.phase, Phase::Inside { .. }) {
            self.deliver(&ServerMessage::PeerAway { id: id.clone() });
        }
    }

    fn forget(&mut self, id: &MemberId) {
        if self.others.remove(id).is_some() && matches!(self.phase, Phase::Inside { .. }) {
            self.deliver(&ServerMessage::PeerLeft { id: id.clone() });
        }
    }

    fn leave(&mut self, for_good: bool) {
        // The others have heard of this tab only if it was in the room.
        if let Phase::Inside { me, .. } = &self.phase {
            let (from, instance) = (me.id.clone(), me.instance.clone());
            self.post(&if for_good {
                TabMessage::Leave { from, instance }
            } else {
                TabMessage::Away { from, instance }
            });
        }
        self.end();
    }

    fn fail(&mut self, code: ErrorCode, message: &str) {
        self.deliver(&ServerMessage::Error { code, message: message.to_owned() });
        self.leave(false);
    }

    fn end(&mut self) {
        if !matches!(self.phase, Phase::Over) {
            self.outputs.push_back(TabOutput::Close);
        }
        self.phase = Phase::Over;
    }

    fn deliver(&mut self, message: &ServerMessage) {
        self.outputs.extend(serde_json::to_string(message).ok().map(TabOutput::Deliver));
    }

    fn post(&mut self, message: &TabMessage) {
        self.outputs.extend(serde_json::to_string(message).ok().map(TabOutput::Post));
    }
}

impl Other {
    fn heard(member: Member) -> Self {
        Self { member, unanswered: 0, away_since: None, signals: Bucket::default() }
    }
}

/// The order of two page instances; the greater one came later.
fn order(member: &Member) -> (Arrival, &MemberId) {
    (member.arrival, &member.id)
}

/// The contents of a resume token, kept by the tab. It needs no signature: only this origin can read the tab's storage.
struct Claims {
    id: MemberId,
    arrival: Arrival,
    instance: InstanceId,
}

impl Claims {
    fn write(&self) -> String {
        format!("{}.{}.{}", self.id, self.arrival.0, self.instance)
    }

    /// `None` also for the token of a server, which has another form.
    fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let claims = Self {
            id: MemberId::new(parts.next()?).ok()?,
            arrival: Arrival(parts.next()?.parse().ok()?),
            instance: InstanceId::new(parts.next()?).ok()?,
        };
        parts.next().is_none().then_some(claims)
    }
}
