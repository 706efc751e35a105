//! Counts the frames of a WebSocket below the library that assembles messages.
//!
//! A message is one frame or many, and the library reports whole messages only. Endless continuation frames, empty ones above all,
//! would cost processor time and never be counted. This module reads the header of every frame, and the first frame beyond the rate
//! does not reach the library.
//!
//! The library asks for a few bytes at a time, because every socket has its buffer. This module reads what is there with one call, into
//! memory of the thread, and keeps what the library did not ask for only until it does.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use sightline_protocol::limits::MAX_FRAME_BYTES;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::rate::RateLimiter;

/// Longest header: two bytes, a length of 64 bits, the mask (RFC 6455 section 5.2).
const MAX_HEADER_BYTES: usize = 14;
/// Most bytes that one frame is charged for. The library refuses longer frames and says why.
const MAX_CHARGED_BYTES: usize = 2 * MAX_FRAME_BYTES;
/// Most bytes that are read at once.
const READ_BYTES: usize = 16 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// A stream of WebSocket frames that ends before the first frame beyond the rate.
#[derive(Debug)]
pub(super) struct FrameMeter<S> {
    stream: S,
    rate: RateLimiter,
    headers: Headers,
    exceeded: bool,
    unread: Unread,
}

impl<S> FrameMeter<S> {
    /// Meters a stream whose first byte begins a frame.
    pub(super) fn new(stream: S, rate: RateLimiter) -> Self {
        Self { stream, rate, headers: Headers::default(), exceeded: false, unread: Unread::default() }
    }

    /// Whether the client sent more than it may. Everything after that is read and discarded.
    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded
    }
}

impl<S: AsyncRead + Unpin> FrameMeter<S> {
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        READ_BUFFER.with_borrow_mut(|read_buffer| {
            loop {
                let mut unwanted = ReadBuf::new(read_buffer);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut unwanted))?;
                if unwanted.filled().is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
        })
    }

    /// Reads what is there, and gives the frames within the rate to `buffer` or keeps them. Ready without a byte at the end of the stream.
    fn poll_more(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        READ_BUFFER.with_borrow_mut(|read_buffer| {
            let mut new = ReadBuf::new(read_buffer);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut new))?;
            let new = new.filled();
            let now = Instant::now();
            let rate = &mut self.rate;
            let allowed = self.headers.read(new, |payload_bytes| {
                let charged = usize::try_from(payload_bytes).unwrap_or(usize::MAX).min(MAX_CHARGED_BYTES);
                rate.take(charged, now)
            });
            self.exceeded = allowed < new.len();
            let allowed = new.get(..allowed).unwrap_or_default();
            let (wanted, unread) = allowed.split_at(allowed.len().min(buffer.remaining()));
            buffer.put_slice(wanted);
            self.unread.keep(unread);
            Poll::Ready(Ok(()))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameMeter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.unread.give(buffer) {
            return Poll::Ready(Ok(()));
        }
        if !this.exceeded {
            let before = buffer.filled().len();
            ready!(this.poll_more(cx, buffer))?;
            // Returning no bytes would mean the end of the stream.
            if buffer.filled().len() > before || !this.exceeded {
                return Poll::Ready(Ok(()));
            }
        }
        this.poll_discard(cx)
    }
}

/// Bytes that were read and not asked for yet. Uses no memory while there are none.
#[derive(Debug, Default)]
struct Unread {
    bytes: Vec<u8>,
    given: usize,
}

impl Unread {
    /// Keeps bytes, when all earlier ones were given.
    fn keep(&mut self, bytes: &[u8]) {
        (self.bytes, self.given) = (bytes.to_vec(), 0);
    }

    /// Gives as many bytes as fit into `buffer`; `false` if there are none.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let rest = self.bytes.get(self.given..).unwrap_or_default();
        if rest.is_empty() {
            return false;
        }
        let given = rest.len().min(buffer.remaining());
        buffer.put_slice(rest.get(..given).unwrap_or_default());
        self.given += given;
        if self.given == self.bytes.len() {
            *self = Self::default();
        }
        true
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FrameMeter<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The position of a stream within its frames.
#[derive(Debug, Default)]
struct Headers {
    header: [u8; MAX_HEADER_BYTES],
    header_bytes: usize,
    /// Bytes still to come of the frame whose header was read last.
    payload_bytes: u64,
}

impl Headers {
    /// Reads on through `data` and gives the payload length of every frame to `admits`. Returns how many bytes come before the first
    /// frame that is not admitted.
    fn read(&mut self, data: &[u8], mut admits: impl FnMut(u64) -> bool) -> usize {
        let (mut at, mut frame_start) = (0, 0);
        while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
            if self.payload_bytes > 0 {
                let skipped = u64::try_from(rest.len()).unwrap_or(u64::MAX).min(self.payload_bytes);
                self.payload_bytes -= skipped;
                at += usize::try_from(skipped).unwrap_or(rest.len());
                continue;
            }
            if self.header_bytes == 0 {
                frame_start = at;
            }
            if let (Some(slot), Some(byte)) = (self.header.get_mut(self.header_bytes), rest.first()) {
                *slot = *byte;
            }
            self.header_bytes += 1;
            at += 1;
            if let Some(payload_bytes) =
                payload_bytes(self.header.get(..self.header_bytes).unwrap_or_default())
            {
                if !admits(payload_bytes) {
                    return frame_start;
                }
                (self.header_bytes, self.payload_bytes) = (0, payload_bytes);
            }
        }
        data.len()
    }
}

/// The payload length in a header; `None` while some of the header is still to come.
fn payload_bytes(header: &[u8]) -> Option<u64> {
    const LENGTH_OF_16_BITS: u8 = 126;
    const LENGTH_OF_64_BITS: u8 = 127;
    let second = *header.get(1)?;
    let mask_bytes = if second & 0x80 == 0 { 0 } else { 4 };
    let length_bytes = match second & 0x7f {
        LENGTH_OF_16_BITS => 2,
        LENGTH_OF_64_BITS => 8,
        _ => 0,
    };
    if header.len() < 2 + length_bytes + mask_bytes {
        return None;
    }
    let length = header.get(2..2 + length_bytes)?;
    Some(match length {
        [] => u64::from(second & 0x7f),
        _ => length.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
    })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    use super::*;
    use crate::signaling::limits::RateLimits;

    fn frame(length: usize, is_masked: bool) -> Vec<u8> {
        let mut frame = Frame::message(vec![0xab; length], OpCode::Data(Data::Continue), false);
        frame.header_mut().mask = is_masked.then_some([1, 2, 3, 4]);
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn every_frame_is_counted_for_any_split_of_the_stream(
            lengths in prop::collection::vec((prop_oneof![0_usize..130, Just(65_535), Just(65_536)], any::<bool>()), 1..12),
            cut in 1_usize..4_000,
        ) {
            let stream: Vec<u8> = lengths.iter().flat_map(|(length, masked)| frame(*length, *masked)).collect();
            let (mut headers, mut seen) = (Headers::default(), Vec::new());
            for piece in stream.chunks(cut) {
                let admitted = headers.read(piece, |bytes| {
                    seen.push(usize::try_from(bytes).unwrap());
                    true
                });
                prop_assert_eq!(admitted, piece.len());
            }
            prop_assert_eq!(seen, lengths.iter().map(|(length, _)| *length).collect::<Vec<_>>());
        }
    }

    fn limiter(burst_frames: u32) -> RateLimiter {
        let limits = RateLimits { burst_frames, frames_per_s: 1, ..RateLimits::default() };
        RateLimiter::new(limits, Instant::now())
    }

    proptest! {
        #[test]
        fn a_reader_of_few_bytes_at_a_time_gets_every_frame_within_the_rate_and_no_byte_of_a_later_one(
            lengths in prop::collection::vec(0_usize..2_000, 1..12),
            burst_frames in 1_u32..12,
            buffer_bytes in 1_usize..700,
        ) {
            let frames: Vec<_> = lengths.iter().map(|length| frame(*length, true)).collect();
            let sent = frames.concat();
            let mut meter = FrameMeter::new(&sent[..], limiter(burst_frames));
            let mut read = Vec::new();
            let mut buffer = vec![0; buffer_bytes];
            // The end of the stream follows at once.
            while let Some(bytes) = meter.read(&mut buffer).now_or_never() {
                match bytes.unwrap() {
                    0 => break,
                    bytes => read.extend_from_slice(&buffer[..bytes]),
                }
            }
            let admitted = frames.len().min(burst_frames as usize);
            prop_assert_eq!(read, frames[..admitted].concat());
            prop_assert_eq!(meter.is_exceeded(), admitted < frames.len());
            prop_assert_eq!(meter.unread.bytes.capacity(), 0, "nothing is kept of what was given");
        }
    }

    #[test]
    fn all_bytes_before_a_refused_frame_are_admitted_and_none_of_that_frame() {
        let (first, second) = (frame(5, true), frame(0, true));
        let mut left = 1;
        let admitted = Headers::default().read(&[&first[..], &second].concat(), |_| {
            left -= 1;
            left >= 0
        });
        assert_eq!(admitted, first.len());
    }
}
