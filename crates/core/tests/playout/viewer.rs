//! A source whose frames are shown on a display, in simulated time.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame,
        playout::{PlayoutMeter, Stall},
    },
};

/// A frame can be shown only at a refresh of the display.
pub(crate) const REFRESH_US: u64 = 16_667;

pub(crate) fn ms(ms: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(ms))
}

/// Plays frames into a meter. Only the display's refresh makes times inexact.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) meter: PlayoutMeter,
    interval_us: u64,
    /// The time at which the next frame is due.
    due_us: u64,
    captured_us: u64,
    presented: u32,
    /// The time at which the last frame was shown.
    shown_us: u64,
}

impl Viewer {
    pub(crate) fn at_fps(fps: u64) -> Self {
        Self {
            meter: PlayoutMeter::new(Timestamp::ZERO),
            interval_us: 1_000_000 / fps,
            due_us: 1_000_000,
            captured_us: 0,
            presented: 0,
            shown_us: 0,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_origin(Duration::from_micros(self.due_us))
    }

    /// The time at which the last frame was shown.
    pub(crate) fn shown_at(&self) -> Timestamp {
        Timestamp::from_origin(Duration::from_micros(self.shown_us))
    }

    pub(crate) fn set_fps(&mut self, fps: u64) {
        self.interval_us = 1_000_000 / fps;
    }

    pub(crate) fn play(&mut self, duration_ms: u64) {
        let end = self.due_us + duration_ms * 1000;
        while self.due_us < end {
            self.show(0);
        }
    }

    /// Shows the next frame, `late_us` after it is due, because it arrived late.
    pub(crate) fn show(&mut self, late_us: u64) {
        self.present(late_us, late_us);
    }

    /// Shows the next frame, `late_us` after it is due, although it arrived in time.
    pub(crate) fn hold_back(&mut self, late_us: u64) {
        self.present(late_us, 0);
    }

    fn present(&mut self, late_us: u64, received_late_us: u64) {
        let shown_at = |late_us: u64| (self.due_us + late_us).div_ceil(REFRESH_US) * REFRESH_US;
        let (shown_us, received_us) = (shown_at(late_us), shown_at(received_late_us) - 10_000);
        self.shown_us = shown_us;
        self.presented += 1;
        let frame = ShownFrame {
            shown_at: Timestamp::from_origin(Duration::from_micros(shown_us)),
            presented_frames: self.presented,
            width: 640,
            height: 360,
            rtp_timestamp: Some((self.captured_us * 9 / 100) as u32),
            received_at: Some(Timestamp::from_origin(Duration::from_micros(received_us))),
            ..ShownFrame::default()
        };
        self.meter.handle_frame(frame, frame.shown_at);
        self.due_us += self.interval_us;
        self.captured_us += self.interval_us;
    }

    /// Shows frames without a callback for them.
    pub(crate) fn play_unseen(&mut self, frames: u32) {
        self.presented += frames;
        self.due_us += self.interval_us * u64::from(frames);
        self.captured_us += self.interval_us * u64::from(frames);
    }

    /// The source delivers no frames for this long.
    pub(crate) fn stop_for(&mut self, duration_ms: u64) {
        self.due_us += duration_ms * 1000;
        self.captured_us += duration_ms * 1000;
    }

    /// The source continues, and no frame is shown for this long.
    pub(crate) fn stall_for(&mut self, duration_ms: u64) {
        self.due_us += duration_ms * 1000;
    }

    pub(crate) fn stalls(&mut self) -> Vec<Stall> {
        let now = self.now();
        self.meter.finish(now);
        self.meter.stalls(now)
    }
}

/// Checks that there is one stall of this length, within a refresh of the display.
pub(crate) fn assert_one(stalls: &[Stall], duration_ms: u64) {
    let [stall] = stalls else { panic!("not one stall: {stalls:?}") };
    let off = stall.duration.as_secs_f64() * 1e3 - duration_ms as f64;
    assert!(off.abs() <= 17.0, "{duration_ms} ms was reported as {stall:?}");
}
