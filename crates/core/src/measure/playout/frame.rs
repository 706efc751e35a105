//! The time between two frames that a viewer saw.

use std::time::Duration;

use crate::{Timestamp, measure::frame::ShownFrame};

/// Ticks a second of every video codec's RTP clock (RFC 6184, 7741, 9628: 90 kHz).
const RTP_CLOCK_HZ: u64 = 90_000;

/// The time between two calls for shown frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gap {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// How many frames further the picture was at its end.
    pub(super) frames: u32,
    /// How much later the last was captured than the first, by the RTP clock.
    pub(super) captured: Option<Duration>,
    /// How much later the last was received than the first.
    pub(super) received: Option<Duration>,
    /// How many frames the source painted from the first to the last, and in what time, by their stamps.
    pub(super) source: Option<(u32, Duration)>,
}

impl Gap {
    /// `None` where `after` is not later than `before`.
    pub(super) fn between(before: &ShownFrame, after: &ShownFrame) -> Option<Self> {
        if after.shown_at <= before.shown_at {
            return None;
        }
        // It begins anew with another element, and with another stream.
        let frames = after.presented_frames.checked_sub(before.presented_frames).unwrap_or(1).max(1);
        let captured = before.rtp_timestamp.zip(after.rtp_timestamp).and_then(|(before, after)| {
            let ticks = after.wrapping_sub(before);
            // Half the circle back is a stream that began anew.
            (ticks < u32::MAX / 2).then(|| Duration::from_micros(u64::from(ticks) * 1_000_000 / RTP_CLOCK_HZ))
        });
        let received = before.received_at.zip(after.received_at).map(|(before, after)| after - before);
        Some(Self { from: before.shown_at, to: after.shown_at, frames, captured, received, source: None })
    }

    pub(super) fn length(&self) -> Duration {
        self.to - self.from
    }

    /// From one frame of the source to its next, where stamps tell.
    pub(super) fn source_interval(&self) -> Option<Duration> {
        self.source.and_then(|(frames, time)| time.checked_div(frames))
    }

    /// From one frame to the next, on average.
    pub(super) fn interval(&self) -> Duration {
        self.length() / self.frames
    }
}
