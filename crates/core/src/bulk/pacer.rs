//! Limits the rate of file bytes during a call, so that the round-trip time hardly grows.
//!
//! The rate follows the delay, as in LEDBAT (RFC 6817). The shortest round trip of the last minutes is the path's base delay; the
//! excess of the current round trip is the delay of a queue. Below a small target the rate grows, above it falls. A frame of a
//! picture also fills a queue for a moment, and so does a busy page, so the shortest of the latest samples counts.

use std::{collections::VecDeque, time::Duration};

use crate::Timestamp;

/// How long the shortest round trip is remembered: routes change.
const MEMORY: Duration = Duration::from_secs(120);
/// Number of samples whose minimum is the current round trip.
const FILTER_SAMPLES: usize = 6;
/// Allowed queueing delay as a percentage of the base delay, within the two limits below.
const TARGET_PERCENT: u32 = 8;
const MIN_TARGET: Duration = Duration::from_millis(6);
const MAX_TARGET: Duration = Duration::from_millis(20);

/// Limits of the rate, in bytes per second. The lowest lets a transfer end even where a busy computer looks like a queue; the
/// highest is more than any browser sends.
const MIN_RATE: u64 = 40_000;
const FIRST_RATE: u64 = 60_000;
const MAX_RATE: u64 = 100_000_000;
/// Growth of the rate with every sample, in thousandths: the first value until a queue is met. Afterwards growth starts at the
/// second value and increases by one step per interval without a queue, since the path may have become faster.
const START_GROWTH: u64 = 80;
const GROWTH: u64 = 4;
const MORE_GROWTH_AFTER: Duration = Duration::from_millis(500);
const DECREASE_PERCENT: u64 = 75;

/// Bytes that may leave at once, as a time at the current rate.
const BURST: Duration = Duration::from_millis(20);
/// Time that one chunk takes to leave, so that no packet of the call waits longer behind it.
const CHUNK: Duration = Duration::from_millis(8);

/// The rate of file bytes during a call.
#[derive(Debug)]
pub struct Pacer {
    /// In bytes per second.
    rate: u64,
    /// When a queue was last met.
    met_at: Option<Timestamp>,
    decreased_at: Timestamp,
    /// The shortest round trip of each ten seconds, with the beginning of the ten seconds.
    floors: VecDeque<(Timestamp, Duration)>,
    recent: VecDeque<Duration>,
    credit_bytes: u64,
    credited_at: Timestamp,
    /// Nothing may leave before this time.
    held_until: Timestamp,
    /// Whether the rate held bytes back since the last sample.
    is_binding: bool,
    chunk_limits: (usize, usize),
}

impl Pacer {
    /// A pacer whose chunks are within these sizes, in bytes.
    #[must_use]
    pub fn new(min_chunk_bytes: usize, max_chunk_bytes: usize, now: Timestamp) -> Self {
        Self {
            rate: FIRST_RATE,
            met_at: None,
            decreased_at: now,
            floors: VecDeque::new(),
            recent: VecDeque::new(),
            credit_bytes: 0,
            credited_at: now,
            held_until: now,
            is_binding: false,
            chunk_limits: (min_chunk_bytes, max_chunk_bytes),
        }
    }

    /// Takes a measured round-trip time.
    pub fn handle_round_trip(&mut self, round_trip: Duration, now: Timestamp) {
        self.note_floor(round_trip, now);
        if self.recent.len() == FILTER_SAMPLES {
            self.recent.pop_front();
        }
        self.recent.push_back(round_trip);
        let (Some(floor), Some(least)) = (self.floor(), self.recent.iter().min()) else { return };
        let queue = least.saturating_sub(floor);
        let target = (floor * TARGET_PERCENT / 100).clamp(MIN_TARGET, MAX_TARGET);
        if queue > target {
            self.met_at = Some(now);
            // One reduction for each queue: what was sent before has to arrive first.
            if now >= self.held_until.max(self.decreased_at) + *least {
                self.rate = (self.rate * DECREASE_PERCENT / 100).max(MIN_RATE);
                self.decreased_at = now;
                // Let the queue drain before anything else is sent.
                self.credit_bytes = 0;
                self.held_until = now + queue;
            }
        } else if self.is_binding {
            let growth = self.met_at.map_or(START_GROWTH, |met| {
                let calm = now.since(met).as_millis() / MORE_GROWTH_AFTER.as_millis();
                (GROWTH + u64::try_from(calm).unwrap_or(START_GROWTH)).min(START_GROWTH)
            });
            self.rate = (self.rate * (1000 + growth) / 1000).min(MAX_RATE);
        }
        self.is_binding = false;
    }

    /// Takes how long the answer to a ping is overdue: the queue is at least that long.
    pub fn handle_silence(&mut self, waiting: Duration, now: Timestamp) {
        let limit = self.floor().unwrap_or_default() * 2 + Duration::from_millis(200);
        if waiting > limit && now >= self.decreased_at + limit {
            self.rate = (self.rate / 2).max(MIN_RATE);
            (self.met_at, self.decreased_at, self.credit_bytes) = (Some(now), now, 0);
        }
    }

    /// Number of bytes that may leave now.
    pub fn allowance(&mut self, now: Timestamp) -> u64 {
        if now < self.held_until {
            self.credited_at = now;
            return 0;
        }
        let earned = self.rate
            * u64::try_from(now.since(self.credited_at).as_micros()).unwrap_or(u64::MAX / self.rate)
            / 1_000_000;
        let most = (self.rate * BURST.as_millis() as u64 / 1000).max(self.chunk_bytes() as u64);
        self.credit_bytes = (self.credit_bytes + earned).min(most);
        self.credited_at = now;
        self.credit_bytes
    }

    /// Notes that `bytes` were sent.
    pub fn handle_sent(&mut self, bytes: u64) {
        self.credit_bytes = self.credit_bytes.saturating_sub(bytes);
        self.is_binding |= self.credit_bytes < self.chunk_bytes() as u64;
    }

    /// Chunk size at the current rate, in bytes.
    #[must_use]
    pub fn chunk_bytes(&self) -> usize {
        let (min, max) = self.chunk_limits;
        usize::try_from(self.rate * CHUNK.as_millis() as u64 / 1000).unwrap_or(max).clamp(min, max)
    }

    /// The time at which the next chunk may leave.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        let missing = (self.chunk_bytes() as u64).saturating_sub(self.credit_bytes);
        let since = self.credited_at.max(self.held_until);
        since + Duration::from_micros((missing * 1_000_000).div_ceil(self.rate))
    }

    /// The current rate, in bytes per second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        self.rate
    }

    fn floor(&self) -> Option<Duration> {
        self.floors.iter().map(|(_, floor)| *floor).min()
    }

    fn note_floor(&mut self, round_trip: Duration, now: Timestamp) {
        match self.floors.back_mut() {
            Some((since, floor)) if now.since(*since) < MEMORY / 12 => *floor = (*floor).min(round_trip),
            _ => self.floors.push_back((now, round_trip)),
        }
        while self.floors.front().is_some_and(|(since, _)| now.since(*since) > MEMORY) {
            self.floors.pop_front();
        }
    }
}
