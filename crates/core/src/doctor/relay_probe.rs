//! Measures a call of a page or program with itself through the relay: first small packets without retransmission, for round trip,
//! jitter and loss; then a flood, for the throughput.
//!
//! Both ends are in one place and share a clock, so a packet can be timed in one direction. All traffic goes up to the relay and
//! down from it at the same time, and a round trip passes the relay twice each way.

use std::{collections::VecDeque, time::Duration};

use super::check::{CheckCode, Detail, DetailLabel, Outcome};
use crate::{Timestamp, median::median};

/// Size of a small packet, in bytes: that of a packet of sound.
const PACKET_BYTES: usize = 160;
/// Size of one message of the flood, in bytes.
pub const FLOOD_MESSAGE_BYTES: usize = 16 * 1024;
/// Bytes of the flood that are queued in the browser ahead of time.
pub const FLOOD_AHEAD_BYTES: u32 = 256 * 1024;

const PACKETS: u16 = 50;
const PACKET_INTERVAL: Duration = Duration::from_millis(30);
/// Waiting time after the last packet; a packet that arrives later counts as lost.
const STRAGGLERS: Duration = Duration::from_millis(500);
const FLOOD: Duration = Duration::from_secs(2);
/// Loss at which speech suffers (ITU-T G.1050 calls 1 % the end of a well-managed network).
const LOSSY_PERMILLE: u64 = 30;
/// Throughput that a picture of fair quality needs.
const SLOW_BPS: u64 = 500_000;

/// What the caller is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutput {
    /// Send the packet with this number.
    SendPacket(u16),
    /// Send as much as possible until [`Self::End`].
    Flood,
    /// The measurement is complete.
    End,
}

/// The measurement in progress.
#[derive(Debug)]
pub struct RelayProbe {
    phase: Phase,
    sent_at: Vec<Timestamp>,
    arrived: Vec<bool>,
    arrivals: u16,
    round_trips: Vec<Duration>,
    last_transit: Option<Duration>,
    /// Computed as in RFC 3550, section 6.4.1.
    jitter: Duration,
    flood_bytes: u64,
    flood_first_at: Option<Timestamp>,
    flood_last_at: Option<Timestamp>,
    outputs: VecDeque<ProbeOutput>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Packets { next_at: Timestamp },
    Stragglers { until: Timestamp },
    Flood { until: Timestamp },
    Over,
}

impl RelayProbe {
    /// Begins when the channels are open.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let mut probe = Self {
            phase: Phase::Packets { next_at: now },
            sent_at: Vec::new(),
            arrived: Vec::new(),
            arrivals: 0,
            round_trips: Vec::new(),
            last_transit: None,
            jitter: Duration::ZERO,
            flood_bytes: 0,
            flood_first_at: None,
            flood_last_at: None,
            outputs: VecDeque::new(),
        };
        probe.handle_timeout(now);
        probe
    }

    /// The bytes of the packet with this number.
    #[must_use]
    pub fn packet(number: u16) -> Vec<u8> {
        let mut packet = number.to_be_bytes().to_vec();
        packet.resize(PACKET_BYTES, 0);
        packet
    }

    /// The number of a packet; `None` for bytes of another size, which are not sent back either.
    #[must_use]
    pub fn number_of(packet: &[u8]) -> Option<u16> {
        let number = packet.first_chunk::<2>().filter(|_| packet.len() == PACKET_BYTES);
        number.map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Takes a small packet that arrived at the other end and is sent back from there.
    pub fn handle_arrival(&mut self, number: u16, now: Timestamp) {
        let at = usize::from(number);
        let Some((sent_at, arrived)) = self.sent_at.get(at).copied().zip(self.arrived.get_mut(at)) else {
            return;
        };
        if std::mem::replace(arrived, true) {
            return;
        }
        self.arrivals += 1;
        let transit = now - sent_at;
        if let Some(last) = self.last_transit.replace(transit) {
            let difference = transit.abs_diff(last);
            self.jitter = (self.jitter * 15 + difference) / 16;
        }
    }

    /// Takes the packet that came back.
    pub fn handle_echo(&mut self, number: u16, now: Timestamp) {
        if let Some(sent_at) = self.sent_at.get(usize::from(number))
            && self.round_trips.len() < usize::from(PACKETS)
        {
            self.round_trips.push(now - *sent_at);
        }
    }

    /// Takes bytes of the flood that arrived at the other end.
    pub fn handle_flood(&mut self, bytes: usize, now: Timestamp) {
        if matches!(self.phase, Phase::Flood { .. }) {
            // The first message only starts the clock: its bytes were sent before the measured time.
            match self.flood_first_at {
                None => self.flood_first_at = Some(now),
                Some(_) => self.flood_bytes += bytes as u64,
            }
            self.flood_last_at = Some(now);
        }
    }

    /// Handles the deadlines that have passed.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        loop {
            match self.phase {
                Phase::Packets { next_at } if next_at <= now => {
                    let number = u16::try_from(self.sent_at.len()).unwrap_or(PACKETS);
                    if number >= PACKETS {
                        self.phase = Phase::Stragglers { until: next_at + STRAGGLERS };
                        continue;
                    }
                    self.sent_at.push(now);
                    self.arrived.push(false);
                    self.outputs.push_back(ProbeOutput::SendPacket(number));
                    // Counted from now and not from `next_at`, so that a page that slept sends no burst.
                    self.phase = Phase::Packets { next_at: now + PACKET_INTERVAL };
                }
                Phase::Stragglers { until }
                    if until <= now || self.round_trips.len() >= usize::from(PACKETS) =>
                {
                    self.phase = Phase::Flood { until: now + FLOOD };
                    self.outputs.push_back(ProbeOutput::Flood);
                }
                Phase::Flood { until } if until <= now => {
                    self.phase = Phase::Over;
                    self.outputs.push_back(ProbeOutput::End);
                }
                _ => return,
            }
        }
    }

    /// The time at which [`Self::handle_timeout`] is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Packets { next_at: at } | Phase::Stragglers { until: at } | Phase::Flood { until: at } => {
                Some(at)
            }
            Phase::Over => None,
        }
    }

    /// The next thing that the caller is to do.
    pub fn poll_output(&mut self) -> Option<ProbeOutput> {
        self.outputs.pop_front()
    }

    /// The measured values.
    #[must_use]
    pub fn figures(&self) -> RelayFigures {
        let sent = self.sent_at.len() as u64;
        let flooded_for = self.flood_first_at.zip(self.flood_last_at).map(|(first, last)| last - first);
        RelayFigures {
            round_trip: median(self.round_trips.iter().copied()),
            jitter: (self.arrivals > 1).then_some(self.jitter),
            loss_permille: (sent > 0).then(|| 1000 * (sent - u64::from(self.arrivals)) / sent),
            throughput_bps: flooded_for.filter(|took| !took.is_zero()).map(|took| {
                let micros = took.as_micros().max(1);
                u64::try_from(u128::from(self.flood_bytes) * 8 * 1_000_000 / micros).unwrap_or(u64::MAX)
            }),
        }
    }
}

/// The quality of the relay. `None` means "not measured".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelayFigures {
    /// Median time to the other end and back.
    pub round_trip: Option<Duration>,
    /// Jitter to the other end.
    pub jitter: Option<Duration>,
    /// Loss to the other end, in parts per thousand.
    pub loss_permille: Option<u64>,
    /// Throughput in bit/s.
    pub throughput_bps: Option<u64>,
}

impl RelayFigures {
    /// Judges the values; `connected_after` becomes a detail line.
    #[must_use]
    pub fn judge(&self, mut details: Vec<Detail>) -> Outcome {
        let mut line = |label, value: Option<String>| {
            details.extend(value.map(|value| Detail::new(label, value)));
        };
        line(DetailLabel::RoundTrip, self.round_trip.map(millis));
        line(DetailLabel::Jitter, self.jitter.map(millis));
        line(DetailLabel::Loss, self.loss_permille.map(|loss| format!("{}.{} %", loss / 10, loss % 10)));
        line(DetailLabel::Throughput, self.throughput_bps.map(bitrate));
        if self.round_trip.is_none() {
            Outcome::failed(CheckCode::RelayFailed, details)
        } else if self.loss_permille.is_some_and(|loss| loss >= LOSSY_PERMILLE) {
            Outcome::warning(CheckCode::RelayLossy, details)
        } else if self.throughput_bps.is_none_or(|bps| bps < SLOW_BPS) {
            Outcome::warning(CheckCode::RelaySlow, details)
        } else {
            Outcome::ok(details)
        }
    }
}

/// A time in milliseconds, with one decimal below ten.
pub(super) fn millis(time: Duration) -> String {
    let tenths = time.as_micros() / 100;
    if tenths < 100 { format!("{}.{} ms", tenths / 10, tenths % 10) } else { format!("{} ms", tenths / 10) }
}

fn bitrate(bps: u64) -> String {
    if bps >= 1_000_000 {
        format!("{}.{} Mbit/s", bps / 1_000_000, bps % 1_000_000 / 100_000)
    } else {
        format!("{} kbit/s", bps / 1000)
    }
}
