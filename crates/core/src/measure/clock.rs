//! Two clocks on one axis: how far another page's clock is from one's own, and how wrong that may be.
//!
//! Each exchange of a ping and its answer has four times (RFC 5905, section 8), which bound the offset from both sides:
//! the ping came after it left, and so did the answer. That holds whatever the way takes in either direction, so the
//! bounds of several exchanges may be intersected (Marzullo's algorithm without its vote), each widened by how far the
//! clocks may have drifted apart since. The exchange with the shortest round trip alone, as NTP's clock filter takes it,
//! has at best the same bounds.
//!
//! A message that only says when it left bounds the offset from one side. That is enough to say when it, and what left with it,
//! could be here.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::telemetry::PageTime;

use crate::Timestamp;

/// Exchanges that count: half a minute of them.
const MAX_EXCHANGES: usize = 30;
/// Messages with a time in them that count: half a minute of answers and reports.
const MAX_ARRIVALS: usize = 60;
/// How far two computers' clocks drift apart: 100 in a million, more than their quartzes are allowed together.
const DRIFT_PER_MILLION: i64 = 100;
/// A browser tells the time in steps, to a millisecond at worst (W3C High Resolution Time, section 8; Firefox).
const STEP_US: i64 = 1000;
/// A round trip longer than this says nothing, and no clock is trusted beyond it.
const LONGEST_ROUND_TRIP_US: i64 = 10_000_000;

/// How another clock stands to one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockEstimate {
    /// What has to be added to one's own time to have theirs, in microseconds.
    pub offset_us: i64,
    /// The offset is wrong by at most this.
    pub error: Duration,
}

impl ClockEstimate {
    /// What their clock shows when one's own shows `ours`.
    #[must_use]
    pub fn theirs(&self, ours: Timestamp) -> Timestamp {
        shifted(ours, self.offset_us)
    }

    /// What one's own clock shows when theirs shows `theirs`.
    #[must_use]
    pub fn ours(&self, theirs: Timestamp) -> Timestamp {
        shifted(theirs, -self.offset_us)
    }
}

/// What one exchange says of the offset.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    at_us: i64,
    least_us: i64,
    most_us: i64,
}

/// How another page's clock stands to this page's, from what came on one peer connection. It asks nothing itself:
/// [`Pings`](crate::ping::Pings) do.
#[derive(Debug, Clone, Default)]
pub struct ClockSync {
    exchanges: VecDeque<Bounds>,
    /// By how much the other clock was ahead of this one, less the time of the way, with each of the last messages, in microseconds.
    ahead_us: VecDeque<i64>,
}

impl ClockSync {
    /// Takes a message that left at `sent_us` on the other clock and came now.
    pub fn handle_arrival(&mut self, sent_us: PageTime, now: Timestamp) {
        let sent = i64::try_from(sent_us.get()).unwrap_or(i64::MAX);
        self.ahead_us.push_back(sent.saturating_sub(micros(now)));
        if self.ahead_us.len() > MAX_ARRIVALS {
            self.ahead_us.pop_front();
        }
    }

    /// When what leaves at `sent_us` on the other clock comes here on the quickest way that a message had; `None` before the first
    /// message.
    #[must_use]
    pub fn arrival(&self, sent_us: PageTime) -> Option<Timestamp> {
        let ahead_us = *self.ahead_us.iter().max()?;
        let here = i64::try_from(sent_us.get()).unwrap_or(i64::MAX).saturating_sub(ahead_us);
        Some(Timestamp::from_origin(Duration::from_micros(u64::try_from(here).ok()?)))
    }

    /// Takes an answer. What cannot be one is ignored.
    pub fn handle_pong(
        &mut self,
        sent_us: PageTime,
        received_us: PageTime,
        answered_us: PageTime,
        now: Timestamp,
    ) {
        let [sent, received, answered] =
            [sent_us, received_us, answered_us].map(|time| i64::try_from(time.get()).unwrap_or(i64::MAX));
        let (arrived, now) = (now, micros(now));
        let round_trip = (now - sent).checked_sub(answered.saturating_sub(received));
        if sent > now
            || answered < received
            || round_trip.is_none_or(|trip| !(-2 * STEP_US..=LONGEST_ROUND_TRIP_US).contains(&trip))
        {
            return;
        }
        self.handle_arrival(answered_us, arrived);
        let bounds = Bounds {
            at_us: now,
            least_us: answered.saturating_sub(now).saturating_sub(STEP_US),
            most_us: received.saturating_sub(sent).saturating_add(STEP_US),
        };
        self.exchanges.push_back(bounds);
        if self.exchanges.len() > MAX_EXCHANGES {
            self.exchanges.pop_front();
        }
    }

    /// How the clocks stand to each other; `None` before the first answer.
    #[must_use]
    pub fn estimate(&self, now: Timestamp) -> Option<ClockEstimate> {
        let now = micros(now);
        let mut known: Option<(i64, i64)> = None;
        for exchange in self.exchanges.iter().rev() {
            let drift = (now - exchange.at_us).max(0) * DRIFT_PER_MILLION / 1_000_000;
            let (least, most) =
                (exchange.least_us.saturating_sub(drift), exchange.most_us.saturating_add(drift));
            let (so_far_least, so_far_most) = known.unwrap_or((least, most));
            let (least, most) = (least.max(so_far_least), most.min(so_far_most));
            // A clock that was set back or stood still while the computer slept: what is older says nothing.
            if least > most {
                break;
            }
            known = Some((least, most));
        }
        let (least, most) = known?;
        let half = most.saturating_sub(least) / 2;
        Some(ClockEstimate { offset_us: least + half, error: Duration::from_micros(half.unsigned_abs()) })
    }
}

fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.since_origin().as_micros()).unwrap_or(i64::MAX)
}

fn shifted(at: Timestamp, by_us: i64) -> Timestamp {
    let micros = micros(at).saturating_add(by_us).max(0);
    Timestamp::from_origin(Duration::from_micros(micros.unsigned_abs()))
}
