//! Two clocks on one axis: how far another page's clock is from one's own, and how wrong that may be.
//!
//! Each exchange of a ping and its answer has four times (RFC 5905, section 8), which bound the offset from both sides:
//! the ping came after it left, and so did the answer. That holds whatever the way takes in either direction, so the
//! bounds of several exchanges may be intersected (Marzullo's algorithm without its vote), each widened by how far the
//! clocks may have drifted apart since. The exchange with the shortest round trip alone, as NTP's clock filter takes it,
//! has at best the same bounds.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::telemetry::{MAX_TELEMETRY_BYTES, PageTime, TelemetryMessage};

use crate::Timestamp;

/// Exchanges that count: half a minute of them.
const MAX_EXCHANGES: usize = 30;
/// At first often, since a single exchange may have been held up.
const FIRST_INTERVAL: Duration = Duration::from_millis(200);
const FIRST_PINGS: u32 = 8;
const INTERVAL: Duration = Duration::from_secs(1);
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

/// Asks for another page's clock again and again, for as long as a channel to it lasts.
#[derive(Debug, Clone, Default)]
pub struct ClockSync {
    exchanges: VecDeque<Bounds>,
    next_ping: Timestamp,
    pings: u32,
}

impl ClockSync {
    /// When [`Self::poll_ping`] has the next message.
    #[must_use]
    pub fn poll_timeout(&self) -> Timestamp {
        self.next_ping
    }

    /// The next message to send, where it is time for one.
    pub fn poll_ping(&mut self, now: Timestamp) -> Option<TelemetryMessage> {
        if now < self.next_ping {
            return None;
        }
        self.next_ping = now + if self.pings < FIRST_PINGS { FIRST_INTERVAL } else { INTERVAL };
        self.pings = self.pings.saturating_add(1);
        Some(TelemetryMessage::ClockPing { sent_us: page_time(now) })
    }

    /// The answer to a ping that came at `received`, to be sent at once.
    #[must_use]
    pub fn answer(sent_us: PageTime, received: Timestamp, now: Timestamp) -> TelemetryMessage {
        TelemetryMessage::ClockPong { sent_us, received_us: page_time(received), answered_us: page_time(now) }
    }

    /// Takes a message of the `telemetry` channel; what to answer at once. What is about something else is ignored.
    pub fn handle_telemetry(&mut self, text: &str, now: Timestamp) -> Option<String> {
        if text.len() > MAX_TELEMETRY_BYTES {
            return None;
        }
        match serde_json::from_str(text) {
            Ok(TelemetryMessage::ClockPing { sent_us }) => {
                serde_json::to_string(&Self::answer(sent_us, now, now)).ok()
            }
            Ok(TelemetryMessage::ClockPong { sent_us, received_us, answered_us }) => {
                self.handle_pong(sent_us, received_us, answered_us, now);
                None
            }
            _ => None,
        }
    }

    /// The next ping as the text of a message, where it is time for one.
    pub fn poll_telemetry(&mut self, now: Timestamp) -> Option<String> {
        serde_json::to_string(&self.poll_ping(now)?).ok()
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
        let now = micros(now);
        let round_trip = (now - sent).checked_sub(answered.saturating_sub(received));
        if sent > now
            || answered < received
            || round_trip.is_none_or(|trip| !(-2 * STEP_US..=LONGEST_ROUND_TRIP_US).contains(&trip))
        {
            return;
        }
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

/// A time of this page, as it is told.
pub(crate) fn page_time(at: Timestamp) -> PageTime {
    PageTime::saturating(u64::try_from(at.since_origin().as_micros()).unwrap_or(u64::MAX))
}

fn micros(at: Timestamp) -> i64 {
    i64::try_from(at.since_origin().as_micros()).unwrap_or(i64::MAX)
}

fn shifted(at: Timestamp, by_us: i64) -> Timestamp {
    let micros = micros(at).saturating_add(by_us).max(0);
    Timestamp::from_origin(Duration::from_micros(micros.unsigned_abs()))
}
