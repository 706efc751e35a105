//! How fast the bytes of files may leave while a call runs: as fast as leaves the round trip about as it was.
//!
//! The rate follows the delay, in the manner of LEDBAT (RFC 6817): the shortest round trip of the last minutes is taken for the
//! path's own, and what is above it for a queue's. Up to a small queue the rate grows, above it falls. A frame of a picture
//! fills a queue for a moment too, and so does a page that is busy, so of the last samples the shortest counts.

use std::{collections::VecDeque, time::Duration};

use crate::Timestamp;

/// How long the shortest round trip is remembered: routes change.
const MEMORY: Duration = Duration::from_secs(120);
/// Of so many samples the shortest tells the queue of this moment.
const FILTER_SAMPLES: usize = 6;
/// What the queue may add, as a part of the path's own and within these.
const TARGET_PERCENT: u32 = 8;
const MIN_TARGET: Duration = Duration::from_millis(6);
const MAX_TARGET: Duration = Duration::from_millis(20);

/// In bytes a second. The least, so that a transfer ends where a busy computer looks like a queue; the most, more than any
/// browser sends.
const MIN_RATE: u64 = 40_000;
const FIRST_RATE: u64 = 60_000;
const MAX_RATE: u64 = 100_000_000;
/// The growth with every sample, in thousandths: before a queue was first met; and after, with one more for every so long
/// without any, since the path may have become a faster one.
const START_GROWTH: u64 = 80;
const GROWTH: u64 = 4;
const MORE_GROWTH_AFTER: Duration = Duration::from_millis(500);
const DECREASE_PERCENT: u64 = 75;

/// So much may leave at once.
const BURST: Duration = Duration::from_millis(20);
/// A chunk takes so long to leave, so that nothing of the call waits longer behind it.
const CHUNK: Duration = Duration::from_millis(8);

/// The rate of bytes beside a call.
#[derive(Debug)]
pub struct Pacer {
    /// In bytes a second.
    rate: u64,
    /// When a queue was met last.
    met_at: Option<Timestamp>,
    decreased_at: Timestamp,
    /// The shortest of each ten seconds, and when they began.
    floors: VecDeque<(Timestamp, Duration)>,
    recent: VecDeque<Duration>,
    credit_bytes: u64,
    credited_at: Timestamp,
    /// Nothing leaves before.
    held_until: Timestamp,
    /// Whether more would have been sent since the last sample than the rate allowed.
    is_binding: bool,
    chunk_limits: (usize, usize),
}

impl Pacer {
    /// One that makes chunks between these sizes, in bytes.
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

    /// A round trip was measured.
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
            // One answer to one queue: what was sent before has to be through first.
            if now >= self.held_until.max(self.decreased_at) + *least {
                self.rate = (self.rate * DECREASE_PERCENT / 100).max(MIN_RATE);
                self.decreased_at = now;
                // And what is in the queue goes first.
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

    /// An answer is overdue by so much: the queue is at least as long.
    pub fn handle_silence(&mut self, waiting: Duration, now: Timestamp) {
        let limit = self.floor().unwrap_or_default() * 2 + Duration::from_millis(200);
        if waiting > limit && now >= self.decreased_at + limit {
            self.rate = (self.rate / 2).max(MIN_RATE);
            (self.met_at, self.decreased_at, self.credit_bytes) = (Some(now), now, 0);
        }
    }

    /// How many bytes may leave now.
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

    /// So many leave.
    pub fn handle_sent(&mut self, bytes: u64) {
        self.credit_bytes = self.credit_bytes.saturating_sub(bytes);
        self.is_binding |= self.credit_bytes < self.chunk_bytes() as u64;
    }

    /// How large a chunk is to be at this rate.
    #[must_use]
    pub fn chunk_bytes(&self) -> usize {
        let (min, max) = self.chunk_limits;
        usize::try_from(self.rate * CHUNK.as_millis() as u64 / 1000).unwrap_or(max).clamp(min, max)
    }

    /// When a chunk may leave.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        let missing = (self.chunk_bytes() as u64).saturating_sub(self.credit_bytes);
        let since = self.credited_at.max(self.held_until);
        since + Duration::from_micros((missing * 1_000_000).div_ceil(self.rate))
    }

    /// In bytes a second.
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
