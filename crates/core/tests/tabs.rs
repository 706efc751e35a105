//! Rooms of tabs without a server, in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::VecDeque, time::Duration};

use sightline_core::{
    Timestamp,
    signaling::{TabOutput, TabPlace},
};
use sightline_protocol::{
    ConnectionId, DisplayName, Generation, InstanceId, MemberId, Presence, RoomName,
    signaling::{ClientMessage, ServerMessage, Signal, SignalCandidate, SignalPayload},
};

/// The tabs on one channel.
#[derive(Default)]
struct Tabs {
    now: Timestamp,
    tabs: Vec<Tab>,
    posts: VecDeque<(usize, String)>,
    next_seed: u128,
}

struct Tab {
    place: TabPlace,
    heard: Vec<ServerMessage>,
    is_open: bool,
    /// Whether nothing reaches the tab and its timers do not run, as in a tab that crashed.
    is_frozen: bool,
}

impl Tabs {
    /// A tab that has sent `join`.
    fn join(&mut self, instance: &str, resume: Option<String>) -> usize {
        self.next_seed += 1;
        let unix_ms = 1_790_000_000_000 + self.now.since_origin().as_millis() as u64;
        let place = TabPlace::new(self.next_seed, unix_ms);
        self.tabs.push(Tab { place, heard: Vec::new(), is_open: true, is_frozen: false });
        let tab = self.tabs.len() - 1;
        self.say(
            tab,
            &ClientMessage::Join {
                protocol: 1,
                room: RoomName::new("tabs").unwrap(),
                admission: None,
                sealed_name: None,
                name: DisplayName::cut(instance),
                instance: InstanceId::new(instance).unwrap(),
                resume,
                attended: Some(true),
                create_token: None,
                rekeys: false,
            },
        );
        tab
    }

    /// A tab that has joined, after the others were told.
    fn enter(&mut self, instance: &str) -> usize {
        let tab = self.join(instance, None);
        self.pass(Duration::from_millis(300));
        tab
    }

    fn say(&mut self, tab: usize, message: &ClientMessage) {
        let now = self.now;
        self.tabs[tab].place.handle_frame(&serde_json::to_string(message).unwrap(), now);
        self.settle();
    }

    /// The tab's page is closed or reloaded.
    fn hide(&mut self, tab: usize) {
        self.tabs[tab].place.handle_closed();
        self.settle();
    }

    fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        while let Some(next) = self.next_timeout().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            for tab in 0..self.tabs.len() {
                if !self.tabs[tab].is_frozen {
                    let now = self.now;
                    self.tabs[tab].place.handle_timeout(now);
                }
            }
            self.settle();
        }
        self.now = end;
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        self.tabs.iter().filter(|tab| !tab.is_frozen).filter_map(|tab| tab.place.poll_timeout()).min()
    }

    fn settle(&mut self) {
        loop {
            for (at, tab) in self.tabs.iter_mut().enumerate() {
                while let Some(output) = tab.place.poll_output() {
                    match output {
                        TabOutput::Deliver(frame) => tab.heard.push(serde_json::from_str(&frame).unwrap()),
                        TabOutput::Post(post) => self.posts.push_back((at, post)),
                        TabOutput::Close => tab.is_open = false,
                    }
                }
            }
            let Some((from, post)) = self.posts.pop_front() else { break };
            for (at, tab) in self.tabs.iter_mut().enumerate() {
                if at != from && !tab.is_frozen {
                    tab.place.handle_post(&post, self.now);
                }
            }
        }
    }

    /// The tab's own id, the ids of the others, and its token, as `joined` said.
    fn joined(&self, tab: usize) -> (MemberId, Vec<MemberId>, String) {
        let joined = self.tabs[tab].heard.iter().find_map(|message| match message {
            ServerMessage::Joined { you, members, resume, .. } => {
                let members = members.iter().map(|member| member.id.clone()).collect();
                Some((you.clone(), members, resume.clone()))
            }
            _ => None,
        });
        joined.expect("it has joined")
    }

    fn id(&self, tab: usize) -> MemberId {
        self.joined(tab).0
    }

    fn take_heard(&mut self, tab: usize) -> Vec<ServerMessage> {
        std::mem::take(&mut self.tabs[tab].heard)
    }

    fn is_full(&self, tab: usize) -> bool {
        self.tabs[tab].heard.contains(&ServerMessage::Full { room_limit: 8 })
    }
}

fn arrival(message: &ServerMessage) -> u64 {
    match message {
        ServerMessage::Joined { arrival, .. } => arrival.0,
        ServerMessage::PeerJoined { member } => member.arrival.0,
        other => panic!("{other:?}"),
    }
}

fn signal() -> Signal {
    Signal {
        connection: ConnectionId::new("c").unwrap(),
        generation: Generation(0),
        payload: SignalPayload::Candidate(SignalCandidate {
            candidate: String::new(),
            sdp_mid: None,
            sdp_m_line_index: None,
            ufrag: None,
        }),
    }
}

#[test]
fn a_newcomer_and_the_other_members_learn_of_each_other() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    assert_eq!(tabs.joined(ada).1, []);
    assert_eq!(tabs.joined(bob).1, [tabs.id(ada)]);
    let heard = &tabs.tabs[ada].heard;
    assert!(
        matches!(&heard[1..], [ServerMessage::PeerJoined { member }] if member.id == tabs.id(bob)),
        "{heard:?}"
    );
    assert!(arrival(&tabs.tabs[bob].heard[0]) > arrival(&heard[0]), "the newcomer is not the later one");
}

#[test]
fn two_that_open_at_once_meet() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.join("ada", None), tabs.join("bob", None));
    tabs.pass(Duration::from_secs(1));
    for (tab, other) in [(ada, bob), (bob, ada)] {
        let met = tabs.tabs[tab].heard.iter().any(|message| match message {
            ServerMessage::Joined { members, .. } => members.iter().any(|member| member.id == tabs.id(other)),
            ServerMessage::PeerJoined { member } => member.id == tabs.id(other),
            _ => false,
        });
        assert!(met, "{tab}: {:?}", tabs.tabs[tab].heard);
    }
}

#[test]
fn a_signal_reaches_only_its_addressee_with_its_sender() {
    let mut tabs = Tabs::default();
    let [ada, bob, eve] = ["ada", "bob", "eve"].map(|name| tabs.enter(name));
    let ids = [ada, bob, eve].map(|tab| tabs.id(tab));
    (0..3).for_each(|tab| drop(tabs.take_heard(tab)));
    tabs.say(ada, &ClientMessage::Signal { to: ids[1].clone(), signal: signal() });
    assert_eq!(tabs.take_heard(bob), [ServerMessage::Signal { from: ids[0].clone(), signal: signal() }]);
    assert_eq!(tabs.take_heard(eve), []);

    tabs.say(ada, &ClientMessage::Signal { to: MemberId::new("nobody").unwrap(), signal: signal() });
    assert!(matches!(tabs.take_heard(ada)[..], [ServerMessage::Error { .. }]));
    assert!(tabs.tabs[ada].is_open);
}

#[test]
fn a_ping_is_answered() {
    let mut tabs = Tabs::default();
    let ada = tabs.enter("ada");
    tabs.take_heard(ada);
    tabs.say(ada, &ClientMessage::Ping { nonce: 7 });
    assert_eq!(tabs.take_heard(ada), [ServerMessage::Pong { nonce: 7 }]);
}

#[test]
fn who_leaves_is_gone_at_once() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    let id = tabs.id(bob);
    tabs.take_heard(ada);
    tabs.say(bob, &ClientMessage::Leave);
    assert_eq!(tabs.take_heard(ada), [ServerMessage::PeerLeft { id }]);
    assert!(!tabs.tabs[bob].is_open);
}

#[test]
fn a_reloaded_tab_has_its_place_again_as_a_newcomer() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    let (id, _, token) = tabs.joined(bob);
    let before = arrival(&tabs.tabs[bob].heard[0]);
    tabs.take_heard(ada);
    tabs.hide(bob);
    assert_eq!(tabs.take_heard(ada), [ServerMessage::PeerAway { id: id.clone() }]);

    let again = tabs.join("bob-again", Some(token));
    tabs.pass(Duration::from_secs(60));
    assert_eq!(tabs.id(again), id);
    let heard = tabs.take_heard(ada);
    assert!(
        matches!(&heard[..], [ServerMessage::PeerJoined { member }]
            if member.id == id && member.instance.as_str() == "bob-again" && member.arrival.0 > before),
        "{heard:?}"
    );
}

#[test]
fn the_same_page_comes_back_with_its_arrival() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    let (id, _, token) = tabs.joined(bob);
    let before = arrival(&tabs.tabs[bob].heard[0]);
    tabs.hide(bob);
    tabs.take_heard(ada);
    tabs.pass(Duration::from_secs(1));
    let again = tabs.join("bob", Some(token));
    tabs.pass(Duration::from_secs(1));
    assert_eq!((tabs.id(again), arrival(&tabs.tabs[again].heard[0])), (id, before));
    let heard = tabs.take_heard(ada);
    assert!(matches!(&heard[..], [ServerMessage::PeerJoined { member }] if member.arrival.0 == before));
}

#[test]
fn a_closed_tab_is_given_up_after_half_a_minute() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    let id = tabs.id(bob);
    tabs.hide(bob);
    tabs.take_heard(ada);
    tabs.pass(Duration::from_secs(29));
    assert_eq!(tabs.take_heard(ada), []);
    tabs.pass(Duration::from_secs(2));
    assert_eq!(tabs.take_heard(ada), [ServerMessage::PeerLeft { id }]);
}

#[test]
fn a_tab_that_crashed_is_missed_and_one_that_wakes_up_is_welcome() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    let id = tabs.id(bob);
    tabs.take_heard(ada);
    tabs.tabs[bob].is_frozen = true;
    tabs.pass(Duration::from_secs(21));
    assert_eq!(tabs.take_heard(ada), [ServerMessage::PeerAway { id: id.clone() }]);
    tabs.pass(Duration::from_secs(30));
    assert_eq!(tabs.take_heard(ada), [ServerMessage::PeerLeft { id: id.clone() }]);

    tabs.tabs[bob].is_frozen = false;
    tabs.pass(Duration::from_secs(6));
    let heard = tabs.take_heard(ada);
    assert!(matches!(&heard[..], [ServerMessage::PeerJoined { member }] if member.id == id), "{heard:?}");
}

#[test]
fn a_quiet_tab_whose_timers_are_slow_is_not_missed() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    tabs.take_heard(ada);
    tabs.take_heard(bob);
    tabs.pass(Duration::from_secs(600));
    assert_eq!((tabs.take_heard(ada), tabs.take_heard(bob)), (vec![], vec![]));
}

#[test]
fn a_copied_tab_replaces_its_original() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    let (id, _, token) = tabs.joined(bob);
    let copy = tabs.join("copy", Some(token));
    tabs.pass(Duration::from_secs(20));
    assert!(tabs.tabs[bob].heard.contains(&ServerMessage::Replaced));
    assert!(!tabs.tabs[bob].is_open && tabs.tabs[copy].is_open);
    assert_eq!(tabs.id(copy), id);
    let heard = tabs.take_heard(ada);
    assert!(!heard.contains(&ServerMessage::PeerLeft { id }), "{heard:?}");
}

#[test]
fn a_ninth_member_learns_that_the_room_is_full_and_the_others_notice_nothing() {
    let mut tabs = Tabs::default();
    for at in 0..8 {
        tabs.enter(&format!("tab-{at}"));
    }
    (0..8).for_each(|tab| drop(tabs.take_heard(tab)));
    let ninth = tabs.enter("ninth");
    assert!(tabs.is_full(ninth) && !tabs.tabs[ninth].is_open);
    tabs.pass(Duration::from_secs(60));
    (0..8).for_each(|tab| assert_eq!(tabs.take_heard(tab), [], "{tab}"));
}

#[test]
fn only_one_of_two_simultaneous_joins_gets_the_last_place() {
    for at_once in [0, 1, 30] {
        let mut tabs = Tabs::default();
        for at in 0..7 {
            tabs.enter(&format!("tab-{at}"));
        }
        let eighth = tabs.join("eighth", None);
        tabs.pass(Duration::from_millis(at_once));
        let ninth = tabs.join("ninth", None);
        tabs.pass(Duration::from_secs(60));
        assert_eq!([eighth, ninth].map(|tab| tabs.tabs[tab].is_open).iter().filter(|open| **open).count(), 1);
        for tab in (0..9).filter(|tab| tabs.tabs[*tab].is_open) {
            assert_eq!(present(&tabs.tabs[tab].heard), 7, "{tab}: {:?}", tabs.tabs[tab].heard);
        }
    }
}

#[test]
fn noise_on_the_channel_changes_nothing() {
    let mut tabs = Tabs::default();
    let (ada, bob) = (tabs.enter("ada"), tabs.enter("bob"));
    tabs.take_heard(ada);
    for noise in
        ["", "{}", "[1]", "{\"type\":\"bye\"}", "{\"type\":\"leave\",\"from\":\"<b>\",\"instance\":\"x\"}"]
    {
        let now = tabs.now;
        tabs.tabs[ada].place.handle_post(noise, now);
        tabs.settle();
    }
    // A late message of an earlier page instance.
    let stale = format!("{{\"type\":\"leave\",\"from\":\"{}\",\"instance\":\"older\"}}", tabs.id(bob));
    let now = tabs.now;
    tabs.tabs[ada].place.handle_post(&stale, now);
    tabs.settle();
    assert_eq!(tabs.take_heard(ada), []);
}

/// Number of other members that a client knows after these messages.
fn present(heard: &[ServerMessage]) -> usize {
    let mut ids: Vec<MemberId> = Vec::new();
    for message in heard {
        match message {
            ServerMessage::Joined { members, .. } => {
                ids = members.iter().map(|member| member.id.clone()).collect();
            }
            ServerMessage::PeerJoined { member } => {
                assert_eq!(member.presence, Presence::Present);
                ids.retain(|id| *id != member.id);
                ids.push(member.id.clone());
            }
            ServerMessage::PeerLeft { id } => ids.retain(|known| known != id),
            _ => {}
        }
    }
    ids.len()
}

/// The messages that a tab receives after another one posted this.
fn delivered(tabs: &mut Tabs, tab: usize, post: &str) -> Vec<String> {
    let now = tabs.now;
    tabs.tabs[tab].place.handle_post(post, now);
    let outputs = std::iter::from_fn(|| tabs.tabs[tab].place.poll_output());
    outputs
        .filter_map(|output| if let TabOutput::Deliver(frame) = output { Some(frame) } else { None })
        .collect()
}

#[test]
fn an_unreadable_signal_is_reported_with_its_sender() {
    let mut tabs = Tabs::default();
    let (a, b) = (tabs.enter("a"), tabs.enter("b"));
    let (a_id, b_id) = (tabs.id(a), tabs.id(b));
    let brackets = "[".repeat(200) + &"]".repeat(200);
    for inside in [r#"{"candidate":{"candidate":"x","u":1e999}}"#, r#"{"x":"\ud800"}"#, &brackets, "7"] {
        let post = |from: &str, to: &str| {
            format!(
                r#"{{"type":"signal","from":"{from}","to":"{to}","connection":"c","generation":0,"payload":{inside}}}"#
            )
        };
        let heard = delivered(&mut tabs, a, &post(b_id.as_str(), a_id.as_str()));
        assert_eq!(heard, [format!(r#"{{"type":"signal","from":"{b_id}"}}"#)], "{inside:.80}");
        assert_eq!(delivered(&mut tabs, a, &post("stranger", a_id.as_str())).len(), 0);
        assert_eq!(delivered(&mut tabs, a, &post(b_id.as_str(), "another")).len(), 0);
    }
    let mut passed = 0;
    for _ in 0..10_000 {
        let post = format!(r#"{{"type":"signal","from":"{b_id}","to":"{a_id}"}}"#);
        passed += delivered(&mut tabs, a, &post).len();
    }
    assert!(passed < 600, "{passed}");
}

#[test]
fn greetings_of_ever_new_tabs_are_not_all_answered() {
    let mut tabs = Tabs::default();
    let a = tabs.enter("a");
    let mut answers = 0;
    for number in 0..10_000 {
        let now = tabs.now;
        let post = format!(r#"{{"type":"ask","from":"new{number}"}}"#);
        tabs.tabs[a].place.handle_post(&post, now);
        answers += std::iter::from_fn(|| tabs.tabs[a].place.poll_output()).count();
    }
    assert!((100..300).contains(&answers), "{answers}");
}
