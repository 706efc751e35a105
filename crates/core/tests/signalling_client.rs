//! The life of the signalling socket, in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use sightline_core::{
    Timestamp,
    notice::NoticeCode,
    random::SeededRandom,
    signalling::{
        JoinRequest, SignallingClient, SignallingEvent, SignallingOutput, SignallingStatus, SocketId,
    },
};
use sightline_protocol::{DisplayName, ErrorCode, InstanceId, RoomName};

struct World {
    client: SignallingClient,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let request = JoinRequest {
            room: RoomName::new("team").unwrap(),
            name: DisplayName::cut("Ada"),
            instance: InstanceId::new("i1").unwrap(),
            resume: None,
        };
        let mut client = SignallingClient::new(request, SeededRandom::new(7));
        client.start(Timestamp::ZERO);
        Self { client, now: Timestamp::ZERO }
    }

    fn joined() -> (Self, SocketId) {
        let mut world = Self::new();
        let socket = world.connected_socket();
        world.join(socket);
        world.drain();
        (world, socket)
    }

    fn drain(&mut self) -> Vec<SignallingOutput> {
        std::iter::from_fn(|| self.client.poll_output()).collect()
    }

    fn connected_socket(&mut self) -> SocketId {
        self.drain()
            .into_iter()
            .find_map(|output| match output {
                SignallingOutput::Connect(socket) => Some(socket),
                _ => None,
            })
            .expect("a socket is wanted")
    }

    fn join(&mut self, socket: SocketId) {
        self.client.handle_opened(socket);
        let frame = r#"{"type":"joined","you":"m1","arrival":1,"room":"team","members":[],"resume":"token","ice_servers":[],"room_limit":8}"#;
        self.client.handle_frame(socket, frame, self.now);
    }

    /// Lets time pass until the client wants to be called, and calls it.
    fn wait(&mut self) -> Duration {
        let at = self.client.poll_timeout().expect("a timer is set");
        let waited = at.since(self.now);
        self.now = self.now.max(at);
        self.client.handle_timeout(self.now);
        waited
    }
}

fn events(outputs: &[SignallingOutput]) -> Vec<&SignallingEvent> {
    outputs
        .iter()
        .filter_map(|output| match output {
            SignallingOutput::Event(event) => Some(event),
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
            &SignallingEvent::Raised(NoticeCode::SignallingLost),
            &SignallingEvent::Status(SignallingStatus::Reconnecting)
        ]
    );
    let again = SocketId(socket.0 + 1);
    assert!(outputs.contains(&SignallingOutput::Connect(again)), "{outputs:?}");
    world.client.handle_opened(again);
    let [SignallingOutput::Send(_, join)] = &world.drain()[..] else { panic!("one frame") };
    assert!(join.contains(r#""resume":"token""#), "{join}");
    world.join(again);
    let outputs = world.drain();
    assert!(events(&outputs).contains(&&SignallingEvent::Cleared(NoticeCode::SignallingLost)), "{outputs:?}");
    assert!(world.client.is_joined());
}

#[test]
fn a_server_that_never_answers_is_told_once_and_sought_on() {
    let mut world = World::new();
    let mut raised = 0;
    for _ in 0..20 {
        let outputs = world.drain();
        for output in &outputs {
            if let SignallingOutput::Connect(socket) = output {
                world.client.handle_closed(*socket, world.now);
            }
            if output == &SignallingOutput::Event(SignallingEvent::Raised(NoticeCode::ServerUnreachable)) {
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
    assert!(world.drain().contains(&SignallingOutput::Close(first, None)));
}

#[test]
fn a_half_open_socket_is_noticed_by_the_missing_pong() {
    let (mut world, socket) = World::joined();
    world.wait();
    let outputs = world.drain();
    assert!(
        matches!(&outputs[..], [SignallingOutput::Send(_, frame)] if frame.contains("ping")),
        "{outputs:?}"
    );
    world.wait();
    let outputs = world.drain();
    assert!(outputs.contains(&SignallingOutput::Close(socket, None)), "{outputs:?}");
    assert!(outputs.contains(&SignallingOutput::Connect(SocketId(socket.0 + 1))), "{outputs:?}");
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
            [SignallingOutput::Event(SignallingEvent::RoundTrip(Duration::from_millis(40)))]
        );
    }
}

#[test]
fn what_an_older_socket_still_says_is_ignored() {
    let (mut world, old) = World::joined();
    world.client.handle_closed(old, world.now);
    world.drain();
    world.client.handle_frame(old, r#"{"type":"peer_left","id":"m2"}"#, world.now);
    world.client.handle_closed(old, world.now);
    assert_eq!(world.drain(), []);
}

#[test]
fn replaced_and_full_end_it_until_the_person_asks_again() {
    for (frame, code, refusal) in [
        (r#"{"type":"replaced"}"#, NoticeCode::Replaced, None),
        (r#"{"type":"full","room_limit":8}"#, NoticeCode::RoomFull, None),
        (r#"{"type":"error","code":"room-name-invalid","message":""}"#, NoticeCode::RoomNameInvalid, None),
        ("not json", NoticeCode::ProtocolError, Some(ErrorCode::ProtocolError)),
        (r#"{"type":"hologram"}"#, NoticeCode::ProtocolError, Some(ErrorCode::ProtocolError)),
    ] {
        let (mut world, socket) = World::joined();
        world.client.handle_frame(socket, frame, world.now);
        let outputs = world.drain();
        assert!(outputs.contains(&SignallingOutput::Close(socket, refusal)), "{frame}: {outputs:?}");
        assert_eq!(
            events(&outputs),
            [&SignallingEvent::Raised(code), &SignallingEvent::Status(SignallingStatus::Lost)]
        );
        assert_eq!(world.client.poll_timeout(), None, "{frame}");
        world.client.start(world.now);
        let outputs = world.drain();
        assert!(events(&outputs).contains(&&SignallingEvent::Cleared(code)), "{frame}: {outputs:?}");
        assert!(outputs.contains(&SignallingOutput::Connect(SocketId(socket.0 + 1))), "{frame}");
    }
}

#[test]
fn a_frame_over_the_limit_ends_it() {
    let (mut world, socket) = World::joined();
    world.client.handle_frame(socket, &format!("\"{}\"", "x".repeat(64 * 1024)), world.now);
    assert!(events(&world.drain()).contains(&&SignallingEvent::Raised(NoticeCode::ProtocolError)));
}

#[test]
fn a_server_that_shuts_down_is_sought_again() {
    let (mut world, socket) = World::joined();
    let frame = r#"{"type":"error","code":"shutting-down","message":""}"#;
    world.client.handle_frame(socket, frame, world.now);
    let outputs = world.drain();
    assert!(outputs.contains(&SignallingOutput::Connect(SocketId(socket.0 + 1))), "{outputs:?}");
}

#[test]
fn leaving_says_so_and_ends_it() {
    let (mut world, socket) = World::joined();
    world.client.leave();
    let outputs = world.drain();
    assert_eq!(outputs[0], SignallingOutput::Send(socket, r#"{"type":"leave"}"#.to_owned()));
    assert!(outputs.contains(&SignallingOutput::Close(socket, None)));
    assert_eq!(world.client.poll_timeout(), None);
}
