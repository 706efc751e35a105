//! Messages in a stream (RFC 8489 section 6.2.2, RFC 8656 section 12.5).

use std::io;

use crate::turn::engine::decode::{MAX_REQUEST_BYTES, is_request};

/// Finds the messages in the bytes of a stream.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// Received bytes are appended here.
    pub(super) buffer: Vec<u8>,
    /// Bytes at the start of the buffer that [`Self::next`] has handed out.
    served: usize,
    /// Bytes of the present message that must still be skipped.
    skipped: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framed<'a> {
    Message(&'a [u8]),
    /// A message that is too long to be kept.
    Skipped,
}

/// The length of a message, without and with its padding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MessageBytes {
    content: usize,
    pub(super) padded: usize,
}

impl Framing {
    /// The next message that is complete. Without an allocation (`may_send_data`) nothing longer than a request is kept, so that
    /// strangers cost no memory.
    pub(super) fn next(&mut self, may_send_data: bool) -> io::Result<Option<Framed<'_>>> {
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

    /// Frees the buffer of the messages that [`Self::next`] returned.
    pub(super) fn forget_served(&mut self) {
        self.buffer.drain(..self.served);
        self.served = 0;
        if self.buffer.is_empty() && self.buffer.capacity() > MAX_REQUEST_BYTES {
            self.buffer = Vec::new();
        }
    }
}

/// The length of the message that begins here, once its head is there.
pub(super) fn message_bytes(bytes: &[u8]) -> io::Result<Option<MessageBytes>> {
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
    fn the_length_of_a_message_is_read_from_its_header() {
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

    /// The messages of a stream that arrives in pieces of `piece` bytes, and the most that was kept of it.
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
    fn the_buffer_for_an_unauthenticated_client_is_at_most_a_request() {
        let binding = [&[0, 1, 0, 0][..], &[0; 16]].concat();
        let stream = [&binding[..], &channel_data(0xffff), &channel_data(5), &binding].concat();
        for piece in [1, 7, 1_000, 16_384] {
            let (found, kept) = framed(&stream, piece, false);
            assert_eq!(found, [Some(20), None, Some(9), Some(20)], "in pieces of {piece}");
            assert!(kept <= MAX_REQUEST_BYTES, "{kept}");
            let (found, _) = framed(&stream, piece, true);
            assert_eq!(found, [Some(20), Some(0xffff + 4), Some(9), Some(20)], "in pieces of {piece}");
        }
    }

    #[test]
    fn an_oversized_request_ends_the_connection_before_it_has_arrived() {
        let mut framing = Framing::default();
        // CreatePermission of 64,800 bytes.
        framing.buffer.extend_from_slice(&[0x00, 0x08, 0xfd, 0x20]);
        assert!(framing.next(true).is_err());
        // A Send indication may be that long.
        let mut framing = Framing::default();
        framing.buffer.extend_from_slice(&[0x00, 0x16, 0xfd, 0x20]);
        assert_eq!(framing.next(true).unwrap(), None);
    }
}
