//! The task of one socket: moves its frames and keeps its times.
//!
//! One future polled by hand instead of two joined `async` ones: both directions go on at the same time without a lock between
//! the halves, there is one timer instead of four, and an idle socket costs a third of the memory.

use std::{
    collections::VecDeque,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{
    Error,
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket},
};
use futures_util::{SinkExt, StreamExt};
use sightline_protocol::{ErrorCode, limits::MAX_FRAME_BYTES};
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_tungstenite::tungstenite;

use super::{
    Hub,
    outbox::{Next, Outbox},
    rate::RateLimiter,
};
use crate::{
    rooms::{Closing, SocketId},
    turn::ice_servers::UrlHost,
};

/// Runs a socket until it is closed.
#[derive(Debug)]
pub(super) struct SocketTask {
    socket: WebSocket,
    attachment: Attachment,
    reading: Reading,
    writing: Writing,
    /// Written, but not flushed.
    unflushed: bool,
    ping_due: bool,
    rate: RateLimiter,
    heard_at: Instant,
    ping_at: Instant,
    /// Until the socket has a place in a room.
    join_deadline: Option<Instant>,
    /// Since the socket was told to go.
    grace_deadline: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

/// The socket's entry in the hub, which ends with its task however that ends.
#[derive(Debug)]
struct Attachment {
    hub: Arc<Hub>,
    id: SocketId,
    outbox: Arc<Outbox>,
}

#[derive(Debug)]
enum Reading {
    Open,
    /// What still comes is read and forgotten: a socket closed with unread bytes is reset, and the last message lost with it.
    Forgetting,
    /// Nothing more can be read; the other side has the grace time to take the last message.
    Unreadable,
    Ended,
}

#[derive(Debug)]
enum Writing {
    Open,
    /// The last message and the Close frame.
    Closing(VecDeque<Message>),
    Ended,
}

impl SocketTask {
    /// Takes a socket of this address into the hub, of a page that knows the server as `host`.
    pub(super) fn new(socket: WebSocket, hub: Arc<Hub>, address: IpAddr, host: Option<UrlHost>) -> Self {
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
            rate: RateLimiter::new(limits.rate, now),
            heard_at: now,
            ping_at: now + limits.ping_interval,
            join_deadline: Some(now + limits.join_timeout),
            grace_deadline: None,
            timer: Box::pin(sleep_until(now)),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.reading {
                Reading::Open => match ready!(self.socket.poll_next_unpin(cx)) {
                    Some(Ok(message)) => self.handle_message(message),
                    Some(Err(error)) => self.handle_read_error(error),
                    None => self.handle_lost(),
                },
                Reading::Forgetting => match ready!(self.socket.poll_next_unpin(cx)) {
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
        let bytes = match &message {
            Message::Text(text) => text.len(),
            Message::Binary(data) => data.len(),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => 0,
        };
        if bytes > MAX_FRAME_BYTES {
            return self.refuse(ErrorCode::FrameTooLarge, "the frame is too long");
        }
        if !self.rate.take(bytes, self.heard_at) {
            return self.refuse(ErrorCode::RateLimited, "too many frames");
        }
        match message {
            Message::Text(text) => {
                if self.attachment.hub.receive(self.attachment.id, text.as_str()) {
                    self.join_deadline = None;
                }
            }
            Message::Binary(_) => self.refuse(ErrorCode::ProtocolError, "a binary frame"),
            // A ping or a Close frame is answered by the WebSocket itself.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }

    fn handle_read_error(&mut self, error: Error) {
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

    /// Writes all that waits, together.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            if let Writing::Ended = self.writing {
                return Poll::Ready(Ok(()));
            }
            ready!(self.socket.poll_ready_unpin(cx))?;
            match &mut self.writing {
                Writing::Open if std::mem::take(&mut self.ping_due) => {
                    self.start_send(Message::Ping(Bytes::new()))?;
                }
                Writing::Open => match self.attachment.outbox.pop() {
                    Some(Next::Frame(frame)) => self.start_send(Message::Text(frame.into()))?,
                    Some(Next::End(closing)) => self.writing = Writing::Closing(last_messages(&closing)),
                    None => {
                        if self.unflushed {
                            ready!(self.socket.poll_flush_unpin(cx))?;
                            self.unflushed = false;
                        }
                        return Poll::Pending;
                    }
                },
                Writing::Closing(last) => match last.pop_front() {
                    Some(message) => self.start_send(message)?,
                    None => {
                        ready!(self.socket.poll_flush_unpin(cx))?;
                        self.writing = Writing::Ended;
                    }
                },
                Writing::Ended => {}
            }
        }
    }

    fn start_send(&mut self, message: Message) -> Result<(), Error> {
        self.unflushed = true;
        self.socket.start_send_unpin(message)
    }

    /// Does what is due; ready when the socket had its time.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limits = *self.attachment.hub.limits();
        if self.grace_deadline.is_none() && self.attachment.outbox.is_ended() {
            let deadline = Instant::now() + limits.close_grace;
            self.grace_deadline = Some(deadline);
            self.timer.as_mut().reset(deadline);
        }
        // A deadline that has moved away since is looked at when the timer fires.
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
                }
            }
            if self.ping_at <= now {
                self.ping_due = true;
                self.ping_at = now + limits.ping_interval;
            }
            let deadlines = [Some(silence_deadline), self.join_deadline, self.grace_deadline];
            let next = deadlines.into_iter().flatten().filter(|deadline| *deadline > now).min();
            self.timer.as_mut().reset(next.map_or(self.ping_at, |next| next.min(self.ping_at)));
        }
        Poll::Pending
    }
}

impl Future for SocketTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Before anything is looked at, so that nothing is missed between the look and the sleep.
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
    let close = CloseFrame { code: closing.close_code(), reason: closing.reason().into() };
    said.map(|said| Message::Text(said.into())).into_iter().chain([Message::Close(Some(close))]).collect()
}

/// What makes no sense on the wire; nothing where the connection is merely gone.
fn unreadable(error: Error) -> Option<(ErrorCode, String)> {
    let inner = error.into_inner();
    let code = match inner.downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => ErrorCode::FrameTooLarge,
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => return None,
        Some(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => ErrorCode::ProtocolError,
        _ => return None,
    };
    Some((code, inner.to_string()))
}
