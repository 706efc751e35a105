//! One client over TCP or TLS: reads its messages, writes answers and data.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    rc::Rc,
    task::{Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    task::yield_now,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    framing::{Framed, Framing, MessageBytes, message_bytes},
    outbox::StreamOutbox,
    relay::Relay,
};
use crate::turn::engine::client::{Client, Transport};

/// A connection that has no allocation for this long is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that takes nothing for this long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that a connection reads before others have a turn on the relay's thread.
const READ_BYTES: usize = 16 * 1024;
/// Messages that a connection handles before others have a turn.
const MESSAGES_PER_TURN: usize = 64;

thread_local! {
    /// Shared by all connections of the thread. Each connection keeps only the bytes of an incomplete message.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// Serves one connection until either end closes it, or until `stop`.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite,
    transport: Transport,
    ends: [SocketAddr; 2],
    relay: &Rc<Relay>,
    stop: CancellationToken,
) {
    let (client, outbox) = relay.open_stream(transport, ends);
    let (reader, writer) = tokio::io::split(stream);
    let ended = tokio::select! {
        ended = read(reader, &client, relay) => ended,
        ended = write(writer, &outbox) => ended,
        () = stop.cancelled() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, client = %client.five_tuple.client, "a TURN connection ended early");
    }
    relay.close_stream(&client);
}

async fn write(mut writer: impl AsyncWrite + Unpin, outbox: &StreamOutbox) -> io::Result<()> {
    let mut taken = outbox.taken();
    loop {
        outbox.changed().await;
        taken.take();
        let written = async {
            // Written one by one, so that over TLS each message is a record. Some clients rely on that.
            let mut rest = taken.bytes.as_slice();
            while let Some(MessageBytes { padded, .. }) = message_bytes(rest)?
                && let Some((message, others)) = rest.split_at_checked(padded)
            {
                writer.write_all(message).await?;
                rest = others;
            }
            writer.flush().await
        };
        timeout(WRITE_TIMEOUT, written).await??;
        taken.written();
    }
}

async fn read(mut reader: impl AsyncRead + Unpin, client: &Client, relay: &Rc<Relay>) -> io::Result<()> {
    let mut framing = Framing::default();
    let mut idle_deadline = Instant::now() + IDLE_TIMEOUT;
    loop {
        let received = timeout_at(idle_deadline, receive(&mut reader, &mut framing.buffer)).await;
        // Also if bytes arrived: bytes alone keep no connection open.
        if idle_deadline <= Instant::now() {
            if !relay.has_allocation(client) {
                return Ok(());
            }
            idle_deadline = Instant::now() + IDLE_TIMEOUT;
        }
        if let Ok(received) = received {
            if received? == 0 {
                return Ok(());
            }
            handle_received(&mut framing, client, relay).await?;
        }
    }
}

/// Handles all complete messages, and lets other connections have their turns meanwhile.
async fn handle_received(framing: &mut Framing, client: &Client, relay: &Rc<Relay>) -> io::Result<()> {
    loop {
        let (handled, mut wait) = handle_some(framing, client, relay)?;
        let is_done = handled < MESSAGES_PER_TURN && wait.is_none();
        while let Some(pause) = wait {
            sleep(pause).await;
            wait = relay.take_request(client).err();
        }
        framing.forget_served();
        yield_now().await;
        if is_done {
            return Ok(());
        }
    }
}

/// Handles the messages of one turn. Returns their number, and the waiting time if the client asks too often: it is then read
/// more slowly. TCP slows the client down, and nothing is lost.
fn handle_some(
    framing: &mut Framing,
    client: &Client,
    relay: &Rc<Relay>,
) -> io::Result<(usize, Option<Duration>)> {
    let may_send_data = relay.has_allocation(client);
    let (mut handled, mut wait) = (0, None);
    let mut batch = relay.batch();
    while handled < MESSAGES_PER_TURN && wait.is_none() {
        let Some(message) = framing.next(may_send_data)? else { break };
        let is_data = match message {
            Framed::Message(bytes) => batch.handle_message(client, None, bytes),
            Framed::Skipped => {
                batch.count_malformed();
                false
            }
        };
        if !is_data {
            wait = batch.take_request(client).err();
        }
        handled += 1;
    }
    Ok((handled, wait))
}

/// Appends the received bytes and returns their number.
async fn receive(reader: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> io::Result<usize> {
    poll_fn(|context| {
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut filled = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *reader).poll_read(context, &mut filled))?;
            into.extend_from_slice(filled.filled());
            Poll::Ready(Ok(filled.filled().len()))
        })
    })
    .await
}
