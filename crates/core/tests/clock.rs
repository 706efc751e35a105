//! Estimating another page's clock from pings.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    measure::clock::{ClockEstimate, ClockSync},
    ping::clock_answer,
};
use sightline_protocol::{bounded::UpTo, telemetry::TelemetryMessage};

/// The local clock at the beginning of the test.
const BEGIN_US: i64 = 5_000_000;
const SECOND_US: i64 = 1_000_000;

/// Two pages: the other page's clock, and the delays of the path.
struct World {
    sync: ClockSync,
    offset_us: i64,
    drift_per_million: i64,
    /// The resolution of both clocks.
    step_us: i64,
    now_us: i64,
}

impl World {
    fn new(offset_us: i64, drift_per_million: i64, step_us: i64) -> Self {
        Self { sync: ClockSync::default(), offset_us, drift_per_million, step_us, now_us: BEGIN_US }
    }

    fn ours(&self) -> Timestamp {
        at(self.now_us / self.step_us * self.step_us)
    }

    fn true_offset_us(&self) -> i64 {
        self.offset_us + (self.now_us - BEGIN_US) * self.drift_per_million / SECOND_US
    }

    fn theirs(&self) -> Timestamp {
        at((self.now_us + self.true_offset_us()) / self.step_us * self.step_us)
    }

    /// Exchanges a ping and its answer with these delays: to the other page, in the other page, and back.
    fn exchange(&mut self, there_us: i64, answering_us: i64, back_us: i64) {
        let sent_us = self.ours().page_time();
        self.now_us += there_us;
        let received = self.theirs();
        self.now_us += answering_us;
        let TelemetryMessage::ClockPong { sent_us, received_us, answered_us } =
            clock_answer(sent_us, received, self.theirs())
        else {
            panic!("an answer")
        };
        self.now_us += back_us;
        self.sync.handle_pong(sent_us, received_us, answered_us, self.ours());
    }

    fn wait_us(&mut self, us: i64) {
        self.now_us += us;
    }

    fn estimate(&self) -> ClockEstimate {
        self.sync.estimate(self.ours()).expect("there was an exchange")
    }

    fn error_us(&self) -> i64 {
        (self.estimate().offset_us - self.true_offset_us()).abs()
    }
}

fn at(us: i64) -> Timestamp {
    Timestamp::from_origin(Duration::from_micros(us.unsigned_abs()))
}

proptest! {
    #[test]
    fn the_error_of_the_offset_never_exceeds_the_estimated_bound(
        offset_us in -4 * SECOND_US..3600 * SECOND_US,
        drift_per_million in -90_i64..90,
        step_us in prop_oneof![Just(1_i64), Just(100), Just(1000)],
        ways in prop::collection::vec((0..300_000_i64, 0..5000_i64, 0..300_000_i64, 1..3 * SECOND_US), 1..60),
    ) {
        let mut world = World::new(offset_us, drift_per_million, step_us);
        for (there, answering, back, pause) in ways {
            world.exchange(there, answering, back);
            let bound = i64::try_from(world.estimate().error.as_micros()).unwrap();
            prop_assert!(world.error_us() <= bound + 1, "{} > {bound}", world.error_us());
            world.wait_us(pause.max(SECOND_US));
        }
    }
}

#[test]
fn one_quick_exchange_among_slow_ones_determines_the_offset() {
    let mut world = World::new(7_000_000, 0, 1);
    for way in [(200_000, 50_000), (80_000, 300_000), (900, 1100), (250_000, 120_000)] {
        world.exchange(way.0, 0, way.1);
        world.wait_us(SECOND_US);
    }
    assert!(world.error_us() <= 100, "{} us", world.error_us());
    assert!(world.estimate().error < Duration::from_millis(3), "{:?}", world.estimate());
}

#[test]
fn the_offset_is_corrected_after_the_other_computer_slept() {
    let mut world = World::new(0, 0, 1);
    world.exchange(1000, 0, 1000);
    world.offset_us = -60 * SECOND_US;
    world.wait_us(120 * SECOND_US);
    world.exchange(1000, 0, 1000);
    assert!(world.error_us() <= 10, "{} us", world.error_us());
}

#[test]
fn impossible_clock_answers_are_ignored() {
    let mut sync = ClockSync::default();
    for (sent, received, answered, now) in
        [(u64::MAX, 0, 0, 9), (10, 5, 4, 20), (30, 0, 0, 20), (0, 0, 5000, 20), (0, 0, 0, 60_000_000)]
    {
        let [sent, received, answered] = [sent, received, answered].map(UpTo::saturating);
        sync.handle_pong(sent, received, answered, at(now));
    }
    assert_eq!(sync.estimate(at(100)), None);
}

#[test]
fn the_arrival_estimate_assumes_the_delay_of_the_quickest_message() {
    let mut sync = ClockSync::default();
    let told = |ms: i64| at(ms * 1000).page_time();
    assert_eq!(sync.arrival(told(70_000)), None, "nothing came yet");
    sync.handle_arrival(told(70_000), at(5_020_000));
    // This answer was delayed.
    sync.handle_arrival(told(71_000), at(6_500_000));
    assert_eq!(sync.arrival(told(71_000)), Some(at(6_020_000)));
    let mut world = World::new(65_000_000, 0, 1);
    world.exchange(30_000, 0, 10_000);
    let left = at(world.now_us + world.true_offset_us()).page_time();
    assert_eq!(world.sync.arrival(left), Some(at(world.now_us + 10_000)), "an answer says so too");
}

#[test]
fn a_clock_that_was_set_back_is_believed_after_half_a_minute() {
    let mut sync = ClockSync::default();
    let told = |second: u64| Timestamp::from_origin(Duration::from_secs(second)).page_time();
    sync.handle_arrival(told(1000), at(0));
    for second in 1..=60 {
        sync.handle_arrival(told(second), at(SECOND_US * i64::try_from(second).unwrap()));
    }
    assert_eq!(sync.arrival(told(61)), Some(at(61 * SECOND_US)));
}
