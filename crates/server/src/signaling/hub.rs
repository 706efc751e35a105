//! Connects the socket tasks with the rooms. One lock around the registry is held for one input at a time.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sightline_protocol::{
    ErrorCode,
    limits::MAX_FRAME_BYTES,
    signaling::{ClientMessage, ServerMessage},
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    addresses::Addresses,
    frame, frame_text,
    limits::SocketLimits,
    outbox::{Outbox, OutboxFull, QueuedBytes},
};
use crate::{
    hosts::UrlHost,
    metrics::{Census, Metrics},
    proxy::limited_address,
    rooms::{Closing, Output, Registry, SocketId, SocketMap},
    time::Clock,
    turn::ice_servers::RelayDirectory,
};

/// All sockets, and the rooms that they are in.
#[derive(Debug)]
pub(crate) struct Hub {
    limits: SocketLimits,
    clock: Clock,
    metrics: Arc<Metrics>,
    relay: Option<RelayDirectory>,
    queued_bytes: QueuedBytes,
    state: Mutex<State>,
    timeout_changed: Notify,
}

/// How far a socket is on its way into a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinProgress {
    NotJoined,
    /// The socket asked for ICE servers, as the page of a person in the lobby does.
    InLobby,
    /// The socket has a place, or its person waits for one.
    Joined,
}

#[derive(Debug)]
struct State {
    registry: Registry,
    sockets: SocketMap<Socket>,
    addresses: Addresses,
    next_socket: u64,
    shutting_down: bool,
}

#[derive(Debug)]
struct Socket {
    outbox: Arc<Outbox>,
    address: IpAddr,
    host: Option<UrlHost>,
}

impl Hub {
    pub(crate) fn new(
        registry: Registry,
        limits: SocketLimits,
        clock: Clock,
        metrics: Arc<Metrics>,
        relay: Option<RelayDirectory>,
    ) -> Self {
        let state = State {
            registry,
            sockets: SocketMap::default(),
            addresses: Addresses::new(limits.address),
            next_socket: 0,
            shutting_down: false,
        };
        Self {
            limits,
            clock,
            metrics,
            relay,
            queued_bytes: QueuedBytes::default(),
            state: Mutex::new(state),
            timeout_changed: Notify::new(),
        }
    }

    pub(super) fn limits(&self) -> &SocketLimits {
        &self.limits
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The numbers of sockets, members and rooms now.
    pub(crate) fn census(&self) -> Census {
        let state = self.lock();
        Census {
            sockets: state.sockets.len(),
            members: state.registry.member_count(),
            rooms: state.registry.room_count(),
        }
    }

    /// Registers a new socket with its address and the host name by which its page knows the server. If there is no room for it,
    /// its outbox ends with the reason.
    pub(super) fn attach(&self, address: IpAddr, host: Option<UrlHost>) -> (SocketId, Arc<Outbox>) {
        let mut state = self.lock();
        let socket = SocketId(state.next_socket);
        state.next_socket += 1;
        let outbox = Arc::new(Outbox::new(&self.limits, self.queued_bytes.clone()));
        let refused = if state.shutting_down {
            Some(shutting_down())
        } else if state.sockets.len() >= self.limits.max_sockets {
            Some(Closing::failed(ErrorCode::ServerFull, "the server has no socket left"))
        } else if !state.addresses.open(address, Instant::now()) {
            Some(Closing::failed(ErrorCode::RateLimited, "too many sockets of this address"))
        } else {
            None
        };
        match refused {
            Some(closing) => {
                self.metrics.count_refusal(&closing.reason());
                outbox.end(closing);
            }
            None => {
                self.metrics.opened_sockets.inc();
                state.sockets.insert(socket, Socket { outbox: Arc::clone(&outbox), address, host });
            }
        }
        (socket, outbox)
    }

    /// Handles a text frame. Returns what is known of the socket's `join` now.
    pub(super) fn receive(&self, socket: SocketId, text: &str) -> JoinProgress {
        self.metrics.received.inc_by(text.len() as u64);
        let read = frame::read(text);
        let is_in_lobby = matches!(read, Ok(ClientMessage::IceServers));
        let mut has_joined = false;
        self.with_open(socket, |state, address| {
            self.handle(state, socket, address, read);
            has_joined = state.registry.has_joined(socket);
        });
        match (has_joined, is_in_lobby) {
            (true, _) => JoinProgress::Joined,
            (false, true) => JoinProgress::InLobby,
            (false, false) => JoinProgress::NotJoined,
        }
    }

    fn handle(
        &self,
        state: &mut State,
        socket: SocketId,
        address: IpAddr,
        read: Result<ClientMessage, frame::Refusal>,
    ) {
        match read {
            // Asking for credentials costs as much as joining, so it is counted like a join.
            Ok(ClientMessage::Join { .. } | ClientMessage::IceServers)
                if !state.addresses.join(address, Instant::now()) =>
            {
                let message = "too many joins of this address";
                state.registry.handle_failure(socket, ErrorCode::RateLimited, message, self.clock.now());
            }
            Ok(message) => {
                let address = limited_address(address);
                state.registry.handle_message(socket, address, message, self.clock.now());
            }
            Err(refusal) => {
                state.registry.handle_failure(socket, refusal.code, &refusal.message, self.clock.now());
            }
        }
    }

    /// Closes a socket whose client answers pings and reads nothing else.
    pub(super) fn fail_unread(&self, socket: SocketId) {
        self.fail(socket, ErrorCode::TooSlow, "what was sent first is still waiting to be read");
    }

    /// Closes a socket for an error of its client.
    pub(super) fn fail(&self, socket: SocketId, code: ErrorCode, message: &str) {
        self.with_open(socket, |state, _| {
            state.registry.handle_failure(socket, code, message, self.clock.now());
        });
    }

    /// Handles the loss of the connection.
    pub(super) fn lost(&self, socket: SocketId) {
        self.with_open(socket, |state, _| {
            state.registry.handle_socket_closed(socket, self.clock.now());
            if let Some(gone) = state.sockets.get(&socket) {
                self.metrics.count_closing("gone");
                gone.outbox.end(Closing::Gone);
            }
        });
    }

    /// Forgets the socket when its task ends.
    pub(super) fn detach(&self, socket: SocketId) {
        self.lost(socket);
        let mut state = self.lock();
        if let Some(Socket { address, .. }) = state.sockets.remove(&socket) {
            state.addresses.close(address);
        }
    }

    /// Gives up the places of members who stayed away, for as long as the server runs.
    pub(crate) async fn run_timeouts(&self) {
        loop {
            let next = self.lock().registry.poll_timeout();
            let passed = async {
                match next {
                    Some(at) => sleep_until(self.clock.instant_of(at)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => {
                    let mut state = self.lock();
                    state.registry.handle_timeout(self.clock.now());
                    self.flush(&mut state, None);
                }
                () = self.timeout_changed.notified() => {}
            }
        }
    }

    /// Tells every socket, and every later one, that the server shuts down.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.shutting_down = true;
        tracing::info!(sockets = state.sockets.len(), rooms = state.registry.room_count(), "shutting down");
        let closing = shutting_down();
        for socket in state.sockets.values() {
            self.metrics.count_closing(&closing.reason());
            socket.outbox.end(closing.clone());
        }
    }

    /// Calls `act` with the registry, unless the socket has ended and is ignored.
    fn with_open(&self, socket: SocketId, act: impl FnOnce(&mut State, IpAddr)) {
        let mut state = self.lock();
        let open = state.sockets.get(&socket).filter(|socket| !socket.outbox.is_ended());
        let Some(address) = open.map(|socket| socket.address) else { return };
        let next_timeout = state.registry.poll_timeout();
        act(&mut state, address);
        self.flush(&mut state, Some(socket));
        if state.registry.poll_timeout() != next_timeout {
            drop(state);
            self.timeout_changed.notify_one();
        }
    }

    /// Performs the outputs of the registry after an input from `origin`.
    fn flush(&self, state: &mut State, origin: Option<SocketId>) {
        while let Some(output) = state.registry.poll_output() {
            match output {
                Output::Send(socket, mut message) => {
                    self.add_relay(state, socket, &mut message);
                    match message {
                        ServerMessage::Joined { .. } => self.metrics.joins.inc(),
                        ServerMessage::Signal { .. } => self.metrics.relayed_signals.inc(),
                        _ => 0,
                    };
                    match frame_text::write(&message) {
                        Ok(frame) => self.queue(state, origin, socket, frame),
                        Err(error) => tracing::error!(%error, "a message cannot be written"),
                    }
                }
                Output::Close(socket, closing) => {
                    let reason = closing.reason();
                    tracing::debug!(socket = socket.0, reason, "closing");
                    self.metrics.count_closing(if reason.is_empty() { "left" } else { &reason });
                    if let Some(socket) = state.sockets.get(&socket) {
                        socket.outbox.end(closing);
                    }
                }
                Output::RevokeRelay(member) => {
                    if let Some(relay) = &self.relay {
                        relay.credentials.revoke(member.as_str(), self.clock.now());
                    }
                }
            }
        }
    }

    /// Adds the relay to a message. Its address depends on the name by which the member knows the server, its credentials on the time.
    fn add_relay(&self, state: &State, socket: SocketId, message: &mut ServerMessage) {
        if let ServerMessage::Joined { ice_servers, ice_servers_life_s, .. }
        | ServerMessage::IceServers { ice_servers, ice_servers_life_s, .. } = message
            && let Some(relay) = &self.relay
        {
            let Some(Socket { address, host, .. }) = state.sockets.get(&socket) else { return };
            let (host, now) = (host.as_ref(), self.clock.now());
            let (servers, life) = match state.registry.member_of(socket) {
                Some(member) => (relay.of(&member.to_string(), host, now), relay.life()),
                // A page that has not joined, such as the connection doctor.
                None => (relay.of_visitor(*address, host, now), relay.visitor_life()),
            };
            ice_servers.extend(servers);
            *ice_servers_life_s = u32::try_from(life.as_secs()).ok();
            if let ServerMessage::IceServers { alternate_stun_urls, .. } = message {
                *alternate_stun_urls = relay.alternate_stun_urls(host);
            }
        }
    }

    fn queue(&self, state: &mut State, origin: Option<SocketId>, socket: SocketId, frame: String) {
        let Some(Socket { outbox, .. }) = state.sockets.get(&socket) else { return };
        // `from` is longer than `to`, so a frame just within the limit may be beyond it now, and its addressee would have to close.
        if frame.len() > MAX_FRAME_BYTES
            && let Some(origin) = origin
        {
            let message = "the message with its sender is too long";
            state.registry.handle_failure(origin, ErrorCode::FrameTooLarge, message, self.clock.now());
            return;
        }
        let bytes = frame.len() as u64;
        if outbox.push(frame, Instant::now()) == Err(OutboxFull) {
            self.fail_slow(state, socket);
        } else {
            self.metrics.sent.inc_by(bytes);
        }
        if self.queued_bytes.get() > self.limits.total_queue_bytes {
            // A socket that has ended is emptied or dropped within its grace time.
            let open = state.sockets.iter().filter(|(_, socket)| !socket.outbox.is_ended());
            let slowest = open.max_by_key(|(_, socket)| socket.outbox.bytes());
            if let Some(slowest) = slowest.map(|(id, _)| *id) {
                self.fail_slow(state, slowest);
            }
        }
    }

    fn fail_slow(&self, state: &mut State, socket: SocketId) {
        let message = "too much is waiting to be read";
        state.registry.handle_failure(socket, ErrorCode::TooSlow, message, self.clock.now());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shutting_down() -> Closing {
    Closing::failed(ErrorCode::ShuttingDown, "the server is being shut down")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::{super::outbox::Next, *};
    use crate::rooms::{ResumeKey, RoomSettings};

    /// Valid messages, which the tests corrupt.
    const SOUND: [&str; 8] = [
        r#"{"type":"join","protocol":1,"room":"team-7","name":"Ada","instance":"i1","resume":"a.b"}"#,
        r#"{"type":"signal","to":"PEER","connection":"c1","generation":0,"payload":{"description":{"kind":"offer","exchange":1,"sdp":"v=0\r\n\u00e9"}}}"#,
        r#"{"type":"signal","to":"PEER","connection":"c1","generation":7,"payload":{"candidate":{"candidate":"x","sdp_mid":"0","sdp_m_line_index":1,"ufrag":"u"}}}"#,
        r#"{"type":"signal","to":"PEER","connection":"c1","generation":0,"payload":{"sealed":"aZ09-_"}}"#,
        r#"{"type":"signal","to":"nobody","connection":"c1","generation":0,"payload":{"candidate":{"candidate":""}}}"#,
        r#"{"type":"ping","nonce":4711}"#,
        r#"{"type":"ice_servers"}"#,
        r#"{"type":"leave"}"#,
    ];

    const SPOILS: [&str; 16] = [
        "1e999",
        "-1",
        "4294967296",
        "0.5",
        "[[[[",
        "\"\\ud800\"",
        "\\ud83d",
        "\"u\":1e999,",
        "\"u\":{},",
        "\"generation\":0,",
        "null",
        "\\u0000",
        "\u{202e}",
        "}",
        "\"",
        ",",
    ];

    fn spoilt() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            prop::sample::select(&SPOILS[..]).prop_map(str::to_owned),
            Just("[".repeat(200)),
            "\\PC{0,8}",
            any::<char>().prop_map(String::from),
        ];
        let edits = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6, part), 0..4);
        (prop::sample::select(&SOUND[..]), edits).prop_map(|(sound, edits)| {
            let mut text: Vec<char> = sound.chars().collect();
            for (place, cut, part) in edits {
                let at = place.index(text.len() + 1);
                let end = (at + cut).min(text.len());
                text.splice(at..end, part.chars());
            }
            text.into_iter().collect()
        })
    }

    proptest! {
        #[test]
        fn every_frame_from_the_server_is_a_protocol_message_whatever_the_input(
            said in prop::collection::vec(spoilt(), 1..6),
        ) {
            let random = StdRng::seed_from_u64(7);
            let registry = Registry::new(RoomSettings::default(), ResumeKey::new(&[7; ResumeKey::BYTES]), random);
            let limits = SocketLimits::default();
            let hub = Hub::new(registry, limits, Clock::start(), Arc::new(Metrics::new()), None);
            let address = IpAddr::from([192, 0, 2, 1]);
            let [(hostile, hostile_box), (peer, peer_box)] = [0; 2].map(|_| hub.attach(address, None));
            let join = |name: &str| format!(r#"{{"type":"join","protocol":1,"room":"team-7","name":"{name}","instance":"{name}"}}"#);
            hub.receive(peer, &join("peer"));
            hub.receive(hostile, &join("hostile"));
            let peer_id = hub.lock().registry.member_of(peer).cloned().map(String::from).unwrap_or_default();
            for text in said {
                hub.receive(hostile, &text.replace("PEER", &peer_id));
            }
            for outbox in [&hostile_box, &peer_box] {
                while let Some(next) = outbox.pop() {
                    let frame = match next {
                        Next::Frame(frame) => frame,
                        Next::End(closing) => {
                            prop_assert!(closing.reason().len() <= 123, "the reason of a Close frame");
                            let Some(last) = closing.message() else { break };
                            let text = serde_json::to_string(&last).unwrap();
                            prop_assert_eq!(serde_json::from_str::<ServerMessage>(&text).unwrap(), last);
                            break;
                        }
                    };
                    prop_assert!(frame.len() <= MAX_FRAME_BYTES);
                    let message: ServerMessage = serde_json::from_str(&frame).unwrap();
                    prop_assert_eq!(serde_json::to_string(&message).unwrap(), frame);
                }
            }
            prop_assert!(!peer_box.is_ended(), "what one says never closes another");
        }
    }
}
