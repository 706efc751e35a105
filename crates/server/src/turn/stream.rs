//! Clients over TCP and TLS: messages one after the other (RFC 8489 section 6.2.2, RFC 8656 section 12.5).

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    sync::Notify,
    task::yield_now,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    client::{Client, ClientPath, FiveTuple, Transport},
    decode::{MAX_REQUEST_BYTES, is_request},
    metrics::DropReason,
    relay::Relay,
    udp::Burst,
};

/// What may wait to be written. What comes beyond it is dropped, as on any full link: late media is worth nothing.
const OUTBOX_BYTES: usize = 256 * 1024;
/// The same of all connections together.
const ALL_OUTBOX_BYTES: usize = 64 * 1024 * 1024;
/// A connection gets this part of what is left of it, so that those that are full leave room for others,
const OUTBOX_PART: usize = 8;
/// and this much in any case.
const MIN_OUTBOX_BYTES: usize = 8 * 1024;
/// A connection that has no allocation for so long is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes that a connection reads before others have a turn on the relay's thread.
const READ_BYTES: usize = 16 * 1024;
/// The same in messages.
const MESSAGES_PER_TURN: usize = 64;

thread_local! {
    /// Shared by all connections that a thread reads. Each keeps only what of a message has come.
    static READ_BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// What waits to be written to all clients together.
#[derive(Debug, Default)]
pub(super) struct OutboxBudget {
    waiting_bytes: AtomicUsize,
}

impl OutboxBudget {
    /// What one connection may have waiting now.
    fn limit(&self) -> usize {
        let left = ALL_OUTBOX_BYTES.saturating_sub(self.waiting_bytes.load(Ordering::Relaxed));
        (left / OUTBOX_PART).clamp(MIN_OUTBOX_BYTES, OUTBOX_BYTES)
    }
}

/// What waits to be written to a client.
#[derive(Debug, Default)]
pub(super) struct StreamOutbox {
    budget: Arc<OutboxBudget>,
    waiting: Mutex<Vec<u8>>,
    changed: Notify,
}

impl StreamOutbox {
    fn new(budget: Arc<OutboxBudget>) -> Self {
        Self { budget, waiting: Mutex::default(), changed: Notify::new() }
    }

    /// Queues a message of two parts, whole or not at all.
    pub(super) fn push(&self, head: &[u8], payload: &[u8]) -> bool {
        let bytes = head.len() + payload.len();
        // On a stream ChannelData is padded; STUN messages always are.
        let padding = bytes.next_multiple_of(4) - bytes;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = waiting.len() + bytes + padding <= self.budget.limit();
        if fits {
            waiting.extend_from_slice(head);
            waiting.extend_from_slice(payload);
            waiting.extend_from_slice(&[0; 3][..padding]);
            self.budget.waiting_bytes.fetch_add(bytes + padding, Ordering::Relaxed);
        }
        drop(waiting);
        self.changed.notify_one();
        fits
    }

    /// Takes all that waits. It counts as waiting until it [is written](Self::written).
    fn take(&self, into: &mut Vec<u8>) {
        into.clear();
        std::mem::swap(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner), into);
    }

    fn written(&self, bytes: usize) {
        self.budget.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What was taken from an outbox and is given back to the budget however writing ends.
struct Taken<'a> {
    outbox: &'a StreamOutbox,
    bytes: Vec<u8>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.outbox.written(self.bytes.len());
    }
}

impl Drop for StreamOutbox {
    fn drop(&mut self) {
        let waiting = self.waiting.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.budget.waiting_bytes.fetch_sub(waiting.len(), Ordering::Relaxed);
    }
}

/// Serves one connection until it is closed, from either end.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite,
    transport: Transport,
    [client, server]: [SocketAddr; 2],
    relay: Arc<Relay>,
    stop: CancellationToken,
) {
    let outbox = Arc::new(StreamOutbox::new(Arc::clone(&relay.outbox_bytes)));
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    let five_tuple = FiveTuple { transport, client: canonical(client), server: canonical(server) };
    let client = Client { five_tuple, path: ClientPath::Stream(Arc::clone(&outbox)) };
    let (reader, writer) = tokio::io::split(stream);
    let ended = tokio::select! {
        ended = read(reader, &client, &relay) => ended,
        ended = write(writer, &outbox) => ended,
        () = stop.cancelled() => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, client = %five_tuple.client, "a TURN connection ended early");
    }
    relay.end_of_client(&five_tuple);
}

async fn write(mut writer: impl AsyncWrite + Unpin, outbox: &StreamOutbox) -> io::Result<()> {
    let mut taken = Taken { outbox, bytes: Vec::new() };
    loop {
        outbox.changed.notified().await;
        outbox.take(&mut taken.bytes);
        let written = async {
            // One by one: over TLS each has a record of its own then, which some clients rely on.
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
        outbox.written(taken.bytes.len());
        taken.bytes.clear();
    }
}

async fn read(mut reader: impl AsyncRead + Unpin, client: &Client, relay: &Arc<Relay>) -> io::Result<()> {
    let mut framing = Framing::default();
    let mut idle_deadline = Instant::now() + IDLE_TIMEOUT;
    loop {
        let received = timeout_at(idle_deadline, receive(&mut reader, &mut framing.buffer)).await;
        // Also where something has come: bytes alone keep no connection open.
        if idle_deadline <= Instant::now() {
            if !relay.has_client(&client.five_tuple) {
                return Ok(());
            }
            idle_deadline = Instant::now() + IDLE_TIMEOUT;
        }
        if let Ok(received) = received {
            if received? == 0 {
                return Ok(());
            }
            serve_received(&mut framing, client, relay).await?;
        }
    }
}

/// Serves all messages that are complete, and lets others have their turns meanwhile.
async fn serve_received(framing: &mut Framing, client: &Client, relay: &Arc<Relay>) -> io::Result<()> {
    loop {
        let may_send_data = relay.has_client(&client.five_tuple);
        let (mut served, mut wait) = (0, None);
        let mut burst = Burst::new();
        while served < MESSAGES_PER_TURN && wait.is_none() {
            let Some(message) = framing.next(may_send_data)? else { break };
            let now = Instant::now();
            let is_data = match message {
                Framed::Message(bytes) => relay.receive(client, None, bytes, now, &mut burst),
                Framed::Skipped => {
                    relay.metrics.count_dropped(DropReason::Malformed);
                    false
                }
            };
            // A client that asks too much is read more slowly. Over TCP it notices, and nothing is lost.
            if !is_data {
                wait = relay.requests.take(&client.five_tuple, now).err();
            }
            served += 1;
        }
        relay.metrics.count_lost(burst.finish());
        let is_done = served < MESSAGES_PER_TURN && wait.is_none();
        while let Some(pause) = wait {
            sleep(pause).await;
            wait = relay.requests.take(&client.five_tuple, Instant::now()).err();
        }
        framing.forget_served();
        yield_now().await;
        if is_done {
            return Ok(());
        }
    }
}

/// Appends what has come; says how many bytes.
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

/// Finds messages in a stream.
#[derive(Debug, Default)]
struct Framing {
    buffer: Vec<u8>,
    /// Of the buffer, what was served.
    served: usize,
    /// To be passed over, of a message that has begun.
    skipped: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Framed<'a> {
    Message(&'a [u8]),
    /// One that is passed over without having been kept.
    Skipped,
}

impl Framing {
    /// The next message that has come whole. Without an allocation nothing that is longer than a request is kept, so that
    /// strangers cost no memory.
    fn next(&mut self, may_send_data: bool) -> io::Result<Option<Framed<'_>>> {
        let skipped = self.skipped.min(self.buffer.len() - self.served);
        self.skipped -= skipped;
        self.served += skipped;
        let rest = self.buffer.get(self.served..).unwrap_or_default();
        let Some(MessageBytes { content, padded }) = message_bytes(rest)? else { return Ok(None) };
        if is_request(rest) && content > MAX_REQUEST_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a request that is too long"));
        }
        if content > MAX_REQUEST_BYTES && !may_send_data {
            self.skipped = padded;
            return Ok(Some(Framed::Skipped));
        }
        if rest.len() < padded {
            return Ok(None);
        }
        let start = self.served;
        self.served += padded;
        Ok(self.buffer.get(start..start + content).map(Framed::Message))
    }

    fn forget_served(&mut self) {
        self.buffer.drain(..self.served);
        self.served = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > MAX_REQUEST_BYTES {
            self.buffer = Vec::new();
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct MessageBytes {
    content: usize,
    padded: usize,
}

/// How long the message is that begins here, once its head is there.
fn message_bytes(bytes: &[u8]) -> io::Result<Option<MessageBytes>> {
    let [kind, _, length @ ..] = bytes else { return Ok(None) };
    let head = match kind >> 6 {
        0 => 20,
        1 => 4,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "neither STUN nor ChannelData")),
    };
    let [high, low, ..] = length else { return Ok(None) };
    let content = head + usize::from(u16::from_be_bytes([*high, *low]));
    Ok(Some(MessageBytes { content, padded: content.next_multiple_of(4) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_message_is_in_its_head() {
        let length = |bytes: &[u8]| message_bytes(bytes).unwrap().map(|bytes| (bytes.content, bytes.padded));
        assert_eq!(length(&[]), None);
        assert_eq!(length(&[0, 1, 0]), None);
        assert_eq!(length(&[0, 1, 0, 8]), Some((28, 28)));
        assert_eq!(length(&[0x40, 0, 0, 5]), Some((9, 12)));
        assert!(message_bytes(b"GET ").is_ok(), "looks like ChannelData");
        assert!(message_bytes(&[0x80, 0, 0, 0]).is_err());
    }

    fn channel_data(bytes: usize) -> Vec<u8> {
        let length = u16::try_from(bytes).unwrap();
        let mut message = [&[0x40, 0][..], &length.to_be_bytes(), &vec![7; bytes]].concat();
        message.resize(message.len().next_multiple_of(4), 0);
        message
    }

    /// What comes of a stream that arrives in pieces of so many bytes, and the most that was kept of it.
    fn framed(stream: &[u8], piece: usize, may_send_data: bool) -> (Vec<Option<usize>>, usize) {
        let (mut framing, mut found, mut kept) = (Framing::default(), Vec::new(), 0);
        for piece in stream.chunks(piece) {
            framing.buffer.extend_from_slice(piece);
            while let Some(framed) = framing.next(may_send_data).unwrap() {
                found.push(match framed {
                    Framed::Message(bytes) => Some(bytes.len()),
                    Framed::Skipped => None,
                });
            }
            framing.forget_served();
            kept = kept.max(framing.buffer.len());
        }
        (found, kept)
    }

    #[test]
    fn a_stranger_has_nothing_kept_that_is_longer_than_a_request() {
        let binding = [&[0, 1, 0, 0][..], &[0; 16]].concat();
        let stream = [&binding[..], &channel_data(0xffff), &channel_data(5), &binding].concat();
        for piece in [1, 7, 1_000, READ_BYTES] {
            let (found, kept) = framed(&stream, piece, false);
            assert_eq!(found, [Some(20), None, Some(9), Some(20)], "in pieces of {piece}");
            assert!(kept <= MAX_REQUEST_BYTES, "{kept}");
            let (found, _) = framed(&stream, piece, true);
            assert_eq!(found, [Some(20), Some(0xffff + 4), Some(9), Some(20)], "in pieces of {piece}");
        }
    }

    #[test]
    fn a_request_that_is_too_long_ends_the_connection_before_it_has_come() {
        let mut framing = Framing::default();
        // CreatePermission of 64,800 bytes.
        framing.buffer.extend_from_slice(&[0x00, 0x08, 0xfd, 0x20]);
        assert!(framing.next(true).is_err());
        // A Send indication may be as long.
        let mut framing = Framing::default();
        framing.buffer.extend_from_slice(&[0x00, 0x16, 0xfd, 0x20]);
        assert_eq!(framing.next(true).unwrap(), None);
    }

    #[test]
    fn connections_that_are_not_read_leave_room_for_those_that_are() {
        let budget = Arc::new(OutboxBudget::default());
        let payload = vec![7; 1_000];
        let fill = |outbox: &StreamOutbox| while outbox.push(&[], &payload) {};
        let stuck: Vec<_> = (0..2_000)
            .map(|_| {
                let outbox = StreamOutbox::new(Arc::clone(&budget));
                fill(&outbox);
                outbox
            })
            .collect();
        let bound = ALL_OUTBOX_BYTES + stuck.len() * MIN_OUTBOX_BYTES;
        assert!(budget.waiting_bytes.load(Ordering::Relaxed) <= bound);
        let other = StreamOutbox::new(Arc::clone(&budget));
        assert!(other.push(&[], &payload));
        drop(stuck);
        drop(other);
        assert_eq!(budget.waiting_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_does_not_fit_is_dropped_whole() {
        let outbox = StreamOutbox::default();
        let long = vec![7; 60_000];
        assert_eq!([0; 5].map(|_| outbox.push(&[1, 2, 3, 4], &long)), [true, true, true, true, false]);
        assert!(outbox.push(b"a", b"bcd"));
        let mut taken = Vec::new();
        outbox.take(&mut taken);
        assert_eq!(taken.len(), 4 * 60_004 + 4);
        assert!(outbox.push(&[1, 2, 3, 4], &long));
    }
}
