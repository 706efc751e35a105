//! How long frames were on their way, by their own clocks: the time of arrival minus the time of capture.

use std::{collections::VecDeque, time::Duration};

use super::frame::RTP_CLOCK_HZ;
use crate::{Timestamp, measure::frame::ShownFrame};

/// Number of frames that are kept: twenty seconds at 60 frames per second.
const MAX_FRAMES: usize = 1200;

/// A frame that arrived, and how long it was on its way, in microseconds beyond an unknown constant.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    at: Timestamp,
    way_us: i64,
}

/// The ways of the last frames. The constant in them is the difference of two clocks, so only differences mean something.
#[derive(Debug, Clone, Default)]
pub(super) struct Transits {
    frames: VecDeque<Arrived>,
    /// The last frame's RTP timestamp, and its capture in microseconds since the first frame's.
    last: Option<(u32, i64)>,
}

impl Transits {
    pub(super) fn handle_frame(&mut self, frame: &ShownFrame) {
        let Some((ticks, at)) = frame.rtp_timestamp.zip(frame.received_at) else { return };
        let captured_us = match self.last {
            Some((last, captured_us)) => {
                let passed = ticks.wrapping_sub(last);
                if passed >= u32::MAX / 2 {
                    // The stream started again, with another constant.
                    self.frames.clear();
                    0
                } else {
                    captured_us + i64::from(passed) * 1_000_000 / i64::try_from(RTP_CLOCK_HZ).unwrap_or(1)
                }
            }
            None => 0,
        };
        self.last = Some((ticks, captured_us));
        let received_us = i64::try_from(at.since_origin().as_micros()).unwrap_or(i64::MAX);
        self.frames.push_back(Arrived { at, way_us: received_us.saturating_sub(captured_us) });
        if self.frames.len() > MAX_FRAMES {
            self.frames.pop_front();
        }
    }

    /// How much longer than the usual way before a stall the frames were on their way after it: the shortest and the longest, for the
    /// frames that arrived between `from` and `to`. `None` if frames on one side are unknown.
    pub(super) fn longer(
        &self,
        before: (Timestamp, Timestamp),
        after: (Timestamp, Timestamp),
    ) -> Option<(Duration, Duration)> {
        let within = |(from, to): (Timestamp, Timestamp)| {
            let mut ways: Vec<_> = self
                .frames
                .iter()
                .filter(|frame| from <= frame.at && frame.at <= to)
                .map(|frame| frame.way_us)
                .collect();
            ways.sort_unstable();
            ways
        };
        let before = within(before);
        let usual = *before.get(before.len() / 2)?;
        let after = within(after);
        let beyond = |way: &i64| Duration::from_micros(u64::try_from(way - usual).unwrap_or(0));
        // Single frames that were sent again do not count.
        Some((beyond(after.get(after.len() / 10)?), beyond(after.get(after.len() * 9 / 10)?)))
    }
}
