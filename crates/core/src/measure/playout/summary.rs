//! The totals of a measurement.

use std::time::Duration;

use super::{GapHistogram, Score};
use crate::measure::{metric::Metric, sound::SoundSummary};

/// By what the frames of a source are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKnownBy {
    /// Every frame carries a stamp.
    Stamps,
    /// The page that plays the file reports which frames it showed, and when.
    Frames,
    /// The sender reports once a second how many frames its source delivered, including repeated ones.
    Counts,
}

impl SourceKnownBy {
    /// The stable word for exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stamps => "stamps",
            Self::Frames => "frames",
            Self::Counts => "counts",
        }
    }
}

/// The totals at one moment. `None` means "not reported" or "nothing yet". Zero never stands for a missing value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlayoutSummary {
    /// Time from the moment at which a picture was expected to the first frame.
    pub time_to_first_frame: Option<Duration>,
    /// Time since the first frame.
    pub watched: Option<Duration>,
    /// The part of [`Self::watched`] that marks cover.
    pub marked: Duration,
    /// Number of stalls, including one that has not ended.
    pub stall_count: u32,
    /// Total length of the stalls.
    pub stall_time: Duration,
    /// Length of the longest stall.
    pub longest_stall: Duration,
    /// [`Self::stall_time`] divided by [`Self::watched`].
    pub stall_ratio: Option<f64>,
    /// [`Self::stall_count`] divided by the minutes of [`Self::watched`].
    pub stalls_per_minute: Option<f64>,
    /// Number of stalls relative to the usual interval, regardless of the source's rate.
    pub usual_stall_count: u32,
    /// Total length of these stalls.
    pub usual_stall_time: Duration,
    /// [`Self::usual_stall_time`] divided by [`Self::watched`].
    pub usual_stall_ratio: Option<f64>,
    /// By what the source's rate is known.
    pub source_known_by: Option<SourceKnownBy>,
    /// Number of frames that the source showed while its page reported them.
    pub source_frames: Option<u32>,
    /// How many of [`Self::source_frames`] were shown here, at most.
    pub source_frames_presented: Option<u32>,
    /// The source's frames per second, if known.
    pub source_frames_per_second: Option<f64>,
    /// The share of the source's frames that was not shown.
    pub lower_rate_ratio: Option<f64>,
    /// Bytes of the picture's RTP payload that arrived.
    pub bytes: Option<f64>,
    /// Mean bitrate of [`Self::bytes`] over the measurement.
    pub mean_bitrate_bps: Option<f64>,
    /// Bitrate between the last two reports.
    pub bitrate_bps: Option<f64>,
    /// Lost packets divided by expected packets.
    pub loss_ratio: Option<f64>,
    /// Number of complete frames received (`framesReceived`).
    pub frames_received: Option<f64>,
    /// Number of frames decoded (`framesDecoded`).
    pub frames_decoded: Option<f64>,
    /// Number of frames dropped before display (`framesDropped`).
    pub frames_dropped: Option<f64>,
    /// Number of frames that were shown; `None` if the browser has no frame callbacks.
    pub frames_presented: Option<u32>,
    /// Frames shown per second of unmarked time.
    pub frames_per_second: Option<f64>,
    /// Width and height of the last frame, in pixels.
    pub resolution: Option<(u32, u32)>,
    /// `freezeCount`: the browser's own count of stalls, which it defines differently.
    pub freeze_count: Option<f64>,
    /// Total length of the browser's own freezes in seconds (`totalFreezesDuration`).
    pub total_freezes_duration_s: Option<f64>,
    /// Histogram of how long frames were shown.
    pub gaps: GapHistogram,
    /// The score; `None` before the first frame.
    pub score: Option<Score>,
    /// The totals of the sound.
    pub sound: SoundSummary,
}

impl PlayoutSummary {
    /// The number for a row, in its base unit; `None` for metrics of other sources, and if there is no value.
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
            Metric::SourceFrames => self.source_frames.map(f64::from),
            Metric::SourceFramesPresented => self.source_frames_presented.map(f64::from),
            Metric::SourceFramesPerSecond => self.source_frames_per_second,
            Metric::LowerRateRatio => self.lower_rate_ratio,
            _ => self.sound.value(metric),
        }
    }
}
