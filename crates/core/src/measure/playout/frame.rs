//! The time between two frames that a viewer saw.

use std::time::Duration;

use super::reported_source::Between;
use crate::{
    Timestamp,
    measure::frame::{ShownFrame, rtp_step_us},
};

/// The time between two frame callbacks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gap {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Number of frames from the first to the last callback.
    pub(super) frames: u32,
    /// Time between the captures of the two frames, by the RTP clock.
    pub(super) captured: Option<Duration>,
    /// Time between the arrivals of the two frames.
    pub(super) received: Option<Duration>,
    /// Number of frames that the source painted between the two, and the time that this took, by their stamps.
    pub(super) source: Option<(u32, Duration)>,
    /// What the source did meanwhile, as its page reports.
    pub(super) reported: Option<ReportedGap>,
}

/// What the source did during a gap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ReportedGap {
    pub(super) between: Between,
    /// Number of the source's frames that the gap can have shown.
    pub(super) shown: u32,
    /// When no frame was due, on the local clock.
    pub(super) declared: Option<(Timestamp, Timestamp)>,
}

impl Gap {
    /// The gap between two frames; `None` if `after` is not later than `before`.
    pub(super) fn between(before: &ShownFrame, after: &ShownFrame) -> Option<Self> {
        if after.shown_at <= before.shown_at {
            return None;
        }
        // The counter starts again with another element, and with another stream.
        let frames = after.presented_frames.checked_sub(before.presented_frames).unwrap_or(1).max(1);
        let captured = before.rtp_timestamp.zip(after.rtp_timestamp).and_then(|(before, after)| {
            // A step backwards means that the stream started again.
            u64::try_from(rtp_step_us(before, after)).ok().map(Duration::from_micros)
        });
        let received = before.received_at.zip(after.received_at).map(|(before, after)| after - before);
        Some(Self {
            from: before.shown_at,
            to: after.shown_at,
            frames,
            captured,
            received,
            source: None,
            reported: None,
        })
    }

    pub(super) fn length(&self) -> Duration {
        self.to - self.from
    }

    /// A silence that lasts until now.
    pub(super) fn silence(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to, frames: 1, captured: None, received: None, source: None, reported: None }
    }

    /// Number of frames from the first to the last that can have shown something new.
    pub(super) fn new_frames(&self) -> u32 {
        self.reported.map_or(self.frames, |reported| reported.shown.min(self.frames))
    }

    /// Average time between two frames of the source, by their stamps; `None` without stamps.
    pub(super) fn source_interval(&self) -> Option<Duration> {
        self.source.and_then(|(frames, time)| time.checked_div(frames))
    }

    /// Average time between two frames in the gap.
    pub(super) fn interval(&self) -> Duration {
        self.length() / self.frames
    }
}
