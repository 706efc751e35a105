//! The task of one socket: moves its frames and keeps its times.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Error,
    body::Bytes,
    extract::ws::{CloseFrame, Message, WebSocket},
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use sightline_protocol::{ErrorCode, limits::MAX_FRAME_BYTES};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout_at};
use tokio_tungstenite::tungstenite;

use super::{
    Hub,
    limits::SocketLimits,
    outbox::{Next, Outbox},
    rate::RateLimiter,
};
use crate::rooms::SocketId;

/// Runs a socket of this address until it is closed.
pub(super) async fn run(socket: WebSocket, hub: Arc<Hub>, address: IpAddr) {
    let attachment = Attachment::new(hub, address);
    let Attachment { hub, id, outbox } = &attachment;
    let (sink, stream) = socket.split();
    let grace = async {
        outbox.ended().await;
        sleep(hub.limits().close_grace).await;
    };
    // Written in place: a future that is a variable first is stored twice, for as long as the socket lives.
    let both = async {
        tokio::join!(
            async {
                if write(sink, outbox, hub.limits()).await.is_err() {
                    hub.lost(*id);
                }
            },
            read_to_the_end(stream, hub, *id)
        )
    };
    tokio::select! {
        _ = both => {}
        () = grace => {}
    }
}

/// The socket's entry in the hub, which ends with its task however that ends.
struct Attachment {
    hub: Arc<Hub>,
    id: SocketId,
    outbox: Arc<Outbox>,
}

impl Attachment {
    fn new(hub: Arc<Hub>, address: IpAddr) -> Self {
        let (id, outbox) = hub.attach(address);
        Self { hub, id, outbox }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.hub.detach(self.id);
    }
}

async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    outbox: &Outbox,
    limits: &SocketLimits,
) -> Result<(), Error> {
    let mut pings = interval_at(Instant::now() + limits.ping_interval, limits.ping_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let mut next = tokio::select! {
            next = outbox.next() => Some(next),
            _ = pings.tick() => {
                sink.send(Message::Ping(Bytes::new())).await?;
                continue;
            }
        };
        // Everything that waits goes out together.
        while let Some(Next::Frame(frame)) = next {
            sink.feed(Message::Text(frame.into())).await?;
            next = outbox.pop();
        }
        sink.flush().await?;
        if let Some(Next::End(closing)) = next {
            if let Some(last) = closing.message().and_then(|last| serde_json::to_string(&last).ok()) {
                sink.send(Message::Text(last.into())).await?;
            }
            let close = CloseFrame { code: closing.close_code(), reason: closing.reason().into() };
            return sink.send(Message::Close(Some(close))).await;
        }
    }
}

/// Reads until the other side has closed, also what is not listened to any more: a socket closed with unread bytes
/// is reset, and the last message lost with it.
async fn read_to_the_end(mut stream: SplitStream<WebSocket>, hub: &Hub, id: SocketId) {
    match read(&mut stream, hub, id).await {
        ReadEnd::Lost => hub.lost(id),
        ReadEnd::Refused(code, message) => {
            hub.fail(id, code, message);
            while let Some(Ok(_)) = stream.next().await {}
        }
        ReadEnd::Unreadable(code, message) => {
            hub.fail(id, code, &message);
            // Nothing more can be read: leave the other side the grace time to take the last message.
            std::future::pending::<()>().await;
        }
    }
}

enum ReadEnd {
    /// The other side closed, or went silent.
    Lost,
    /// It did something for which it is closed.
    Refused(ErrorCode, &'static str),
    /// The same, and what follows on the wire makes no sense.
    Unreadable(ErrorCode, String),
}

async fn read(stream: &mut SplitStream<WebSocket>, hub: &Hub, id: SocketId) -> ReadEnd {
    let limits = hub.limits();
    let opened_at = Instant::now();
    let mut heard_at = opened_at;
    let mut join_deadline = Some(opened_at + limits.join_timeout);
    let mut rate = RateLimiter::new(limits.rate, opened_at);
    loop {
        let silence_deadline = heard_at + limits.silence_timeout;
        let deadline = join_deadline.map_or(silence_deadline, |join| join.min(silence_deadline));
        let message = match timeout_at(deadline, stream.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) => return read_error(error),
            Ok(None) => return ReadEnd::Lost,
            Err(_) if join_deadline == Some(deadline) => {
                return ReadEnd::Refused(ErrorCode::JoinTimeout, "no join came");
            }
            Err(_) => return ReadEnd::Lost,
        };
        heard_at = Instant::now();
        let bytes = match &message {
            Message::Text(text) => text.len(),
            Message::Binary(data) => data.len(),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => 0,
        };
        if bytes > MAX_FRAME_BYTES {
            return ReadEnd::Refused(ErrorCode::FrameTooLarge, "the frame is too long");
        }
        if !rate.take(bytes, heard_at) {
            return ReadEnd::Refused(ErrorCode::RateLimited, "too many frames");
        }
        match message {
            Message::Text(text) => {
                if hub.receive(id, text.as_str()) {
                    join_deadline = None;
                }
            }
            Message::Binary(_) => return ReadEnd::Refused(ErrorCode::ProtocolError, "a binary frame"),
            // A ping or a Close frame is answered by the WebSocket itself.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
    }
}

fn read_error(error: Error) -> ReadEnd {
    let inner = error.into_inner();
    let code = match inner.downcast_ref() {
        Some(tungstenite::Error::Capacity(_)) => ErrorCode::FrameTooLarge,
        Some(tungstenite::Error::Protocol(
            tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        )) => {
            return ReadEnd::Lost;
        }
        Some(tungstenite::Error::Protocol(_) | tungstenite::Error::Utf8(_)) => ErrorCode::ProtocolError,
        _ => return ReadEnd::Lost,
    };
    ReadEnd::Unreadable(code, inner.to_string())
}
