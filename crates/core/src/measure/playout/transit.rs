//! The transit times of frames: the time of arrival minus the time of capture.

use std::{collections::VecDeque, time::Duration};

use crate::{
    Timestamp,
    measure::frame::{ShownFrame, rtp_step_us},
    short_list,
};

/// Number of frames that are kept: twenty seconds at 60 frames per second.
const MAX_FRAMES: usize = 1200;

/// A frame that arrived, and its transit time plus an unknown constant.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    at: Timestamp,
    transit_us: i64,
}

/// The transit times of the last frames. Their constant is the difference of two clocks, so only differences have a meaning.
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
                let step_us = rtp_step_us(last, ticks);
                if step_us < 0 {
                    // The stream started again, with another constant.
                    self.frames.clear();
                    0
                } else {
                    captured_us + step_us
                }
            }
            None => 0,
        };
        self.last = Some((ticks, captured_us));
        let received_us = i64::try_from(at.since_origin().as_micros()).unwrap_or(i64::MAX);
        self.frames.push_back(Arrived { at, transit_us: received_us.saturating_sub(captured_us) });
        if self.frames.len() > MAX_FRAMES {
            self.frames.pop_front();
        }
    }

    /// The increase of the transit time from the frames that arrived in the time `before` to those that arrived in the time `after`: the
    /// shortest and the longest. `None` if no frame arrived in one of these times.
    pub(super) fn longer(
        &self,
        before: (Timestamp, Timestamp),
        after: (Timestamp, Timestamp),
    ) -> Option<(Duration, Duration)> {
        let within = |(from, to): (Timestamp, Timestamp)| {
            let mut transits: Vec<_> = self
                .frames
                .iter()
                .filter(|frame| from <= frame.at && frame.at <= to)
                .map(|frame| frame.transit_us)
                .collect();
            short_list::sort(&mut transits);
            transits
        };
        let before = within(before);
        let usual = *before.get(before.len() / 2)?;
        let after = within(after);
        let beyond = |transit: &i64| Duration::from_micros(u64::try_from(transit - usual).unwrap_or(0));
        // Single frames that needed a retransmission do not count.
        Some((beyond(after.get(after.len() / 10)?), beyond(after.get(after.len() * 9 / 10)?)))
    }
}
