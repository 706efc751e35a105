//! How many packets of a flood may be on their way, for a caller whose transport has no congestion control of its own.
//!
//! The window grows with every arrival until packets are lost, is halved then, and grows slowly afterwards, as that of TCP does
//! (RFC 5681). Both ends are in one place, so an arrival needs no acknowledgement.
//!
//! Contract: send what [`FloodWindow::poll_packet`] returns until it returns `None`, after every other call.

use std::time::Duration;

use crate::Timestamp;

/// Size of a packet of the flood, in bytes: with the headers of TURN it fits every path.
const PACKET_BYTES: usize = 1000;
const FIRST_WINDOW: u32 = 10;
const MAX_WINDOW: u32 = 256;
/// Packets of one flood: 80 Mbit/s for two seconds.
const MAX_PACKETS: u32 = 20_000;
/// If nothing arrives for this long, all packets on their way are lost.
const SILENCE: Duration = Duration::from_millis(250);

/// The packets of one flood.
#[derive(Debug)]
pub struct FloodWindow {
    /// The number of the next packet.
    next: u32,
    /// All packets before this one arrived or are lost.
    settled: u32,
    window: u32,
    /// Arrivals since the window grew.
    credit: u32,
    /// The first packet that was sent after the last loss; `None` before the first one.
    after_loss: Option<u32>,
    heard_at: Timestamp,
}

impl FloodWindow {
    /// Begins a flood.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { next: 0, settled: 0, window: FIRST_WINDOW, credit: 0, after_loss: None, heard_at: now }
    }

    /// The next packet to send.
    pub fn poll_packet(&mut self) -> Option<Vec<u8>> {
        if self.next - self.settled >= self.window || self.next >= MAX_PACKETS {
            return None;
        }
        let mut packet = self.next.to_be_bytes().to_vec();
        packet.resize(PACKET_BYTES, 0);
        self.next += 1;
        Some(packet)
    }

    /// Takes a packet that arrived at the other end. Returns false if it is no packet of the flood.
    pub fn handle_arrival(&mut self, packet: &[u8], now: Timestamp) -> bool {
        let number = packet.first_chunk().filter(|_| packet.len() == PACKET_BYTES);
        let Some(number) = number.map(|bytes| u32::from_be_bytes(*bytes)).filter(|at| *at < self.next) else {
            return false;
        };
        self.heard_at = now;
        if number < self.settled {
            // It was taken for lost, or came twice.
            return true;
        }
        if number > self.settled {
            self.lose();
        } else {
            self.grow();
        }
        self.settled = number + 1;
        true
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        (self.next > self.settled).then(|| self.heard_at + SILENCE)
    }

    /// Gives up what is on its way if nothing arrived for long.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.settled = self.next;
            (self.window, self.after_loss, self.heard_at) = (FIRST_WINDOW, Some(self.next), now);
        }
    }

    /// Packets that are lost together halve the window once.
    fn lose(&mut self) {
        if self.after_loss.is_none_or(|after| self.settled >= after) {
            self.window = (self.window / 2).max(FIRST_WINDOW / 2);
            self.after_loss = Some(self.next);
        }
    }

    fn grow(&mut self) {
        self.credit += 1;
        let needed = if self.after_loss.is_none() { 1 } else { self.window };
        if self.credit >= needed {
            self.credit = 0;
            self.window = (self.window + 1).min(MAX_WINDOW);
        }
    }
}
