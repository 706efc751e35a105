//! The packets of one stream in the order of their sequence numbers.
//!
//! Contract: after every [`PacketQueue::handle`], and at [`PacketQueue::poll_timeout`], call [`PacketQueue::poll`] until it returns
//! `None`.

use std::{collections::BTreeMap, time::Duration};

use rtc::rtp::Packet;
use sightline_core::Timestamp;

/// How long a missing packet is waited for. It is asked for after some ten milliseconds, and again.
const PATIENCE: Duration = Duration::from_millis(500);
/// Packets that wait for a missing one: half a second of 25 Mbit/s.
const MAX_WAITING: usize = 1500;

/// What comes next in a stream.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// A packet, and when it arrived.
    Packet(Packet, Timestamp),
    /// At least one packet is missing and no longer waited for.
    Gap,
}

#[derive(Debug, Default)]
pub(super) struct PacketQueue {
    /// The number of the packet that comes next. Numbers continue beyond 16 bits.
    next: Option<u64>,
    waiting: BTreeMap<u64, (Packet, Timestamp)>,
}

impl PacketQueue {
    pub(super) fn handle(&mut self, packet: Packet, now: Timestamp) {
        let number = self.whole_number(packet.header.sequence_number);
        let next = *self.next.get_or_insert(number);
        // An older packet is a duplicate, or was given up.
        if number >= next {
            self.waiting.entry(number).or_insert((packet, now));
        }
    }

    pub(super) fn poll(&mut self, now: Timestamp) -> Option<Next> {
        let (&number, (_, arrived_at)) = self.waiting.first_key_value()?;
        if self.next == Some(number) {
            self.next = Some(number + 1);
            let (packet, arrived_at) = self.waiting.remove(&number)?;
            return Some(Next::Packet(packet, arrived_at));
        }
        let is_given_up = now.since(*arrived_at) >= PATIENCE || self.waiting.len() > MAX_WAITING;
        is_given_up.then(|| {
            self.next = Some(number);
            Next::Gap
        })
    }

    /// When the packet that comes next is no longer waited for.
    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        let (_, (_, arrived_at)) = self.waiting.first_key_value()?;
        Some(*arrived_at + PATIENCE)
    }

    /// The number beyond 16 bits that is nearest to the expected one.
    fn whole_number(&self, number: u16) -> u64 {
        let Some(next) = self.next else { return (1 << 16) + u64::from(number) };
        let ahead = number.wrapping_sub(next as u16);
        if ahead < 1 << 15 {
            next + u64::from(ahead)
        } else {
            next.saturating_sub(u64::from(ahead.wrapping_neg()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    fn packet(number: u16) -> Packet {
        let mut packet = Packet::default();
        packet.header.sequence_number = number;
        packet
    }

    /// The numbers that come out, with `None` for a gap.
    fn taken(queue: &mut PacketQueue, now: Timestamp) -> Vec<Option<u16>> {
        std::iter::from_fn(|| queue.poll(now))
            .map(|next| match next {
                Next::Packet(packet, _) => Some(packet.header.sequence_number),
                Next::Gap => None,
            })
            .collect()
    }

    #[test]
    fn packets_come_out_in_order_across_the_end_of_the_numbers() {
        let mut queue = PacketQueue::default();
        for number in [65_534, 0, 65_535, 1] {
            queue.handle(packet(number), ms(0));
        }
        assert_eq!(taken(&mut queue, ms(0)), [65_534, 65_535, 0, 1].map(Some));
        assert_eq!(queue.poll_timeout(), None);
    }

    #[test]
    fn a_missing_packet_is_waited_for_and_then_given_up() {
        let mut queue = PacketQueue::default();
        queue.handle(packet(1), ms(0));
        queue.handle(packet(3), ms(10));
        assert_eq!(taken(&mut queue, ms(500)), [Some(1)]);
        assert_eq!(queue.poll_timeout(), Some(ms(510)));
        assert_eq!(taken(&mut queue, ms(510)), [None, Some(3)]);
        queue.handle(packet(2), ms(520));
        assert_eq!(taken(&mut queue, ms(2000)), [], "too late");
    }

    #[test]
    fn a_packet_that_was_sent_again_closes_the_gap() {
        let mut queue = PacketQueue::default();
        for (number, at) in [(1, 0), (3, 10), (2, 200), (2, 210), (4, 220)] {
            queue.handle(packet(number), ms(at));
        }
        assert_eq!(taken(&mut queue, ms(220)), [1, 2, 3, 4].map(Some));
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut queue = PacketQueue::default();
        queue.handle(packet(0), ms(0));
        for number in 2..5000 {
            queue.handle(packet(number), ms(0));
            taken(&mut queue, ms(0));
            assert!(queue.waiting.len() <= MAX_WAITING);
        }
    }
}
