//! What is counted about a stream of RTP packets, as a browser counts it (RFC 3550, 6.4.1 and A.8).

use rtc::{rtp::Packet, shared::marshal::MarshalSize};
use sightline_core::Timestamp;

/// The counters of one stream.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    clock_rate: u32,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) header_bytes: u64,
    /// The first and the highest sequence number, which continues beyond 16 bits.
    first: Option<u64>,
    highest: u64,
    /// The transit of the packet before, in ticks of the RTP clock.
    transit: Option<i64>,
    jitter_ticks: f64,
}

impl Counters {
    pub(super) fn new(clock_rate: u32) -> Self {
        Self {
            clock_rate,
            packets: 0,
            bytes: 0,
            header_bytes: 0,
            first: None,
            highest: 0,
            transit: None,
            jitter_ticks: 0.0,
        }
    }

    pub(super) fn handle(&mut self, packet: &Packet, now: Timestamp) {
        let header = &packet.header;
        self.packets += 1;
        self.bytes += packet.payload.len() as u64;
        self.header_bytes += header.marshal_size() as u64;
        let Some(_) = self.first else {
            let number = (1 << 16) + u64::from(header.sequence_number);
            (self.first, self.highest) = (Some(number), number);
            self.transit = Some(self.transit_of(header.timestamp, now));
            return;
        };
        let ahead = header.sequence_number.wrapping_sub(self.highest as u16);
        // A packet that is sent again says nothing about the path's jitter.
        if ahead == 0 || ahead >= 1 << 15 {
            return;
        }
        self.highest += u64::from(ahead);
        let transit = self.transit_of(header.timestamp, now);
        if let Some(before) = self.transit.replace(transit) {
            // Timestamps are counted modulo 2^32, and so is their difference.
            let difference = f64::from((transit.wrapping_sub(before) as i32).unsigned_abs());
            self.jitter_ticks += (difference - self.jitter_ticks) / 16.0;
        }
    }

    /// Packets that were expected and did not arrive, so far.
    pub(super) fn lost(&self) -> u64 {
        let expected = self.first.map_or(0, |first| self.highest - first + 1);
        expected.saturating_sub(self.packets)
    }

    pub(super) fn jitter_s(&self) -> f64 {
        self.jitter_ticks / f64::from(self.clock_rate.max(1))
    }

    fn transit_of(&self, timestamp: u32, now: Timestamp) -> i64 {
        let micros = i64::try_from(now.since_origin().as_micros()).unwrap_or(i64::MAX / 1_000_000);
        let ticks = i128::from(micros) * i128::from(self.clock_rate) / 1_000_000;
        ticks as i64 - i64::from(timestamp)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn packet(number: u16, timestamp: u32) -> Packet {
        let mut packet = Packet { payload: bytes::Bytes::from_static(&[0; 100]), ..Packet::default() };
        packet.header.sequence_number = number;
        packet.header.timestamp = timestamp;
        packet
    }

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    #[test]
    fn a_packet_is_lost_until_it_is_sent_again() {
        let mut counters = Counters::new(90_000);
        for (number, at) in [(65_535, 0), (0, 40), (3, 160)] {
            counters.handle(&packet(number, 0), ms(at));
        }
        assert_eq!((counters.packets, counters.lost(), counters.bytes), (3, 2, 300));
        counters.handle(&packet(1, 0), ms(200));
        counters.handle(&packet(2, 0), ms(200));
        assert_eq!((counters.packets, counters.lost()), (5, 0));
    }

    #[test]
    fn packets_that_come_as_evenly_as_they_were_sent_have_no_jitter() {
        let mut counters = Counters::new(90_000);
        for number in 0..100_u16 {
            let timestamp = (u32::MAX - 90_000).wrapping_add(u32::from(number) * 3600);
            counters.handle(&packet(number, timestamp), ms(40 * u64::from(number)));
        }
        assert!(counters.jitter_s() < 1e-9, "{}", counters.jitter_s());
        let mut uneven = Counters::new(90_000);
        for number in 0..200_u16 {
            let late = if number % 2 == 0 { 0 } else { 10 };
            uneven.handle(&packet(number, u32::from(number) * 3600), ms(40 * u64::from(number) + late));
        }
        assert!((uneven.jitter_s() - 0.01).abs() < 0.001, "{}", uneven.jitter_s());
    }
}
