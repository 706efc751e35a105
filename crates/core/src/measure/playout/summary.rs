//! The totals of a measurement.

use std::time::Duration;

use super::{GapHistogram, Score};
use crate::measure::{metric::Metric, sound::SoundSummary};

/// What is known at one moment. `None` is "not reported" or "nothing yet", never zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlayoutSummary {
    /// From when a picture was expected until the first frame was shown.
    pub time_to_first_frame: Option<Duration>,
    /// From the first frame until now.
    pub watched: Option<Duration>,
    /// Of [`Self::watched`], in which standing still was no stall.
    pub marked: Duration,
    /// Stalls, the one that lasts included.
    pub stall_count: u32,
    /// Their lengths together.
    pub stall_time: Duration,
    /// The longest.
    pub longest_stall: Duration,
    /// [`Self::stall_time`] of [`Self::watched`].
    pub stall_ratio: Option<f64>,
    /// [`Self::stall_count`] by the minutes of [`Self::watched`].
    pub stalls_per_minute: Option<f64>,
    /// Stalls by what was usual for the viewer, whatever the source's rate.
    pub usual_stall_count: u32,
    /// Their lengths together.
    pub usual_stall_time: Duration,
    /// [`Self::usual_stall_time`] of [`Self::watched`].
    pub usual_stall_ratio: Option<f64>,
    /// Frames a second that the source had, where it is known.
    pub source_frames_per_second: Option<f64>,
    /// Of these, the part that was not shown.
    pub lower_rate_ratio: Option<f64>,
    /// Bytes of the picture's RTP payload that arrived.
    pub bytes: Option<f64>,
    /// Of all of [`Self::bytes`].
    pub mean_bitrate_bps: Option<f64>,
    /// Between the last two reports.
    pub bitrate_bps: Option<f64>,
    /// Packets lost, of all that should have come.
    pub loss_ratio: Option<f64>,
    /// `framesReceived`
    pub frames_received: Option<f64>,
    /// `framesDecoded`
    pub frames_decoded: Option<f64>,
    /// `framesDropped`
    pub frames_dropped: Option<f64>,
    /// Frames that were shown; `None` where the browser has no frame callbacks.
    pub frames_presented: Option<u32>,
    /// [`Self::frames_presented`] by the time watched that was not marked.
    pub frames_per_second: Option<f64>,
    /// Width and height of the last frame, in pixels.
    pub resolution: Option<(u32, u32)>,
    /// `freezeCount`: the browser's own stalls, of its own definition.
    pub freeze_count: Option<f64>,
    /// `totalFreezesDuration`
    pub total_freezes_duration_s: Option<f64>,
    /// How long frames were shown.
    pub gaps: GapHistogram,
    /// From 1 to 5, once a frame was shown.
    pub score: Option<Score>,
    /// How the sound arrived.
    pub sound: SoundSummary,
}

impl PlayoutSummary {
    /// The number of a row, in its base unit; `None` for every other metric, and where there is none.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let once_watched = |number: f64| self.watched.map(|_| number);
        match metric {
            Metric::StallRatio => self.stall_ratio,
            Metric::StallCount => once_watched(f64::from(self.stall_count)),
            Metric::StallTime => once_watched(self.stall_time.as_secs_f64()),
            Metric::LongestStall => once_watched(self.longest_stall.as_secs_f64()),
            Metric::StallsPerMinute => self.stalls_per_minute,
            Metric::TimeToFirstFrame => self.time_to_first_frame.map(|time| time.as_secs_f64()),
            Metric::FramesPresented => self.frames_presented.map(f64::from),
            Metric::FramesReceived => self.frames_received,
            Metric::FramesDecoded => self.frames_decoded,
            Metric::MeanReceiveBitrate => self.mean_bitrate_bps,
            Metric::BytesReceived => self.bytes,
            Metric::UsualStallRatio => self.usual_stall_ratio,
            Metric::SourceFramesPerSecond => self.source_frames_per_second,
            Metric::LowerRateRatio => self.lower_rate_ratio,
            _ => self.sound.value(metric),
        }
    }
}
