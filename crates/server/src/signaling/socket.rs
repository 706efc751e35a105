//! The task of one socket: moves its frames and keeps its deadlines.
//!
//! The task is one future that is polled by hand instead of two joined `async` blocks. Both directions go on at the same time without
//! a lock between them, there is one timer instead of four, and an idle socket needs a third of the memory.

use std::{
    collections::VecDeque,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use sightline_protocol::{ErrorCode, limits::MAX_FRAME_BYTES};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message, error::ProtocolError, protocol::CloseFrame};

use super::{
    frame_meter::FrameMeter,
    hub::{Hub, JoinProgress},
    outbox::{Next, Outbox},
    web_socket::WebSocket,
};
use crate::{
    hosts::UrlHost,
    rooms::{Closing, SocketId},
};

/// A socket whose frames are counted.
pub(super) type MeteredSocket = WebSocket<FrameMeter<TokioIo<Upgraded>>>;

/// Runs a socket until it is closed.
#[derive(Debug)]
pub(super) struct SocketTask {
    socket: MeteredSocket,
    attachment: Attachment,
    reading: Reading,
    writing: Writing,
    /// Whether something was written that is not flushed yet.
    unflushed: bool,
    ping_due: bool,
    opened_at: Instant,
    heard_at: Instant,
    ping_at: Instant,
    /// `None` once the socket has a place in a room.
    join_deadline: Option<Instant>,
    /// Set when the hub ends the socket.
    grace_deadline: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

/// The socket's entry in the hub, which is removed when the task ends for whatever reason.
#[derive(Debug)]
struct Attachment {
    hub: Arc<Hub>,
    id: SocketId,
    outbox: Arc<Outbox>,
}

#[derive(Debug)]
enum Reading {
    Open,
    /// Incoming bytes are read and discarded, because closing a socket with unread bytes resets it, and the last message is lost.
    Forgetting,
    /// Nothing more can be read. The other side has the grace time to take the last message.
    Unreadable,
    Ended,
}

#[derive(Debug)]
enum Writing {
    Open,
    /// What is still to be written of the last message and the Close frame.
    Closing(VecDeque<Message>),
    Ended,
}

impl SocketTask {
    /// Registers a socket with the hub: its address, and the host name by which its page knows the server.
    pub(super) fn new(socket: MeteredSocket, hub: Arc<Hub>, address: IpAddr, host: Option<UrlHost>) -> Self {
        let now = Instant::now();
        let limits = *hub.limits();
        let attachment = Attachment::new(hub, address, host);
        Self {
            socket,
            attachment,
            reading: Reading::Open,
            writing: Writing::Open,
            unflushed: false,
            ping_due: false,
            opened_at: now,
            heard_at: now,
            ping_at: now + limits.ping_interval,
            join_deadline: Some(now + limits.join_timeout),
            grace_deadline: None,
            timer: Box::pin(sleep_until(now)),
        }
    }

    /// Whether the hub accepted the socket and counts it.
    pub(super) fn is_counted(&self) -> bool {
        !self.attachment.outbox.is_ended()
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.reading {
                Reading::Open => match self.socket.poll_read(cx) {
                    Poll::Ready(Some(Ok(message))) => self.handle_message(message),
                    _ if self.socket.stream().is_exceeded() => {
                        self.refuse(ErrorCode::RateLimited, "too many frames");
                    }
                    Poll::Ready(Some(Err(error))) => self.handle_read_error(&error),
                    Poll::Ready(None) => self.handle_lost(),
                    Poll::Pending => return Poll::Pending,
                },
                Reading::Forgetting => match ready!(self.socket.poll_read(cx)) {
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => self.reading = Reading::Ended,
                },
                Reading::Unreadable => return Poll::Pending,
                Reading::Ended => return Poll::Ready(()),
            }
        }
    }

    fn handle_message(&mut self, message: Message) {
        self.heard_at = Instant::now();
        if message.len() > MAX_FRAME_BYTES {
            return self.refuse(ErrorCode::FrameTooLarge, "the frame is too long");
        }
        match message {
            Message::Text(text) => {
                match self.attachment.hub.receive(self.attachment.id, text.as_str()) {
                    JoinProgress::Joined => self.join_deadline = None,
                    // Counted from the opening of the socket, so asking again extends nothing.
                    JoinProgress::InLobby => {
                        let until = self.opened_at + self.attachment.hub.limits().lobby_timeout;
                        self.join_deadline = self.join_deadline.map(|_| until);
                    }
                    JoinProgress::NotJoined => {}
                }
            }
            Message::Binary(_) => self.refuse(ErrorCode::ProtocolError, "a binary frame"),
            // The WebSocket library answers pings and Close frames.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {}
        }
    }

    fn handle_read_error(&mut self, error: &Error) {
        match unreadable(error) {
            Some((code, message)) => {
                self.attachment.hub.fail(self.attachment.id, code, &message);
                self.reading = Reading::Unreadable;
            }
            None => self.handle_lost(),
        }
    }

    fn handle_lost(&mut self) {
        self.attachment.hub.lost(self.attachment.id);
        self.reading = Reading::Ended;
    }

    fn refuse(&mut self, code: ErrorCode, message: &str) {
        self.attachment.hub.fail(self.attachment.id, code, message);
        self.reading = Reading::Forgetting;
    }

    /// Writes everything that waits, then flushes once.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if let Writing::Ended = self.writing {
                return Poll::Ready(Ok(()));
            }
            ready!(self.socket.poll_ready(cx))?;
            match &mut self.writing {
                Writing::Open if std::mem::take(&mut self.ping_due) => {
                    self.start_send(Message::Ping(Bytes::new()), cx)?;
                }
                Writing::Open => match self.attachment.outbox.pop() {
                    Some(Next::Frame(frame)) => self.start_send(Message::Text(frame.into()), cx)?,
                    Some(Next::End(closing)) => self.writing = Writing::Closing(last_messages(&closing)),
                    None => {
                        if self.unflushed {
                            ready!(self.socket.poll_flush(cx))?;
                            self.unflushed = false;
                        }
                        return Poll::Pending;
                    }
                },
                Writing::Closing(last) => match last.pop_front() {
                    Some(message) => self.start_send(message, cx)?,
                    None => {
                        ready!(self.socket.poll_flush(cx))?;
                        self.writing = Writing::Ended;
                    }
                },
                Writing::Ended => {}
            }
        }
    }

    fn start_send(&mut self, message: Message, cx: &mut Context<'_>) -> Result<(), Error> {
        self.unflushed = true;
        self.socket.start_send(message, cx)
    }

    /// Acts on the deadlines that passed. Ready when the grace time is over.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limits = *self.attachment.hub.limits();
        if self.grace_deadline.is_none() && self.attachment.outbox.is_ended() {
            let deadline = Instant::now() + limits.close_grace;
            self.grace_deadline = Some(deadline);
            self.timer.as_mut().reset(deadline);
        }
        // A deadline that was postponed since is noticed when the timer fires.
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if self.grace_deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(());
            }
            let silence_deadline = self.heard_at + limits.silence_timeout;
            if matches!(self.reading, Reading::Open) {
                if self.join_deadline.is_some_and(|deadline| deadline <= now) {
                    self.refuse(ErrorCode::JoinTimeout, "no join came");
                } else if silence_deadline <= now {
                    self.handle_lost();
                } else if self.unread_deadline(limits.queue_age).is_some_and(|deadline| deadline <= now) {
                    self.attachment.hub.fail_unread(self.attachment.id);
                    self.reading = Reading::Forgetting;
                }
            }
            if self.ping_at <= now {
                self.ping_due = true;
                self.ping_at = now + limits.ping_interval;
            }
            let unread_deadline = self.unread_deadline(limits.queue_age);
            let deadlines =
                [Some(silence_deadline), unread_deadline, self.join_deadline, self.grace_deadline];
            let next = deadlines.into_iter().flatten().filter(|deadline| *deadline > now).min();
            self.timer.as_mut().reset(next.map_or(self.ping_at, |next| next.min(self.ping_at)));
        }
        Poll::Pending
    }

    /// When the oldest frame will have waited too long. Checked when the timer fires, which is at least at every ping.
    fn unread_deadline(&self, queue_age: Duration) -> Option<Instant> {
        self.attachment.outbox.waiting_since().map(|since| since + queue_age)
    }
}

impl Future for SocketTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Registered first, so that no change between the checks and the sleep is missed.
        self.attachment.outbox.watch(cx.waker());
        if self.poll_timer(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Poll::Ready(Err(_)) = self.poll_write(cx) {
            self.writing = Writing::Ended;
            self.attachment.hub.lost(self.attachment.id);
        }
        match (self.poll_read(cx), &self.writing) {
            (Poll::Ready(()), Writing::Ended) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }
}

impl Attachment {
    fn new(hub: Arc<Hub>, address: IpAddr, host: Option<UrlHost>) -> Self {
        let (id, outbox) = hub.attach(address, host);
        Self { hub, id, outbox }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.hub.detach(self.id);
    }
}

fn last_messages(closing: &Closing) -> VecDeque<Message> {
    let said = closing.message().and_then(|last| serde_json::to_string(&last).ok());
    let close = CloseFrame { code: closing.close_code().into(), reason: closing.reason().into() };
    said.map(|said| Message::Text(said.into())).into_iter().chain([Message::Close(Some(close))]).collect()
}

/// The client's fault behind a read error; `None` where the connection is merely gone.
fn unreadable(error: &Error) -> Option<(ErrorCode, String)> {
    let code = match error {
        Error::Capacity(_) => ErrorCode::FrameTooLarge,
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
        Error::Protocol(_) | Error::Utf8(_) => ErrorCode::ProtocolError,
        _ => return None,
    };
    Some((code, error.to_string()))
}
