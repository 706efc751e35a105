//! Clients over TCP and TLS: messages one after the other (RFC 8489 section 6.2.2, RFC 8656 section 12.5).

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    client::{Client, ClientPath, FiveTuple, Transport},
    relay::Relay,
    udp::Burst,
};

/// What may wait to be written. What comes beyond it is dropped, as on any full link: late media is worth nothing.
const OUTBOX_BYTES: usize = 256 * 1024;
/// A connection that has no allocation for so long is closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that takes nothing for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// What waits to be written to a client.
#[derive(Debug, Default)]
pub(super) struct StreamOutbox {
    waiting: Mutex<Vec<u8>>,
    changed: Notify,
}

impl StreamOutbox {
    /// Queues a message of two parts, whole or not at all.
    pub(super) fn push(&self, head: &[u8], payload: &[u8]) -> bool {
        let bytes = head.len() + payload.len();
        // On a stream ChannelData is padded; STUN messages always are.
        let padding = bytes.next_multiple_of(4) - bytes;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = waiting.len() + bytes + padding <= OUTBOX_BYTES;
        if fits {
            waiting.extend_from_slice(head);
            waiting.extend_from_slice(payload);
            waiting.extend_from_slice(&[0; 3][..padding]);
        }
        drop(waiting);
        self.changed.notify_one();
        fits
    }

    fn take(&self, into: &mut Vec<u8>) {
        into.clear();
        std::mem::swap(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner), into);
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
    let outbox = Arc::new(StreamOutbox::default());
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
    let mut bytes = Vec::new();
    loop {
        outbox.changed.notified().await;
        outbox.take(&mut bytes);
        let written = async {
            // One by one: over TLS each has a record of its own then, which some clients rely on.
            let mut rest = bytes.as_slice();
            while let Some(MessageBytes { padded, .. }) = message_bytes(rest)?
                && let Some((message, others)) = rest.split_at_checked(padded)
            {
                writer.write_all(message).await?;
                rest = others;
            }
            writer.flush().await
        };
        timeout(WRITE_TIMEOUT, written).await??;
    }
}

async fn read(mut reader: impl AsyncRead + Unpin, client: &Client, relay: &Arc<Relay>) -> io::Result<()> {
    let mut buffer = Vec::new();
    let mut idle_deadline = Instant::now() + IDLE_TIMEOUT;
    loop {
        match timeout_at(idle_deadline, reader.read_buf(&mut buffer)).await {
            Ok(taken) => {
                if taken? == 0 {
                    return Ok(());
                }
            }
            Err(_) if relay.has_client(&client.five_tuple) => {
                idle_deadline = Instant::now() + IDLE_TIMEOUT;
                continue;
            }
            Err(_) => return Ok(()),
        }
        let mut burst = Burst::new();
        let mut taken = 0;
        while let Some(bytes) = message_bytes(&buffer[taken..])? {
            let Some(message) = buffer.get(taken..taken + bytes.content) else { break };
            if buffer.len() < taken + bytes.padded {
                break;
            }
            relay.receive(client, None, message, Instant::now(), &mut burst);
            taken += bytes.padded;
        }
        relay.metrics.count_lost(burst.finish());
        buffer.drain(..taken);
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
