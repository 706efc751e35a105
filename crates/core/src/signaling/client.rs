//! The signaling client: joins a room, keeps the seat, reconnects after a loss.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::{
    DisplayName, ErrorCode, MemberId, RefusalReason,
    limits::MAX_FRAME_BYTES,
    signaling::{ClientMessage, ServerMessage, Signal},
};

use super::{
    SignalingEvent, SignalingOutput, SignalingStatus, SocketId,
    backoff::Backoff,
    identity::{Identity, JoinRequest},
    keepalive::{Keepalive, KeepaliveDue},
};
use crate::{
    Timestamp,
    budget::{Bucket, UNREADABLE_FRAMES},
    decode::{self, ServerFrame, Unreadable},
    notice::NoticeCode,
    picture::StillPicture,
    random::SeededRandom,
    trust::RoomKeys,
};

/// How long a socket may take to open and answer the `join`; the index is the number of consecutive sockets that took too long.
/// Short at first, because an interruption is usually short and the next socket succeeds; longer later, because TCP, TLS, the
/// upgrade and the answer need five round trips, and a slow network must not look like a dead server.
const JOIN_DEADLINES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(2),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];
/// The first connection may take this long at once, since there is no call to resume.
const FIRST_JOIN_DEADLINE: Duration = Duration::from_secs(8);
/// How long the answer to a `join` may take on a socket that was opened ahead. Such a socket may be dead since the computer slept, and
/// then another one is opened.
const AHEAD_JOIN_DEADLINE: Duration = Duration::from_secs(3);
/// How long a locked room may take to answer. The server gives up earlier.
const KNOCK_DEADLINE: Duration = Duration::from_secs(150);
/// How long a client that was in the room asks again although its link was replaced: a host may pass the new secret meanwhile.
const LINK_PATIENCE: Duration = Duration::from_secs(10);
/// Shortest interval between questions for fresh credentials, however short they live.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// Interval when the answer to a question for fresh credentials did not come.
const ICE_SERVERS_RETRY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The client was not started, or ended for good.
    Idle,
    /// A socket is being opened, or is open, for a `join` that may come.
    Ahead { socket: SocketId, is_open: bool },
    /// The client waits before the next attempt.
    Waiting { until: Timestamp },
    /// A socket is being opened, or has not answered the `join`.
    Joining { socket: SocketId, deadline: Timestamp },
    /// The room is locked, and its hosts are asked.
    Knocking { socket: SocketId, deadline: Timestamp, takes_picture: bool },
    /// The client is in the room.
    Joined { socket: SocketId, keepalive: Keepalive },
}

/// The client's side of the signaling protocol (`docs/protocol.md`).
#[derive(Debug)]
pub struct SignalingClient {
    identity: Identity,
    /// Since when the server refuses the link of this client, which was in the room.
    link_refused_since: Option<Timestamp>,
    phase: Phase,
    status: Option<SignalingStatus>,
    raised: Vec<NoticeCode>,
    has_joined: bool,
    /// Whether the socket was opened ahead, and nothing was heard of a `join` on it yet. Its end is reported to nobody.
    is_ahead: bool,
    /// Number of consecutive sockets that took too long.
    late_joins: usize,
    next_socket: u32,
    next_nonce: u32,
    /// When to ask for fresh ICE credentials.
    ice_servers_due: Option<Timestamp>,
    /// Budget for unreadable frames of the server.
    unreadable: Bucket,
    backoff: Backoff,
    outputs: VecDeque<SignalingOutput>,
}

impl SignalingClient {
    /// A client that does nothing until [`Self::start`].
    #[must_use]
    pub fn new(request: JoinRequest, mut random: SeededRandom) -> Self {
        let identity = Identity::new(request, SeededRandom::new(random.next_u128()));
        Self {
            identity,
            link_refused_since: None,
            phase: Phase::Idle,
            status: None,
            raised: Vec::new(),
            has_joined: false,
            is_ahead: false,
            late_joins: 0,
            next_socket: 0,
            next_nonce: 0,
            ice_servers_due: None,
            unreadable: Bucket::default(),
            backoff: Backoff::new(random),
            outputs: VecDeque::new(),
        }
    }

    /// Opens a socket for a `join` that may come, and asks for the ICE servers. The server learns neither the room nor the name.
    /// Nothing is reported and nothing repeated if that fails: [`Self::start`] then opens another socket.
    pub fn prepare(&mut self) {
        if self.phase == Phase::Idle && !self.has_joined {
            let socket = self.new_socket();
            self.is_ahead = true;
            self.phase = Phase::Ahead { socket, is_open: false };
            self.outputs.push_back(SignalingOutput::Connect(socket));
        }
    }

    /// Sets the name for the next `join`.
    pub fn set_name(&mut self, name: DisplayName) {
        self.identity.set_name(name);
    }

    /// Joins on the socket that was opened ahead, or connects; after the client ended, connects again because the person asked for it.
    pub fn start(&mut self, now: Timestamp) {
        if let Phase::Ahead { socket, is_open } = self.phase {
            self.set_status(SignalingStatus::Connecting);
            // A socket that is not open yet is like one that is opened now.
            self.is_ahead = is_open;
            let allowed = if is_open { AHEAD_JOIN_DEADLINE } else { FIRST_JOIN_DEADLINE };
            self.phase = Phase::Joining { socket, deadline: now + allowed };
            if is_open {
                self.send_join(socket);
            }
        } else if self.phase == Phase::Idle {
            for code in std::mem::take(&mut self.raised) {
                self.event(SignalingEvent::Cleared(code));
            }
            self.backoff.reset();
            self.link_refused_since = None;
            self.try_again(now);
        }
    }

    /// Notes that the server does not admit this page, which a socket would not report. The client ends until [`Self::start`].
    pub fn handle_page_refused(&mut self, code: NoticeCode) {
        self.end(Some(code));
    }

    /// The keys of the room; `None` in an unprotected one.
    #[must_use]
    pub fn keys(&self) -> Option<&RoomKeys> {
        self.identity.keys()
    }

    /// Tells the server at the next `join` that the secret of the room may be replaced.
    pub fn enable_rekeys(&mut self) {
        self.identity.enable_rekeys();
    }

    /// Uses other keys from the next message on.
    pub fn use_keys(&mut self, keys: RoomKeys) {
        self.identity.use_keys(keys);
        // The person's next attempt may succeed at once.
        if let Phase::Waiting { until } = &mut self.phase
            && let Some(since) = self.link_refused_since
        {
            *until = since;
        }
    }

    /// Tells the server the tag of the present keys, and the name under them. Nothing is queued without a socket.
    pub fn send_rekey(&mut self) {
        if let Phase::Joined { socket, .. } = self.phase
            && let Some(rekey) = self.identity.rekey()
        {
            self.send(socket, &rekey);
        }
    }

    /// Notes that the secret of the room was replaced, and that nobody gives it to this page. The client ends until [`Self::start`].
    pub fn handle_link_lost(&mut self) {
        if let Phase::Joined { socket, .. } = self.phase {
            self.send(socket, &ClientMessage::Leave);
        }
        self.end_without_seat(NoticeCode::LinkChanged);
    }

    /// Whether the room is joined now.
    #[must_use]
    pub fn is_joined(&self) -> bool {
        matches!(self.phase, Phase::Joined { .. })
    }

    /// Notes that the socket is open.
    pub fn handle_opened(&mut self, socket: SocketId) {
        if self.current_socket() != Some(socket) {
            return;
        }
        if let Phase::Ahead { is_open, .. } = &mut self.phase {
            *is_open = true;
            self.send(socket, &ClientMessage::IceServers);
        } else {
            self.send_join(socket);
        }
    }

    /// Notes that the socket closed, or could not be opened.
    pub fn handle_closed(&mut self, socket: SocketId, now: Timestamp) {
        if self.current_socket() == Some(socket) {
            self.lose(now);
        }
    }

    /// Takes a frame of the server.
    pub fn handle_frame(&mut self, socket: SocketId, frame: &str, now: Timestamp) {
        if self.current_socket() != Some(socket) {
            return;
        }
        match decode::server_frame(frame) {
            Ok(ServerFrame::Message(message)) => self.handle_message(socket, message, now),
            Ok(ServerFrame::UnreadableSignal(from)) if self.is_joined() => {
                self.event(SignalingEvent::UnreadableSignal { from });
            }
            _ if matches!(self.phase, Phase::Ahead { .. }) => self.lose(now),
            Ok(ServerFrame::UnreadableSignal(_)) => self.refuse(ErrorCode::ProtocolError),
            // An unreadable frame is skipped; a server that sends nothing else does not speak the protocol.
            Err(_) if self.is_joined() && self.unreadable.take(UNREADABLE_FRAMES, 1, now) => {}
            Err(Unreadable::TooLong) => self.refuse(ErrorCode::FrameTooLarge),
            Err(Unreadable::Malformed) => self.refuse(ErrorCode::ProtocolError),
        }
    }

    /// Notes that the network is back, or that the page woke up: the next attempt begins at once.
    pub fn handle_wake(&mut self, now: Timestamp) {
        match &mut self.phase {
            Phase::Waiting { until } => *until = now,
            Phase::Joined { keepalive, .. } => keepalive.handle_wake(now),
            _ => {}
        }
        self.handle_timeout(now);
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if let Phase::Joined { socket, .. } = self.phase
            && self.ice_servers_due.is_some_and(|due| due <= now)
        {
            self.ice_servers_due = Some(now + ICE_SERVERS_RETRY);
            self.send(socket, &ClientMessage::IceServers);
        }
        match &mut self.phase {
            Phase::Waiting { until } if *until <= now => self.connect(now),
            Phase::Joining { deadline, .. } if *deadline <= now => {
                self.late_joins += usize::from(!self.is_ahead);
                self.lose(now);
            }
            Phase::Knocking { deadline, .. } if *deadline <= now => self.lose(now),
            Phase::Joined { socket, keepalive } => {
                let socket = *socket;
                match keepalive.handle_timeout(&mut self.next_nonce, now) {
                    Some(KeepaliveDue::Ping(nonce)) => {
                        self.send(socket, &ClientMessage::Ping { nonce });
                    }
                    Some(KeepaliveDue::Lost) => self.lose(now),
                    None => {}
                }
            }
            _ => {}
        }
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Idle | Phase::Ahead { .. } => None,
            Phase::Waiting { until } => Some(until),
            Phase::Joining { deadline, .. } | Phase::Knocking { deadline, .. } => Some(deadline),
            Phase::Joined { keepalive, .. } => {
                let due = keepalive.poll_timeout();
                Some(self.ice_servers_due.map_or(due, |ice_servers_due| ice_servers_due.min(due)))
            }
        }
    }

    /// The next thing that the caller is to do.
    pub fn poll_output(&mut self) -> Option<SignalingOutput> {
        self.outputs.pop_front()
    }

    /// Sends a signal to one member. Returns whether it was sent: nothing is queued without a socket, because the negotiation
    /// repeats what it needs.
    pub fn send_signal(&mut self, to: MemberId, signal: Signal) -> bool {
        let Phase::Joined { socket, .. } = self.phase else { return false };
        self.send(socket, &ClientMessage::Signal { to, signal })
    }

    /// Asks the server for something that only a host may do. Nothing is queued without a socket.
    pub fn act_as_host(&mut self, message: &ClientMessage) {
        if let Phase::Joined { socket, .. } = self.phase {
            self.send(socket, message);
        }
    }

    /// Whether this page waits at a locked room whose hosts it can still show a picture.
    #[must_use]
    pub fn takes_picture(&self) -> bool {
        matches!(self.phase, Phase::Knocking { takes_picture: true, .. })
    }

    /// Shows the hosts of the locked room a picture, once while this page waits. Returns whether it was sent. Nothing is kept for the
    /// next time.
    pub fn show_picture(&mut self, picture: &StillPicture) -> bool {
        let Phase::Knocking { socket, takes_picture: takes_picture @ true, .. } = &mut self.phase else {
            return false;
        };
        *takes_picture = false;
        let socket = *socket;
        self.identity.knock_picture(picture).is_some_and(|message| self.send(socket, &message))
    }

    /// Leaves the room for good.
    pub fn leave(&mut self) {
        if let Phase::Joined { socket, .. } | Phase::Knocking { socket, .. } = self.phase {
            self.send(socket, &ClientMessage::Leave);
        }
        self.end(None);
    }

    fn handle_message(&mut self, socket: SocketId, message: ServerMessage, now: Timestamp) {
        match message {
            // The answer to what was asked ahead. Nothing else is expected before the `join`.
            ServerMessage::IceServers { ice_servers, .. } if self.is_ahead => {
                self.event(SignalingEvent::IceServers(ice_servers));
            }
            _ if matches!(self.phase, Phase::Ahead { .. }) => self.lose(now),
            ServerMessage::Joined {
                you,
                arrival,
                members,
                resume,
                ice_servers,
                ice_servers_life_s,
                hosts,
                locked,
                admission_sha256,
                ..
            } => {
                self.ice_servers_due = refresh_time(ice_servers_life_s, now);
                self.phase = Phase::Joined { socket, keepalive: Keepalive::new(now) };
                self.has_joined = true;
                self.is_ahead = false;
                self.late_joins = 0;
                self.link_refused_since = None;
                self.backoff.reset();
                self.identity.set_resume(Some(resume.clone()));
                for code in std::mem::take(&mut self.raised) {
                    self.event(SignalingEvent::Cleared(code));
                }
                self.set_status(SignalingStatus::Connected);
                self.event(SignalingEvent::IceServers(ice_servers));
                self.event(SignalingEvent::Joined {
                    you,
                    arrival,
                    members,
                    resume,
                    hosts,
                    is_locked: locked,
                    admission_sha256,
                });
            }
            ServerMessage::Full { .. } => self.end(Some(NoticeCode::RoomFull)),
            ServerMessage::Replaced => self.end(Some(NoticeCode::Replaced)),
            ServerMessage::Refused { reason: RefusalReason::LinkChanged } if self.may_get_new_link(now) => {
                self.lose(now);
            }
            ServerMessage::Refused { reason } => self.end(Some(match reason {
                RefusalReason::Locked => NoticeCode::RoomLocked,
                RefusalReason::Refused => NoticeCode::KnockRefused,
                RefusalReason::NoAnswer | RefusalReason::TooMany => NoticeCode::KnockUnanswered,
                RefusalReason::NotOpen => NoticeCode::RoomNotOpen,
                RefusalReason::LinkChanged => NoticeCode::LinkChanged,
            })),
            ServerMessage::Removed => self.end_without_seat(NoticeCode::Removed),
            ServerMessage::Ended => self.end_without_seat(NoticeCode::RoomEnded),
            ServerMessage::Waiting { pictures } if matches!(self.phase, Phase::Joining { .. }) => {
                self.is_ahead = false;
                self.phase =
                    Phase::Knocking { socket, deadline: now + KNOCK_DEADLINE, takes_picture: pictures };
                self.late_joins = 0;
                for code in std::mem::take(&mut self.raised) {
                    self.event(SignalingEvent::Cleared(code));
                }
                self.set_status(SignalingStatus::Waiting);
            }
            ServerMessage::Error { code, .. } => self.handle_error(code, now),
            ServerMessage::Pong { nonce } => self.handle_pong(nonce, now),
            // The following messages are valid in a room only.
            _ if !self.is_joined() => self.refuse(ErrorCode::ProtocolError),
            ServerMessage::IceServers { ice_servers, ice_servers_life_s, .. } => {
                self.ice_servers_due = refresh_time(ice_servers_life_s, now);
                self.event(SignalingEvent::IceServers(ice_servers));
            }
            ServerMessage::RoomState { hosts, locked, resume, admission_sha256 } => {
                self.identity.set_resume(Some(resume.clone()));
                let is_locked = locked;
                self.event(SignalingEvent::RoomState { hosts, is_locked, resume, admission_sha256 });
            }
            ServerMessage::Knock { visitor } => self.event(SignalingEvent::Knock(visitor)),
            ServerMessage::KnockEnded { id } => self.event(SignalingEvent::KnockEnded(id)),
            ServerMessage::PeerRemoved { id } => self.event(SignalingEvent::PeerRemoved(id)),
            // Already in the room.
            ServerMessage::Waiting { .. } => {}
            ServerMessage::PeerJoined { member } => self.event(SignalingEvent::PeerJoined(member)),
            ServerMessage::PeerAway { id } => self.event(SignalingEvent::PeerAway(id)),
            ServerMessage::PeerLeft { id } => self.event(SignalingEvent::PeerLeft(id)),
            ServerMessage::Signal { from, signal } => self.event(SignalingEvent::Signal { from, signal }),
        }
    }

    /// Whether to ask again with a link that was replaced: the client was in the room a moment ago.
    fn may_get_new_link(&mut self, now: Timestamp) -> bool {
        self.identity.rekeys() && self.has_joined && {
            let since = *self.link_refused_since.get_or_insert(now);
            now.since(since) < LINK_PATIENCE
        }
    }

    fn handle_error(&mut self, code: ErrorCode, now: Timestamp) {
        if !code.closes() {
            return;
        }
        let notice = NoticeCode::from_server(code);
        if code.is_transient() {
            if let Some(notice) = notice.filter(|notice| *notice != NoticeCode::SignalingLost) {
                self.raise(notice);
            }
            self.lose(now);
        } else {
            self.end(notice);
        }
    }

    fn handle_pong(&mut self, nonce: u32, now: Timestamp) {
        if let Phase::Joined { keepalive, .. } = &mut self.phase
            && let Some(round_trip) = keepalive.handle_pong(nonce, now)
        {
            self.event(SignalingEvent::RoundTrip(round_trip));
        }
    }

    fn new_socket(&mut self) -> SocketId {
        let socket = SocketId(self.next_socket);
        self.next_socket += 1;
        socket
    }

    fn send_join(&mut self, socket: SocketId) {
        let join = self.identity.join();
        self.send(socket, &join);
    }

    fn connect(&mut self, now: Timestamp) {
        let socket = self.new_socket();
        let [.., longest] = JOIN_DEADLINES;
        let allowed = if self.has_joined {
            JOIN_DEADLINES.get(self.late_joins).copied().unwrap_or(longest)
        } else {
            FIRST_JOIN_DEADLINE
        };
        self.phase = Phase::Joining { socket, deadline: now + allowed };
        self.outputs.push_back(SignalingOutput::Connect(socket));
    }

    fn try_again(&mut self, now: Timestamp) {
        self.set_status(if self.has_joined {
            SignalingStatus::Reconnecting
        } else {
            SignalingStatus::Connecting
        });
        let delay = self.backoff.next_delay(now);
        if delay.is_zero() {
            self.connect(now);
        } else {
            self.phase = Phase::Waiting { until: now + delay };
        }
    }

    /// Gives up the socket and reconnects; the call goes on.
    fn lose(&mut self, now: Timestamp) {
        self.close_socket(None);
        if std::mem::take(&mut self.is_ahead) {
            return match self.phase {
                Phase::Ahead { .. } => self.phase = Phase::Idle,
                // Nobody knows whether the server can be reached, because the socket may have died long ago.
                _ => self.connect(now),
            };
        }
        self.raise(if self.has_joined { NoticeCode::SignalingLost } else { NoticeCode::ServerUnreachable });
        self.try_again(now);
    }

    /// Closes the socket with an error, because the server does not speak the protocol. The client does not reconnect by itself.
    fn refuse(&mut self, code: ErrorCode) {
        self.close_socket(Some(code));
        self.phase = Phase::Idle;
        self.end(Some(NoticeCode::ProtocolError));
    }

    /// Ends after the seat was taken away.
    fn end_without_seat(&mut self, notice: NoticeCode) {
        self.identity.set_resume(None);
        self.end(Some(notice));
    }

    fn end(&mut self, notice: Option<NoticeCode>) {
        self.close_socket(None);
        self.is_ahead = false;
        self.phase = Phase::Idle;
        if let Some(code) = notice {
            self.raise(code);
        }
        self.set_status(SignalingStatus::Lost);
    }

    fn close_socket(&mut self, refusal: Option<ErrorCode>) {
        if let Some(socket) = self.current_socket() {
            self.outputs.push_back(SignalingOutput::Close(socket, refusal));
        }
    }

    fn current_socket(&self) -> Option<SocketId> {
        match self.phase {
            Phase::Ahead { socket, .. }
            | Phase::Joining { socket, .. }
            | Phase::Knocking { socket, .. }
            | Phase::Joined { socket, .. } => Some(socket),
            Phase::Idle | Phase::Waiting { .. } => None,
        }
    }

    fn raise(&mut self, code: NoticeCode) {
        if !self.raised.contains(&code) {
            self.raised.push(code);
            self.event(SignalingEvent::Raised(code));
        }
    }

    fn set_status(&mut self, status: SignalingStatus) {
        if self.status != Some(status) {
            self.status = Some(status);
            self.event(SignalingEvent::Status(status));
        }
    }

    fn send(&mut self, socket: SocketId, message: &ClientMessage) -> bool {
        match serde_json::to_string(message) {
            Ok(frame) if frame.len() <= MAX_FRAME_BYTES => {
                self.outputs.push_back(SignalingOutput::Send(socket, frame));
                true
            }
            _ => false,
        }
    }

    fn event(&mut self, event: SignalingEvent) {
        self.outputs.push_back(SignalingOutput::Event(event));
    }
}

/// Half of the lifetime, so that anything that gathers candidates has credentials that are valid long enough.
fn refresh_time(life_s: Option<u32>, now: Timestamp) -> Option<Timestamp> {
    life_s.map(|life_s| now + (Duration::from_secs(life_s.into()) / 2).max(MIN_REFRESH_INTERVAL))
}
