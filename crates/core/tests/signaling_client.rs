//! The life of the signaling socket, in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use sightline_core::{
    Timestamp,
    notice::NoticeCode,
    random::SeededRandom,
    signaling::{JoinRequest, SignalingClient, SignalingEvent, SignalingOutput, SignalingStatus, SocketId},
};
use sightline_protocol::{DisplayName, ErrorCode, InstanceId, MemberId, RoomName};

struct World {
    client: SignalingClient,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let mut world = Self::in_lobby();
        world.client.start(Timestamp::ZERO);
        world
    }

    /// The page of a person who has not clicked on join.
    fn in_lobby() -> Self {
        let request = JoinRequest {
            room: RoomName::new("team").unwrap(),
            secret: None,
            name: DisplayName::cut("Ada"),
            instance: InstanceId::new("i1").unwrap(),
            resume: None,
            is_attended: true,
            create_token: None,
        };
        let client = SignalingClient::new(request, SeededRandom::new(7));
        Self { client, now: Timestamp::ZERO }
    }

    fn joined() -> (Self, SocketId) {
        let mut world = Self::new();
        let socket = world.connected_socket();
        world.join(socket);
        world.drain();
        (world, socket)
    }

    fn drain(&mut self) -> Vec<SignalingOutput> {
        std::iter::from_fn(|| self.client.poll_output()).collect()
    }

    fn connected_socket(&mut self) -> SocketId {
        self.drain()
            .into_iter()
            .find_map(|output| match output {
                SignalingOutput::Connect(socket) => Some(socket),
                _ => None,
            })
            .expect("a socket is wanted")
    }

    fn join(&mut self, socket: SocketId) {
        self.client.handle_opened(socket);
        let frame = r#"{"type":"joined","you":"m1","arrival":1,"room":"team","members":[],"resume":"token","ice_servers":[],"room_limit":8}"#;
        self.client.handle_frame(socket, frame, self.now);
    }

    /// Lets time pass until the client's timeout, and calls it.
    fn wait(&mut self) -> Duration {
        let at = self.client.poll_timeout().expect("a timer is set");
        let waited = at.since(self.now);
        self.now = self.now.max(at);
        self.client.handle_timeout(self.now);
        waited
    }
}

fn events(outputs: &[SignalingOutput]) -> Vec<&SignalingEvent> {
    outputs
        .iter()
        .filter_map(|output| match output {
            SignalingOutput::Event(event) => Some(event),
            _ => None,
        })
        .collect()
}

#[test]
fn an_open_socket_is_used_to_join_and_the_token_to_come_back() {
    let (mut world, socket) = World::joined();
    world.client.handle_closed(socket, world.now);
    let outputs = world.drain();
    assert_eq!(
        events(&outputs),
        [
            &SignalingEvent::Raised(NoticeCode::SignalingLost),
            &SignalingEvent::Status(SignalingStatus::Reconnecting)
        ]
    );
    let again = SocketId(socket.0 + 1);
    assert!(outputs.contains(&SignalingOutput::Connect(again)), "{outputs:?}");
    world.client.handle_opened(again);
    let [SignalingOutput::Send(_, join)] = &world.drain()[..] else { panic!("one frame") };
    assert!(join.contains(r#""resume":"token""#), "{join}");
    world.join(again);
    let outputs = world.drain();
    assert!(events(&outputs).contains(&&SignalingEvent::Cleared(NoticeCode::SignalingLost)), "{outputs:?}");
    assert!(world.client.is_joined());
}

#[test]
fn a_server_that_never_answers_is_reported_once_and_tried_again() {
    let mut world = World::new();
    let mut raised = 0;
    for _ in 0..20 {
        let outputs = world.drain();
        for output in &outputs {
            if let SignalingOutput::Connect(socket) = output {
                world.client.handle_closed(*socket, world.now);
            }
            if output == &SignalingOutput::Event(SignalingEvent::Raised(NoticeCode::ServerUnreachable)) {
                raised += 1;
            }
        }
        let waited = world.wait();
        assert!(waited <= Duration::from_millis(3_600), "{waited:?}");
    }
    assert_eq!(raised, 1);
}

#[test]
fn a_socket_that_opens_but_is_silent_is_given_up() {
    let mut world = World::new();
    let first = world.connected_socket();
    world.client.handle_opened(first);
    world.drain();
    world.wait();
    assert!(world.drain().contains(&SignalingOutput::Close(first, None)));
}

/// Five round trips of 1.2 s. A deadline that stayed at 2 s would never let such a network reconnect.
#[test]
fn a_slow_network_comes_back_after_a_few_tries() {
    let (mut world, socket) = World::joined();
    world.client.handle_closed(socket, world.now);
    let needed = Duration::from_secs(6);
    for _ in 0..20 {
        for output in world.drain() {
            if let SignalingOutput::Connect(socket) = output {
                let until = world.client.poll_timeout().expect("a deadline is set");
                if until.since(world.now) >= needed {
                    world.now = world.now + needed;
                    world.join(socket);
                    assert!(world.client.is_joined());
                    return;
                }
            }
        }
        world.wait();
    }
    panic!("it never came back");
}

#[test]
fn a_half_open_socket_is_noticed_by_the_missing_pong() {
    let (mut world, socket) = World::joined();
    world.wait();
    let outputs = world.drain();
    assert!(
        matches!(&outputs[..], [SignalingOutput::Send(_, frame)] if frame.contains("ping")),
        "{outputs:?}"
    );
    world.wait();
    let outputs = world.drain();
    assert!(outputs.contains(&SignalingOutput::Close(socket, None)), "{outputs:?}");
    assert!(outputs.contains(&SignalingOutput::Connect(SocketId(socket.0 + 1))), "{outputs:?}");
}

#[test]
fn a_pong_keeps_the_socket_and_tells_the_round_trip() {
    let (mut world, socket) = World::joined();
    for nonce in 0..10 {
        world.wait();
        world.drain();
        world.now = world.now + Duration::from_millis(40);
        world.client.handle_frame(socket, &format!(r#"{{"type":"pong","nonce":{nonce}}}"#), world.now);
        assert_eq!(
            world.drain(),
            [SignalingOutput::Event(SignalingEvent::RoundTrip(Duration::from_millis(40)))]
        );
    }
}

#[test]
fn messages_of_an_older_socket_are_ignored() {
    let (mut world, old) = World::joined();
    world.client.handle_closed(old, world.now);
    world.drain();
    world.client.handle_frame(old, r#"{"type":"peer_left","id":"m2"}"#, world.now);
    world.client.handle_closed(old, world.now);
    assert_eq!(world.drain(), []);
}

#[test]
fn replaced_and_full_end_it_until_the_person_asks_again() {
    for (frame, code) in [
        (r#"{"type":"replaced"}"#, NoticeCode::Replaced),
        (r#"{"type":"full","room_limit":8}"#, NoticeCode::RoomFull),
        (r#"{"type":"error","code":"room-name-invalid","message":""}"#, NoticeCode::RoomNameInvalid),
    ] {
        let (mut world, socket) = World::joined();
        world.client.handle_frame(socket, frame, world.now);
        let outputs = world.drain();
        assert!(outputs.contains(&SignalingOutput::Close(socket, None)), "{frame}: {outputs:?}");
        assert_eq!(
            events(&outputs),
            [&SignalingEvent::Raised(code), &SignalingEvent::Status(SignalingStatus::Lost)]
        );
        assert_eq!(world.client.poll_timeout(), None, "{frame}");
        world.client.start(world.now);
        let outputs = world.drain();
        assert!(events(&outputs).contains(&&SignalingEvent::Cleared(code)), "{frame}: {outputs:?}");
        assert!(outputs.contains(&SignalingOutput::Connect(SocketId(socket.0 + 1))), "{frame}");
    }
}

/// Contents of signals that are valid JSON for some parsers and invalid for others.
fn unreadable_signals() -> Vec<String> {
    let signal = |rest: &str| format!(r#"{{"type":"signal","from":"m2",{rest}}}"#);
    let payload = |payload: &str| signal(&format!(r#""connection":"c","generation":0,"payload":{payload}"#));
    let candidate = |fields: &str| payload(&format!(r#"{{"candidate":{{"candidate":"x",{fields}}}}}"#));
    let brackets = "[".repeat(200) + &"]".repeat(200);
    vec![
        candidate(r#""u":1e999"#),
        candidate(r#""u":-1e999"#),
        candidate(&format!(r#""u":{brackets}"#)),
        candidate(r#""u":"\ud800""#),
        candidate(r#""\ud800":1"#),
        candidate(r#""sdp_mid":"0","sdp_mid":"1""#),
        candidate(r#""sdp_mid":7"#),
        candidate(r#""sdp_m_line_index":-1"#),
        candidate(&format!(r#""ufrag":"{}""#, "x".repeat(10_000))),
        payload(r#"{"description":{"kind":"pranswer","exchange":1,"sdp":""}}"#),
        payload(r#"{"description":{"kind":"offer","exchange":4294967296,"sdp":""}}"#),
        payload(r#"{"hologram":{}}"#),
        payload("null"),
        payload(&brackets),
        signal(
            r#""connection":"c","connection":"d","generation":0,"payload":{"candidate":{"candidate":"x"}}"#,
        ),
        signal(r#""connection":"no id!","generation":0,"payload":{"candidate":{"candidate":"x"}}"#),
        signal(r#""connection":"c","generation":1e999,"payload":{"candidate":{"candidate":"x"}}"#),
        signal(r#""from":"m3","connection":"c","generation":0,"payload":{"candidate":{"candidate":"x"}}"#),
        signal(r#""\udc00":0"#),
    ]
}

#[test]
fn an_unreadable_signal_is_charged_to_its_sender_and_the_server_connection_stays() {
    for frame in unreadable_signals() {
        let (mut world, socket) = World::joined();
        world.client.handle_frame(socket, &frame, world.now);
        let from = MemberId::new("m2").unwrap();
        assert_eq!(
            world.drain(),
            [SignalingOutput::Event(SignalingEvent::UnreadableSignal { from })],
            "{frame:.120}"
        );
        assert!(world.client.is_joined());
    }
}

#[test]
fn an_unreadable_frame_is_dropped_and_the_connection_stays() {
    for frame in [
        "",
        "not json",
        r#"{"type":"hologram"}"#,
        r#"{"type":"peer_joined","member":{"id":"m2"}}"#,
        r#"{"type":"signal","from":1e999}"#,
        r#"{"type":"signal"}"#,
        &"[".repeat(60_000),
        &format!("\"{}\"", "x".repeat(64 * 1024)),
    ] {
        let (mut world, socket) = World::joined();
        for _ in 0..10 {
            world.client.handle_frame(socket, frame, world.now);
        }
        assert_eq!(world.drain(), [], "{frame:.120}");
        assert!(world.client.is_joined());
    }
}

#[test]
fn a_silent_server_is_given_up_with_a_notice() {
    for (frame, refusal) in [
        ("not json".to_owned(), ErrorCode::ProtocolError),
        (format!("\"{}\"", "x".repeat(64 * 1024)), ErrorCode::FrameTooLarge),
    ] {
        let (mut world, socket) = World::joined();
        for _ in 0..100 {
            world.client.handle_frame(socket, &frame, world.now);
        }
        let outputs = world.drain();
        assert!(outputs.contains(&SignalingOutput::Close(socket, Some(refusal))), "{outputs:?}");
        assert!(events(&outputs).contains(&&SignalingEvent::Raised(NoticeCode::ProtocolError)));
        assert_eq!(world.client.poll_timeout(), None);
    }
}

#[test]
fn before_the_room_is_joined_one_frame_that_cannot_be_read_ends_it() {
    for frame in ["not json", r#"{"type":"signal","from":"m2","payload":1e999}"#] {
        let mut world = World::new();
        let socket = world.connected_socket();
        world.client.handle_opened(socket);
        world.client.handle_frame(socket, frame, world.now);
        let outputs = world.drain();
        let refused = SignalingOutput::Close(socket, Some(ErrorCode::ProtocolError));
        assert!(outputs.contains(&refused), "{outputs:?}");
    }
}

#[test]
fn a_server_that_shuts_down_is_tried_again() {
    let (mut world, socket) = World::joined();
    let frame = r#"{"type":"error","code":"shutting-down","message":""}"#;
    world.client.handle_frame(socket, frame, world.now);
    let outputs = world.drain();
    assert!(outputs.contains(&SignalingOutput::Connect(SocketId(socket.0 + 1))), "{outputs:?}");
}

#[test]
fn leaving_says_so_and_ends_it() {
    let (mut world, socket) = World::joined();
    world.client.leave();
    let outputs = world.drain();
    assert_eq!(outputs[0], SignalingOutput::Send(socket, r#"{"type":"leave"}"#.to_owned()));
    assert!(outputs.contains(&SignalingOutput::Close(socket, None)));
    assert_eq!(world.client.poll_timeout(), None);
}

#[test]
fn a_page_that_the_server_does_not_let_in_opens_no_socket_until_the_person_asks() {
    let mut world = World::new();
    let request = JoinRequest {
        room: RoomName::new("team").unwrap(),
        secret: None,
        name: DisplayName::cut("Ada"),
        instance: InstanceId::new("i1").unwrap(),
        resume: None,
        is_attended: true,
        create_token: None,
    };
    world.client = SignalingClient::new(request, SeededRandom::new(7));
    world.client.handle_page_refused(NoticeCode::OriginRefused);
    let outputs = world.drain();
    let raised = SignalingEvent::Raised(NoticeCode::OriginRefused);
    assert_eq!(events(&outputs), [&raised, &SignalingEvent::Status(SignalingStatus::Lost)]);
    assert_eq!((outputs.len(), world.client.poll_timeout()), (2, None));
    world.client.start(world.now);
    assert!(matches!(world.drain()[..], [.., SignalingOutput::Connect(_)]));
}

const ICE_SERVERS: &str = r#"{"type":"ice_servers","ice_servers":[{"urls":["stun:s"]}]}"#;

/// The frames among the outputs.
fn frames(outputs: &[SignalingOutput]) -> Vec<&str> {
    let mut frames = Vec::new();
    for output in outputs {
        if let SignalingOutput::Send(_, frame) = output {
            frames.push(frame.as_str());
        }
    }
    frames
}

#[test]
fn in_the_lobby_the_socket_is_open_and_the_server_learns_neither_room_nor_name() {
    let mut world = World::in_lobby();
    world.client.prepare();
    let socket = world.connected_socket();
    world.client.handle_opened(socket);
    assert_eq!(frames(&world.drain()), [r#"{"type":"ice_servers"}"#]);
    world.client.handle_frame(socket, ICE_SERVERS, world.now);
    let outputs = world.drain();
    assert!(matches!(events(&outputs)[..], [SignalingEvent::IceServers(servers)] if servers.len() == 1));
    assert_eq!(world.client.poll_timeout(), None, "nothing happens while the person thinks");

    world.client.set_name(DisplayName::cut("Bea"));
    world.client.start(world.now);
    let outputs = world.drain();
    let [join] = frames(&outputs)[..] else { panic!("{outputs:?}") };
    assert!(join.contains(r#""type":"join""#) && join.contains(r#""name":"Bea""#), "{join}");
    assert!(!outputs.iter().any(|output| matches!(output, SignalingOutput::Connect(_))), "{outputs:?}");
}

#[test]
fn a_person_who_joins_before_the_socket_is_open_joins_as_soon_as_it_is() {
    let mut world = World::in_lobby();
    world.client.prepare();
    let socket = world.connected_socket();
    world.client.start(world.now);
    assert_eq!(frames(&world.drain()), [""; 0]);
    world.join(socket);
    assert_eq!(frames(&world.drain()).len(), 1, "the join alone");
    assert!(world.client.is_joined());
}

#[test]
fn servers_that_arrive_after_the_join_are_those_that_were_asked_for_ahead() {
    let mut world = World::in_lobby();
    world.client.prepare();
    let socket = world.connected_socket();
    world.client.handle_opened(socket);
    world.client.start(world.now);
    world.drain();
    world.client.handle_frame(socket, ICE_SERVERS, world.now);
    assert!(matches!(events(&world.drain())[..], [SignalingEvent::IceServers(_)]));
}

#[test]
fn a_socket_that_closes_in_the_lobby_is_no_problem_and_another_is_opened_to_join() {
    let refusals = [
        r#"{"type":"error","code":"join-timeout","message":""}"#,
        r#"{"type":"error","code":"server-full","message":""}"#,
        r#"{"type":"waiting"}"#,
        "no message",
    ];
    for refusal in refusals.into_iter().map(Some).chain([None]) {
        let mut world = World::in_lobby();
        world.client.prepare();
        let socket = world.connected_socket();
        world.client.handle_opened(socket);
        world.drain();
        match refusal {
            Some(frame) => world.client.handle_frame(socket, frame, world.now),
            None => world.client.handle_closed(socket, world.now),
        }
        let outputs = world.drain();
        assert_eq!(outputs, [SignalingOutput::Close(socket, None)], "{refusal:?}");
        assert_eq!(world.client.poll_timeout(), None);
        world.client.start(world.now);
        let outputs = world.drain();
        assert!(outputs.contains(&SignalingOutput::Connect(SocketId(socket.0 + 1))), "{outputs:?}");
    }
}

#[test]
fn a_socket_that_died_in_the_lobby_costs_three_seconds_and_no_notice() {
    let mut world = World::in_lobby();
    world.client.prepare();
    let socket = world.connected_socket();
    world.client.handle_opened(socket);
    world.client.start(world.now);
    world.drain();
    assert_eq!(world.wait(), Duration::from_secs(3));
    let again = SocketId(socket.0 + 1);
    assert_eq!(world.drain(), [SignalingOutput::Close(socket, None), SignalingOutput::Connect(again)]);
    world.join(again);
    assert!(world.client.is_joined());
}
