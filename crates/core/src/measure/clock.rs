//! Estimates the offset of another page's clock from the local clock, and the error of the estimate.
//!
//! Each exchange of a ping and its answer has four times (RFC 5905, section 8), which bound the offset from both sides: both
//! messages arrived after they were sent. The bounds hold whatever the delay is in either direction. So the bounds of several
//! exchanges may be intersected (Marzullo's algorithm without the vote), after each was widened by the possible drift since the
//! exchange. The exchange with the shortest round trip, which NTP's clock filter selects, has at best the same bounds.
//!
//! A message that names only the time at which it was sent bounds the offset from one side. That bound gives the earliest time
//! at which the message, and media sent along with it, can have arrived.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::telemetry::PageTime;

use crate::Timestamp;

/// Number of exchanges that are used: those of half a minute.
const MAX_EXCHANGES: usize = 30;
/// Number of messages with a send time that are used: answers and reports of half a minute.
const MAX_ARRIVALS: usize = 60;
/// Maximum drift between the clocks of two computers, in parts per million: more than the tolerances of two crystals.
const DRIFT_PER_MILLION: i64 = 100;
/// Resolution of a browser's clock: a millisecond in the worst case (W3C High Resolution Time, section 8; Firefox).
const STEP_US: i64 = 1000;
/// Exchanges with a longer round trip are ignored.
const LONGEST_ROUND_TRIP_US: i64 = 10_000_000;

/// The offset of another clock from the local clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockEstimate {
    /// Microseconds to add to the local time to get the other clock's time.
    pub offset_us: i64,
    /// Maximum error of the offset.
    pub error: Duration,
}

impl ClockEstimate {
    /// The other clock's time when the local clock shows `ours`.
    #[must_use]
    pub fn theirs(&self, ours: Timestamp) -> Timestamp {
        shifted(ours, self.offset_us)
    }

    /// The local time when the other clock shows `theirs`.
    #[must_use]
    pub fn ours(&self, theirs: Timestamp) -> Timestamp {
        shifted(theirs, -self.offset_us)
    }
}

/// The bounds that one exchange gives for the offset.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    at_us: i64,
    least_us: i64,
    most_us: i64,
}

/// Estimates another page's clock from the messages on one peer connection. [`Pings`](crate::ping::Pings) sends the pings.
#[derive(Debug, Clone, Default)]
pub struct ClockSync {
    exchanges: VecDeque<Bounds>,
    /// For each of the last messages, the other clock's send time minus the local arrival time, in microseconds.
    ahead_us: VecDeque<i64>,
}

impl ClockSync {
    /// Takes the arrival of a message that was sent at `sent_us` on the other clock.
    pub fn handle_arrival(&mut self, sent_us: PageTime, now: Timestamp) {
        let sent = i64::try_from(sent_us.get()).unwrap_or(i64::MAX);
        self.ahead_us.push_back(sent.saturating_sub(micros(now)));
        if self.ahead_us.len() > MAX_ARRIVALS {
            self.ahead_us.pop_front();
        }
    }

    /// The earliest arrival here of data that is sent at `sent_us` on the other clock, with the shortest delay that a message
    /// had; `None` before the first message.
    #[must_use]
    pub fn arrival(&self, sent_us: PageTime) -> Option<Timestamp> {
        let ahead_us = *self.ahead_us.iter().max()?;
        let here = i64::try_from(sent_us.get()).unwrap_or(i64::MAX).saturating_sub(ahead_us);
        Some(Timestamp::from_origin(Duration::from_micros(u64::try_from(here).ok()?)))
    }

    /// Takes an answer to a ping. Impossible times are ignored.
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

    /// The estimate; `None` before the first answer.
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
            // The bounds contradict each other: a clock was set back, or stood still while the computer slept. Older exchanges
            // are useless.
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
