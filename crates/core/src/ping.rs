//! The pings of one peer connection on its `telemetry` channel. They serve three purposes: whether the other side is alive
//! ([`recovery`](crate::recovery)), the round-trip time ([`bulk`](crate::bulk)), and the offset of the other page's clock.
//!
//! Invariant: there is one sequence of numbers and one list of open pings, so an answer belongs to exactly one ping of any
//! purpose.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::telemetry::{PageTime, TelemetryMessage};

use crate::Timestamp;

/// Interval of the pings that ask whether the other side is alive.
pub const PING_INTERVAL: Duration = Duration::from_secs(1);

/// Interval of the first questions for the clock, since a single exchange may be delayed.
const FIRST_CLOCK_INTERVAL: Duration = Duration::from_millis(200);
const FIRST_CLOCK_PINGS: u32 = 8;
/// Number of pings that may be open.
const MAX_OPEN: usize = 64;
/// Number of open questions for the clock.
const MAX_OPEN_CLOCK_PINGS: usize = 16;

/// The answer to a ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pong {
    /// The nonce of the ping.
    pub nonce: u32,
    /// `None` if a later ping was answered first.
    pub round_trip: Option<Duration>,
}

/// The meaning of a message of the `telemetry` channel for the pings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The other side sent a ping: send this answer at once.
    Asked(TelemetryMessage),
    /// The message answers a ping.
    Answered(Pong),
    /// The message answers a question for the clock; it is for a [`ClockSync`](crate::measure::clock::ClockSync).
    Clock(TelemetryMessage),
    /// The message answers no open ping.
    Stray,
    /// The message is about something else.
    Other(TelemetryMessage),
}

/// Sends pings and matches their answers.
///
/// Contract: nothing is due before [`Self::open`] and after [`Self::close`]. Call [`Self::poll_due`] and [`Self::poll_clock`]
/// when [`Self::poll_timeout`] has passed; [`Self::ask`] may be called at any time.
#[derive(Debug, Default)]
pub struct Pings {
    next_nonce: u32,
    /// Ordered by age, oldest first.
    open: VecDeque<(u32, Timestamp)>,
    next_at: Option<Timestamp>,
    next_clock_at: Option<Timestamp>,
    clock_pings: u32,
    open_clock_pings: VecDeque<PageTime>,
}

impl Pings {
    /// Notes that the channel opened. The clock is asked for at once; the first ping for liveness follows a second later.
    pub fn open(&mut self, now: Timestamp) {
        (self.next_at, self.next_clock_at) = (Some(now + PING_INTERVAL), Some(now));
    }

    /// Notes that the channel closed for good.
    pub fn close(&mut self) {
        (self.next_at, self.next_clock_at) = (None, None);
    }

    /// Notes that the page slept or was offline: the next ping is due at once.
    pub fn handle_wake(&mut self, now: Timestamp) {
        self.next_at = self.next_at.map(|_| now);
    }

    /// The time at which [`Self::poll_due`] returns a ping.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.next_at
    }

    /// The time at which [`Self::poll_due`] or [`Self::poll_clock`] returns something.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.next_at.into_iter().chain(self.next_clock_at).min()
    }

    /// The number of the ping for liveness, if one is due.
    pub fn poll_due(&mut self, now: Timestamp) -> Option<u32> {
        self.next_at.filter(|due| *due <= now)?;
        // Counted from now and not from when it was due, so that a page that slept does not catch up.
        self.next_at = Some(now + PING_INTERVAL);
        Some(self.ask(now))
    }

    /// The question for the other page's clock, if one is due.
    pub fn poll_clock(&mut self, now: Timestamp) -> Option<TelemetryMessage> {
        self.next_clock_at.filter(|due| *due <= now)?;
        let is_first = self.clock_pings < FIRST_CLOCK_PINGS;
        // Later questions go together with the next ping, so that the page wakes up once for both.
        let with_ping = self.next_at.filter(|at| *at > now).unwrap_or(now + PING_INTERVAL);
        self.next_clock_at = Some(if is_first { now + FIRST_CLOCK_INTERVAL } else { with_ping });
        self.clock_pings = self.clock_pings.saturating_add(1);
        let sent_us = now.page_time();
        if self.open_clock_pings.len() == MAX_OPEN_CLOCK_PINGS {
            self.open_clock_pings.pop_front();
        }
        self.open_clock_pings.push_back(sent_us);
        Some(TelemetryMessage::ClockPing { sent_us })
    }

    /// The number of a further ping that leaves now.
    pub fn ask(&mut self, now: Timestamp) -> u32 {
        let nonce = self.next_nonce;
        self.next_nonce = nonce.saturating_add(1);
        if self.open.len() == MAX_OPEN {
            self.open.pop_front();
        }
        self.open.push_back((nonce, now));
        nonce
    }

    /// The number of the next ping.
    #[must_use]
    pub fn next_nonce(&self) -> u32 {
        self.next_nonce
    }

    /// Age of the oldest pending ping that has a number of at least `first` and was sent after the last answered ping.
    #[must_use]
    pub fn waiting(&self, first: u32, now: Timestamp) -> Duration {
        let oldest = self.open.iter().find(|(nonce, _)| *nonce >= first);
        oldest.map_or(Duration::ZERO, |(_, sent)| now.since(*sent))
    }

    /// Takes a message of the `telemetry` channel.
    pub fn handle(&mut self, message: TelemetryMessage, now: Timestamp) -> Heard {
        match message {
            TelemetryMessage::Ping { nonce } => Heard::Asked(TelemetryMessage::Pong { nonce }),
            TelemetryMessage::ClockPing { sent_us } => Heard::Asked(clock_answer(sent_us, now, now)),
            TelemetryMessage::Pong { nonce } => {
                self.handle_pong(nonce, now).map_or(Heard::Stray, Heard::Answered)
            }
            TelemetryMessage::ClockPong { sent_us, .. } => {
                let Some(at) = self.open_clock_pings.iter().position(|open| *open == sent_us) else {
                    return Heard::Stray;
                };
                self.open_clock_pings.remove(at);
                Heard::Clock(message)
            }
            other => Heard::Other(other),
        }
    }

    fn handle_pong(&mut self, nonce: u32, now: Timestamp) -> Option<Pong> {
        if nonce >= self.next_nonce {
            return None;
        }
        // Older pings are lost, or so late that their answers are useless.
        let round_trip = self.open.iter().position(|(open, _)| *open == nonce).and_then(|at| {
            let (_, sent) = self.open.drain(..=at).next_back()?;
            Some(now.since(sent))
        });
        Some(Pong { nonce, round_trip })
    }
}

/// The answer to a question for the clock that arrived at `received` and is answered at `now`.
#[must_use]
pub fn clock_answer(sent_us: PageTime, received: Timestamp, now: Timestamp) -> TelemetryMessage {
    TelemetryMessage::ClockPong { sent_us, received_us: received.page_time(), answered_us: now.page_time() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    fn pong(pings: &mut Pings, nonce: u32, now: Timestamp) -> Heard {
        pings.handle(TelemetryMessage::Pong { nonce }, now)
    }

    #[test]
    fn pings_of_all_callers_have_distinct_numbers() {
        let mut pings = Pings::default();
        pings.open(ms(0));
        let numbers = [pings.ask(ms(10)), pings.poll_due(ms(1000)).expect("it is due"), pings.ask(ms(1010))];
        assert_eq!(numbers, [0, 1, 2]);
        let answered = Pong { nonce: 1, round_trip: Some(Duration::from_millis(50)) };
        assert_eq!(pong(&mut pings, 1, ms(1050)), Heard::Answered(answered));
        assert_eq!(pings.waiting(0, ms(1060)), Duration::from_millis(50), "that of the last one");
    }

    #[test]
    fn an_answer_that_comes_late_or_twice_has_no_time() {
        let mut pings = Pings::default();
        let (first, second) = (pings.ask(ms(0)), pings.ask(ms(10)));
        assert!(matches!(
            pong(&mut pings, second, ms(30)),
            Heard::Answered(Pong { round_trip: Some(_), .. })
        ));
        for late in [first, second] {
            assert_eq!(
                pong(&mut pings, late, ms(40)),
                Heard::Answered(Pong { nonce: late, round_trip: None })
            );
        }
        assert_eq!(pings.waiting(0, ms(50)), Duration::ZERO);
    }

    #[test]
    fn an_answer_to_a_ping_that_was_never_sent_is_ignored() {
        let mut pings = Pings::default();
        pings.open(ms(0));
        pings.ask(ms(0));
        assert_eq!(pong(&mut pings, 1, ms(5)), Heard::Stray);
        assert_eq!(pong(&mut pings, u32::MAX, ms(5)), Heard::Stray);
        let forged = clock_answer(ms(3).page_time(), ms(9), ms(9));
        assert_eq!(pings.handle(forged, ms(5)), Heard::Stray);
    }

    #[test]
    fn a_clock_answer_counts_once() {
        let mut pings = Pings::default();
        pings.open(ms(7));
        assert_eq!(pings.poll_clock(ms(7)), Some(TelemetryMessage::ClockPing { sent_us: ms(7).page_time() }));
        let answer = clock_answer(ms(7).page_time(), ms(5000), ms(5000));
        assert_eq!(pings.handle(answer.clone(), ms(20)), Heard::Clock(answer.clone()));
        assert_eq!(pings.handle(answer, ms(30)), Heard::Stray);
    }

    #[test]
    fn clock_pings_are_frequent_at_first_and_then_once_a_second() {
        let mut pings = Pings::default();
        pings.open(ms(0));
        let mut now = ms(0);
        let mut sent = Vec::new();
        while now < ms(10_000) {
            if pings.poll_clock(now).is_some() {
                assert_eq!(pings.poll_clock(now), None, "once");
                sent.push(now);
            }
            pings.poll_due(now);
            now = pings.poll_timeout().expect("the channel is open");
        }
        assert_eq!(sent.len(), 8 + 9);
    }

    #[test]
    fn a_ping_is_answered_at_once() {
        let mut pings = Pings::default();
        let asked = pings.handle(TelemetryMessage::Ping { nonce: 7 }, ms(1));
        assert_eq!(asked, Heard::Asked(TelemetryMessage::Pong { nonce: 7 }));
        let sent_us = ms(70_000).page_time();
        let asked = pings.handle(TelemetryMessage::ClockPing { sent_us }, ms(1));
        assert_eq!(asked, Heard::Asked(clock_answer(sent_us, ms(1), ms(1))));
    }

    #[test]
    fn no_ping_is_due_before_the_channel_opens_or_after_it_closes() {
        let mut pings = Pings::default();
        assert_eq!(
            (pings.poll_timeout(), pings.poll_due(ms(9000)), pings.poll_clock(ms(9000))),
            (None, None, None)
        );
        pings.open(ms(0));
        pings.close();
        assert_eq!(
            (pings.poll_timeout(), pings.poll_due(ms(9000)), pings.poll_clock(ms(9000))),
            (None, None, None)
        );
    }

    #[test]
    fn the_number_of_pending_pings_is_bounded() {
        let mut pings = Pings::default();
        pings.open(ms(0));
        for at in 0..10_000 {
            pings.ask(ms(at));
            pings.poll_clock(ms(at));
        }
        assert!(pings.open.len() <= MAX_OPEN && pings.open_clock_pings.len() <= MAX_OPEN_CLOCK_PINGS);
    }
}
