//! Gives the datagrams that arrive at a socket to the driver of the peer connection, two at a time.
//!
//! The driver of the crate `webrtc` 0.21 reads up to 64 datagrams before it sends anything, and one read may return as many (GRO). SCTP then
//! acknowledges all of them at once, where RFC 9260, section 6.2, wants an acknowledgement for every second packet. A browser sends four
//! packets for each acknowledgement at most, so on a long path its congestion window did not grow.

use bytes::Bytes;
use webrtc::runtime::RecvMeta;

/// The datagrams between two answers.
const AT_ONCE: usize = 2;

/// What the driver got and has yet to get.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Datagrams since the driver last found none.
    given: usize,
    /// The datagrams of the last read that the driver has yet to get, 64 KiB at most.
    held: Bytes,
    /// Their sender and length, as the read said.
    held_meta: RecvMeta,
}

impl Arrivals {
    /// Whether the driver is told that nothing is there, so that it answers what it got. This is said once.
    pub(super) fn is_pause(&mut self) -> bool {
        let is_pause = self.given >= AT_ONCE;
        if is_pause {
            self.given = 0;
        }
        is_pause
    }

    /// Notes that nothing is there.
    pub(super) fn handle_none(&mut self) {
        self.given = 0;
    }

    /// Takes what was read into `buffer`, and shortens `meta` to what the driver gets of it now.
    pub(super) fn handle_read(&mut self, buffer: &[u8], meta: &mut RecvMeta) {
        self.held_meta = *meta;
        meta.len = self.admit(meta.len);
        self.held = Bytes::copy_from_slice(buffer.get(meta.len..self.held_meta.len).unwrap_or_default());
    }

    /// Copies the next held datagrams into `buffer`; `None` without any.
    pub(super) fn take_held(&mut self, buffer: &mut [u8]) -> Option<RecvMeta> {
        if self.held.is_empty() {
            return None;
        }
        let mut meta = self.held_meta;
        meta.len = self.admit(self.held.len());
        buffer.get_mut(..meta.len)?.copy_from_slice(&self.held.split_to(meta.len));
        Some(meta)
    }

    /// How many of these bytes the driver gets now: whole datagrams, one at least.
    fn admit(&mut self, bytes: usize) -> usize {
        let stride = self.held_meta.stride.max(1);
        let datagrams = bytes.div_ceil(stride).min(AT_ONCE.saturating_sub(self.given).max(1));
        self.given += datagrams;
        bytes.min(datagrams * stride)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRIDE: usize = 10;

    fn read_of(bytes: usize) -> RecvMeta {
        let mut meta = RecvMeta::default();
        (meta.len, meta.stride) = (bytes, STRIDE);
        meta
    }

    /// Reads of these numbers of datagrams, and what the driver gets until nothing is left: datagrams, or 0 for nothing.
    fn given(reads: &[usize]) -> Vec<usize> {
        let (mut arrivals, mut reads, mut given) = (Arrivals::default(), reads.iter(), Vec::new());
        let mut expected = 0_u8;
        loop {
            let mut buffer = [0; 640];
            let meta = if arrivals.is_pause() {
                RecvMeta::default()
            } else if let Some(meta) = arrivals.take_held(&mut buffer) {
                meta
            } else if let Some(datagrams) = reads.next() {
                let mut meta = read_of(datagrams * STRIDE - 3);
                let first = expected;
                buffer.chunks_mut(STRIDE).zip(first..).for_each(|(datagram, number)| datagram.fill(number));
                arrivals.handle_read(&buffer, &mut meta);
                meta
            } else {
                return given;
            };
            for datagram in buffer[..meta.len].chunks(STRIDE) {
                assert_eq!(datagram[0], expected, "datagrams stay in order");
                expected += 1;
            }
            given.push(meta.len.div_ceil(STRIDE));
        }
    }

    #[test]
    fn the_driver_answers_after_two_datagrams() {
        assert_eq!(given(&[1, 1, 1, 1, 1]), [1, 1, 0, 1, 1, 0, 1]);
    }

    #[test]
    fn a_read_of_many_datagrams_is_given_in_parts_and_nothing_is_lost() {
        assert_eq!(given(&[5]), [2, 0, 2, 0, 1]);
        assert_eq!(given(&[1, 4, 1]), [1, 1, 0, 2, 0, 1, 1, 0]);
        assert_eq!(given(&[60]).iter().sum::<usize>(), 60);
    }

    #[test]
    fn who_found_nothing_has_answered() {
        let mut arrivals = Arrivals::default();
        let mut meta = read_of(STRIDE);
        arrivals.handle_read(&[0; STRIDE], &mut meta);
        arrivals.handle_none();
        arrivals.handle_read(&[0; STRIDE], &mut meta);
        assert!(!arrivals.is_pause());
    }
}
