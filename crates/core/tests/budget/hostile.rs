//! A hostile member at full speed, and two others that want to talk.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    budget::{Accounts, MAX_ACCOUNTS, MessageKind, Standing},
    chat::{DeliveryState, MAX_LOG},
    notice::NoticeCode,
    room::{LinkId, LinkState, RoomEvent, RoomSession},
    signaling::JoinRequest,
};
use sightline_protocol::{
    DisplayName, InstanceId, MemberId, RoomName, control::PublishedState, limits::MAX_CHAT_TEXT_BYTES,
    transfer::MAX_OPEN_TRANSFERS,
};

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(50);
/// Messages of the hostile page in each tick: 10,000 per second.
const PER_TICK: usize = 500;

/// Two members that talk, and a third that is hostile.
struct Room {
    world: World,
    ada: usize,
    bo: usize,
    eve: usize,
    /// Ada's link to the hostile page.
    link: LinkId,
}

impl Room {
    fn new() -> Self {
        let mut world = World::new();
        let (ada, bo, eve) = (world.open(None), world.open(None), world.open(None));
        let link = world.pages[ada].opened[1];
        Self { world, ada, bo, eve, link }
    }

    fn eve_id(&self) -> MemberId {
        self.world.id(self.eve)
    }

    fn standing(&self) -> Standing {
        self.world.pages[self.ada].session.peer(&self.eve_id()).expect("shown").standing
    }

    /// Closes the tab, so that nothing runs in it any more.
    fn close(&mut self, page: usize) {
        self.world.kill(page);
        let request = JoinRequest {
            room: RoomName::new("nowhere").unwrap(),
            secret: None,
            name: DisplayName::cut("nobody"),
            instance: InstanceId::new("none").unwrap(),
            resume: None,
            is_attended: true,
            create_token: None,
        };
        self.world.pages[page].session = RoomSession::new(request, PublishedState::default(), 1);
    }

    fn control(&mut self, text: &str) {
        let now = self.world.now;
        self.world.pages[self.ada].session.handle_control(self.link, text, now);
    }

    fn telemetry(&mut self, text: &str) {
        let now = self.world.now;
        self.world.pages[self.ada].session.handle_telemetry(self.link, text, now);
    }

    fn signal(&mut self, inside: &str) {
        let frame = format!(r#"{{"type":"signal","from":"{}",{inside}}}"#, self.eve_id());
        self.world.tell_raw(self.ada, &frame);
    }

    /// Bo sends a message to Ada. Returns whether it arrived within a second.
    fn is_chat_delivered(&mut self) -> bool {
        let now = self.world.now;
        self.world.pages[self.bo].session.send_chat("are you there?", 5, now).unwrap();
        self.world.settle();
        let number = self.world.pages[self.bo].events.iter().rev().find_map(|event| match event {
            RoomEvent::ChatChanged(number) => Some(*number),
            _ => None,
        });
        self.world.pass(SECOND);
        let bo = self.world.id(self.bo);
        let author = Some(&bo);
        let id =
            self.world.pages[self.bo].session.conversation().message(number.unwrap()).unwrap().id.clone();
        self.world.pages[self.ada].session.conversation().find(author, &id).is_some()
    }

    fn raised(&self, code: NoticeCode) -> Option<usize> {
        self.world.pages[self.ada].events.iter().position(|event| *event == RoomEvent::Raised(code))
    }

    /// Checks the bounds of everything that the page stores.
    fn assert_is_bounded(&self, what: &str) {
        let page = &self.world.pages[self.ada];
        assert!(page.session.conversation().len() <= MAX_LOG, "{what}");
        assert!(page.link_count() <= 3, "{what}: {} links", page.link_count());
        assert!(page.opened.len() <= 20, "{what}: {} links were opened", page.opened.len());
        assert!(page.opened_for_bulk <= 100, "{what}: {} bulk links were opened", page.opened_for_bulk);
        let transfers = page.session.transfers().records();
        assert!(transfers.receiving.len() <= MAX_OPEN_TRANSFERS, "{what}");
        assert!(page.session.accounts().len() <= 3, "{what}");
    }
}

type Flood = fn(&mut Room, usize);

fn offer(number: usize) -> String {
    format!(
        r#"{{"type":"transfer_offer","transfer":"t{number}","sequence":1,"number":{number},"name":"a","size_bytes":5,"modified_ms":0}}"#
    )
}

fn candidate(number: usize, field: &str) -> String {
    format!(r#"{{"candidate":{{"candidate":"candidate:{number} {field}","ufrag":"f{number}"}}}}"#)
}

fn description(kind: &str, exchange: usize) -> String {
    format!(r#"{{"description":{{"kind":"{kind}","exchange":{exchange},"sdp":"v=0"}}}}"#)
}

/// Floods of each kind of message, with ever new ids.
const FLOODS: [(&str, Flood); 35] = [
    ("chat", |room, n| {
        room.control(&format!(r#"{{"type":"chat","id":"c{n}","text":"noise","sent_at_ms":0}}"#));
    }),
    ("long chat", |room, n| {
        let text = "x".repeat(MAX_CHAT_TEXT_BYTES);
        room.control(&format!(r#"{{"type":"chat","id":"c{n}","text":"{text}","sent_at_ms":0}}"#));
    }),
    ("repeated chat", |room, _| {
        room.control(r#"{"type":"chat","id":"c","text":"again","sent_at_ms":0}"#);
    }),
    ("acknowledgements", |room, n| room.control(&format!(r#"{{"type":"chat_ack","id":"c{n}"}}"#))),
    ("private chat", |room, n| {
        room.control(&format!(r#"{{"type":"private_chat","id":"c{n}","text":"noise","sent_at_ms":0}}"#));
    }),
    ("reactions", |room, _| room.control(r#"{"type":"reaction","reaction":"heart"}"#)),
    ("hands", |room, n| {
        room.control(&format!(r#"{{"type":"state","microphone":true,"source":"none","hand":{n}}}"#));
    }),
    ("states", |room, n| {
        let source = if n % 2 == 0 { "camera" } else { "none" };
        room.control(&format!(r#"{{"type":"state","microphone":true,"source":"{source}"}}"#));
    }),
    ("offers", |room, n| room.control(&offer(n))),
    ("offers of one name, each withdrawn", |room, n| {
        room.control(&offer(n));
        room.control(&format!(r#"{{"type":"transfer_end","transfer":"t{n}","reason":"cancelled"}}"#));
    }),
    ("one offer again and again", |room, n| {
        room.control(&offer(1).replace(r#""sequence":1"#, &format!(r#""sequence":{n}"#)));
    }),
    ("progress", |room, n| {
        room.control(&format!(
            r#"{{"type":"transfer_progress","transfer":"t{n}","sequence":1,"attempt":1,"verified_bytes":0}}"#
        ));
    }),
    ("runs", |room, n| room.control(&format!(r#"{{"type":"run_start","run":"r{n}"}}"#))),
    ("logs", |room, n| {
        room.control(&format!(r#"{{"type":"run_log","run":"r{n}","part":0,"parts":256,"text":"{{"}}"#));
    }),
    ("renewals", |room, _| room.control(r#"{"type":"renew"}"#)),
    ("keys of devices", |room, n| {
        room.control(&format!(r#"{{"type":"recognition","step":"introduce","key":"{n:0>87}"}}"#));
    }),
    ("tags of devices", |room, n| {
        let tags = vec![format!("\"{n:0>22}\""); 32].join(",");
        room.control(&format!(r#"{{"type":"recognition","step":"recognize","tags":[{tags}]}}"#));
    }),
    ("use", |room, _| room.control(r#"{"type":"use"}"#)),
    ("unknown messages", |room, n| room.control(&format!(r#"{{"type":"hologram{n}"}}"#))),
    ("garbage", |room, n| room.control(&format!("{{{n}"))),
    ("garbage of full length", |room, _| room.control(&"[".repeat(64 * 1024))),
    ("messages over the limit", |room, _| room.control(&"x".repeat(64 * 1024 + 1))),
    ("what is no text", |room, _| {
        let (link, now) = (room.link, room.world.now);
        room.world.pages[room.ada].session.handle_unreadable(link, now);
    }),
    ("bulk offers under ever new names", |room, n| {
        let payload = description("offer", 1);
        room.control(&format!(r#"{{"type":"bulk_signal","connection":"b{n}","payload":{payload}}}"#));
    }),
    ("bulk candidates", |room, n| {
        let payload = candidate(n, "");
        room.control(&format!(r#"{{"type":"bulk_signal","connection":"b1","payload":{payload}}}"#));
    }),
    ("frames without a file", |room, _| {
        let (member, now) = (room.eve_id(), room.world.now);
        room.world.pages[room.ada].session.handle_bulk_frame(&member, now);
    }),
    ("pings", |room, n| room.telemetry(&format!(r#"{{"type":"ping","nonce":{n}}}"#))),
    ("pings of the clock", |room, n| room.telemetry(&format!(r#"{{"type":"clock_ping","sent_us":{n}}}"#))),
    ("figures", |room, n| {
        room.telemetry(&format!(r#"{{"type":"reception","sequence":{n},"bars":4}}"#));
        room.telemetry(&format!(r#"{{"type":"sending","at_us":{n},"frames_sent":{n}}}"#));
    }),
    ("unknown telemetry", |room, n| room.telemetry(&format!(r#"{{"type":"hologram{n}"}}"#))),
    ("telemetry that cannot be read", |room, n| {
        room.telemetry(&format!(r#"{{"type":"ping","nonce":-{n}.5}}"#));
    }),
    ("offers under ever new names", |room, n| {
        let payload = description("offer", 1);
        room.signal(&format!(r#""connection":"c{n}","generation":0,"payload":{payload}"#));
    }),
    ("offers of ever new generations", |room, n| {
        let payload = description("offer", 1);
        room.signal(&format!(r#""connection":"c","generation":{n},"payload":{payload}"#));
    }),
    ("candidates", |room, n| {
        let payload = candidate(n, &"x".repeat(1_000));
        room.signal(&format!(r#""connection":"c","generation":0,"payload":{payload}"#));
    }),
    ("signals that cannot be read", |room, _| {
        room.signal(r#""connection":"c","generation":0,"payload":{"candidate":{"candidate":"x","u":1e999}}"#);
    }),
];

#[test]
fn a_flood_of_any_kind_is_muted_then_cut_off_and_the_others_go_on_talking() {
    for (what, flood) in FLOODS {
        let mut room = Room::new();
        let mut sent = 0;
        for round in 0..3 {
            for _ in 0..(SECOND.as_millis() / TICK.as_millis()) {
                for _ in 0..PER_TICK {
                    flood(&mut room, sent);
                    sent += 1;
                }
                room.world.settle();
                room.world.pass(TICK);
            }
            assert!(room.is_chat_delivered(), "{what}, round {round}");
            room.assert_is_bounded(what);
        }
        let (muted, cut_off) = (room.raised(NoticeCode::MemberMuted), room.raised(NoticeCode::MemberCutOff));
        assert!(muted.is_some() && muted < cut_off, "{what}: {muted:?}, {cut_off:?}");
        assert_eq!(room.standing(), Standing::CutOff, "{what}");
        assert_eq!(room.world.state(room.ada, room.eve), Some(LinkState::Failed), "{what}");
        assert_eq!(room.world.state(room.ada, room.bo), Some(LinkState::Connected), "{what}");
        assert_eq!(room.world.state(room.bo, room.eve), Some(LinkState::Connected), "{what}");
        assert!(room.world.pages[room.ada].session.accounts().dropped(&room.eve_id()) > 9, "{what}");
    }
}

#[test]
fn a_member_slightly_over_its_budget_is_muted_for_a_time() {
    let mut room = Room::new();
    for number in 0..600 {
        room.control(&format!(r#"{{"type":"chat","id":"c{number}","text":"paste","sent_at_ms":0}}"#));
    }
    room.world.settle();
    assert_eq!(room.standing(), Standing::Muted);
    assert_eq!(room.world.state(room.ada, room.eve), Some(LinkState::Connected));
    let said = room.world.pages[room.ada].session.conversation().len();
    assert!((400..600).contains(&said), "{said}");
    let dropped = room.world.pages[room.ada].session.accounts().dropped(&room.eve_id());
    assert_eq!(dropped, 600 - said as u64, "each message is shown or counted");
    room.world.pass(60 * SECOND);
    assert_eq!(room.standing(), Standing::Heard);
    assert!(room.world.pages[room.ada].events.contains(&RoomEvent::Cleared(NoticeCode::MemberMuted)));
    room.control(r#"{"type":"chat","id":"later","text":"hello again","sent_at_ms":0}"#);
    assert_eq!(room.world.pages[room.ada].session.conversation().len(), said + 1);
}

#[test]
fn many_members_take_bounded_memory_and_displace_none_that_was_cut_off() {
    let mut accounts = Accounts::default();
    let member = |number: usize| MemberId::new(format!("m{number}")).unwrap();
    accounts.cut_off(&member(0), &InstanceId::new("page").unwrap(), Timestamp::ZERO);
    for number in 1..2 * MAX_ACCOUNTS {
        let now = Timestamp::from_origin(Duration::from_secs(number as u64));
        accounts.admit(&member(number), MessageKind::Control, 1, now);
        // A member with an account displaces nobody.
        accounts.admit(&member(number), MessageKind::Control, 1, now);
        assert_eq!(accounts.len(), MAX_ACCOUNTS.min(number + 1));
    }
    assert_eq!(accounts.standing(&member(0)), Standing::CutOff);
}

#[test]
fn the_latest_state_counts_once_a_member_is_heard_again() {
    let mut room = Room::new();
    for number in 0..900 {
        let is_on = number % 2 == 1;
        room.control(&format!(r#"{{"type":"state","microphone":{is_on},"source":"file"}}"#));
    }
    room.world.pass(30 * SECOND);
    let published = room.world.pages[room.ada].session.peer(&room.eve_id()).unwrap().published.unwrap();
    assert!(published.microphone);
}

#[test]
fn a_few_messages_beyond_every_limit_cut_their_sender_off() {
    let mut room = Room::new();
    let (link, now) = (room.link, room.world.now);
    for _ in 0..20 {
        room.world.pages[room.ada].session.handle_unreadable(link, now);
    }
    assert_eq!(room.standing(), Standing::CutOff, "each may be 256 KiB long");
}

#[test]
fn a_member_stays_cut_off_until_its_page_is_reloaded() {
    let mut room = Room::new();
    let mut eve = room.eve;
    for round in 0..3 {
        let now = room.world.now;
        let id = room.eve_id();
        room.world.pages[room.ada].session.handle_lost_messages(&id, 100_000, now);
        room.world.settle();
        let opened = room.world.pages[room.ada].opened.len();
        room.world.pass(120 * SECOND);
        assert_eq!(room.standing(), Standing::CutOff, "{round}: the same page");
        assert_eq!(room.world.pages[room.ada].opened.len(), opened, "{round}: nothing is built for it");

        let token = room.world.resume_token(eve);
        room.close(eve);
        eve = room.world.open(Some(token));
        room.world.pass(60 * SECOND);
        assert_eq!(room.standing(), Standing::Heard, "{round}: a new page");
        assert_eq!(room.world.state(room.ada, eve), Some(LinkState::Connected), "{round}");
    }
}

#[test]
fn a_page_that_comes_back_at_once_is_ignored_for_longer_each_time() {
    let mut room = Room::new();
    let mut eve = room.eve;
    for exile_s in [10, 20, 40] {
        let (now, id) = (room.world.now, room.eve_id());
        room.world.pages[room.ada].session.handle_lost_messages(&id, 100_000, now);
        room.world.settle();
        let token = room.world.resume_token(eve);
        room.close(eve);
        eve = room.world.open(Some(token));
        room.world.pass((exile_s - 1) * SECOND);
        assert_eq!(room.standing(), Standing::CutOff, "{exile_s}");
        room.world.pass(60 * SECOND);
        assert_eq!(room.standing(), Standing::Heard, "{exile_s}");
        assert_eq!(room.world.state(room.ada, eve), Some(LinkState::Connected), "{exile_s}");
    }
}

#[test]
fn a_page_that_is_loaded_again_and_again_is_cut_off_and_makes_few_connections() {
    let mut room = Room::new();
    let id = room.eve_id();
    for number in 0..2_000 {
        let member = format!(
            r#"{{"id":"{id}","name":"Eve","instance":"e{number}","arrival":{},"presence":"present"}}"#,
            100 + number
        );
        room.world.tell_raw(room.ada, &format!(r#"{{"type":"peer_joined","member":{member}}}"#));
        let payload = description("offer", 1);
        room.signal(&format!(r#""connection":"c{number}","generation":0,"payload":{payload}"#));
        room.world.pass(Duration::from_millis(5));
    }
    assert_eq!(room.standing(), Standing::CutOff);
    assert!(room.world.pages[room.ada].opened.len() < 50, "{}", room.world.pages[room.ada].opened.len());
    assert!(room.is_chat_delivered());
}

#[test]
fn the_end_of_a_file_that_is_under_way_or_unknown_costs_less_than_taking_an_offer_back() {
    let end = |n: u64| format!(r#"{{"type":"transfer_end","transfer":"t{n}","reason":"cancelled"}}"#);
    let dropped = |is_offered: bool| {
        let mut room = Room::new();
        let count = MessageKind::Withdrawal.limit().burst + 100;
        for n in 0..u64::from(count) {
            if is_offered {
                room.control(&offer(n as usize));
            }
            room.control(&end(n));
        }
        room.world.pages[room.ada].session.accounts().dropped(&room.eve_id())
    };
    assert_eq!(dropped(false), 0);
    assert!(dropped(true) > 0);
}

#[test]
fn new_connections_for_files_are_charged_and_candidates_are_not_charged_as_connections() {
    let bulk = |connection: usize, payload: &str| {
        format!(r#"{{"type":"bulk_signal","connection":"b{connection}","payload":{payload}}}"#)
    };
    let mut room = Room::new();
    room.control(&bulk(0, &description("offer", 1)));
    for n in 0..60 {
        room.control(&bulk(0, &candidate(n, "")));
    }
    assert_eq!(room.standing(), Standing::Heard);
    assert_eq!(room.world.pages[room.ada].session.accounts().dropped(&room.eve_id()), 0);

    let mut room = Room::new();
    for n in 0..60 {
        room.control(&bulk(n, &description("offer", 1)));
    }
    assert_eq!(room.standing(), Standing::Muted);
}

#[test]
fn members_together_make_a_page_open_few_connections_and_none_of_them_is_blamed() {
    let mut world = World::new();
    let ada = world.open(None);
    let members = 60;
    for n in 0..members {
        let member = format!(
            r#"{{"id":"x{n}","name":"","instance":"page{n}","arrival":{},"presence":"present"}}"#,
            100 + n
        );
        world.tell_raw(ada, &format!(r#"{{"type":"peer_joined","member":{member}}}"#));
    }
    for round in 0..4 {
        for n in 0..members {
            let signal = format!(
                r#""connection":"c{round}-{n}","generation":0,"payload":{}"#,
                description("offer", 1)
            );
            world.tell_raw(ada, &format!(r#"{{"type":"signal","from":"x{n}",{signal}}}"#));
        }
    }
    let opened = world.pages[ada].opened.len();
    assert!((128..=132).contains(&opened), "{opened} connections");
    assert!(world.pages[ada].session.peers().all(|peer| peer.standing == Standing::Heard));
}

#[test]
fn a_message_on_its_way_to_a_member_that_is_cut_off_is_delivered_once_the_others_have_it() {
    let mut room = Room::new();
    // Eve acknowledges nothing.
    room.close(room.eve);
    let (now, id) = (room.world.now, room.eve_id());
    room.world.pages[room.ada].session.send_chat("hello", 5, now).unwrap();
    room.world.settle();
    let state = |room: &Room| {
        let log = room.world.pages[room.ada].session.conversation();
        log.message(sightline_core::chat::MessageNumber(0)).unwrap().state
    };
    assert_eq!(state(&room), DeliveryState::Sending);
    room.world.pages[room.ada].session.handle_lost_messages(&id, 100_000, now);
    room.world.settle();
    assert_eq!(room.standing(), Standing::CutOff);
    assert_eq!(state(&room), DeliveryState::Delivered);
}

#[test]
fn a_message_after_a_member_was_cut_off_does_not_wait_for_it() {
    let mut room = Room::new();
    let (now, id) = (room.world.now, room.eve_id());
    room.world.pages[room.ada].session.handle_lost_messages(&id, 100_000, now);
    room.world.settle();
    room.world.pages[room.ada].session.send_chat("hello", 5, now).unwrap();
    room.world.pass(SECOND);
    let log = room.world.pages[room.ada].session.conversation();
    let last = log.message(sightline_core::chat::MessageNumber(0)).unwrap();
    assert_eq!(last.state, DeliveryState::Delivered);
}
