//! Counts the frames of a WebSocket below the library that assembles messages.
//!
//! A message is one frame or many, and the library reports whole messages only. Endless continuation frames, empty ones above all,
//! would cost processor time and never be counted. This module reads the header of every frame, and the first frame beyond the rate
//! does not reach the library.

use std::{
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
const DISCARD_BYTES: usize = 4 * 1024;

/// A stream of WebSocket frames that ends before the first frame beyond the rate.
#[derive(Debug)]
pub(super) struct FrameMeter<S> {
    stream: S,
    rate: RateLimiter,
    headers: Headers,
    exceeded: bool,
}

impl<S> FrameMeter<S> {
    /// Meters a stream whose first byte begins a frame.
    pub(super) fn new(stream: S, rate: RateLimiter) -> Self {
        Self { stream, rate, headers: Headers::default(), exceeded: false }
    }

    /// Whether the client sent more than it may. Everything after that is read and discarded.
    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded
    }
}

impl<S: AsyncRead + Unpin> FrameMeter<S> {
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; DISCARD_BYTES];
        loop {
            let mut unwanted = ReadBuf::new(&mut scratch);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut unwanted))?;
            if unwanted.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for FrameMeter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.exceeded {
            return this.poll_discard(cx);
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, buffer))?;
        let new = buffer.filled().get(before..).unwrap_or_default();
        let now = Instant::now();
        let rate = &mut this.rate;
        let allowed = this.headers.read(new, |payload_bytes| {
            let charged = usize::try_from(payload_bytes).unwrap_or(usize::MAX).min(MAX_CHARGED_BYTES);
            rate.take(charged, now)
        });
        if allowed == new.len() {
            return Poll::Ready(Ok(()));
        }
        this.exceeded = true;
        buffer.set_filled(before + allowed);
        // Returning no bytes would mean the end of the stream.
        if allowed == 0 { this.poll_discard(cx) } else { Poll::Ready(Ok(())) }
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
    use proptest::prelude::*;
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    use super::*;

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
