//! A frame that was shown to a viewer.

use std::time::Duration;

use crate::Timestamp;

/// The metadata of `requestVideoFrameCallback` for a frame (WICG video-rvfc, `VideoFrameCallbackMetadata`).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ShownFrame {
    /// `presentationTime`: when the frame was submitted for composition.
    pub shown_at: Timestamp,
    /// `expectedDisplayTime`: when the frame is expected on the display.
    pub seen_at: Timestamp,
    /// `presentedFrames`: number of frames submitted for composition so far. The number grows by more than one if the page was
    /// too busy for a callback per frame.
    pub presented_frames: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `rtpTimestamp`; `None` if the browser does not report it.
    pub rtp_timestamp: Option<u32>,
    /// `receiveTime`: when the frame's last packet arrived; `None` if the browser does not report it.
    pub received_at: Option<Timestamp>,
    /// `captureTime`: when the sender captured the frame, on this browser's clock; `None` if the browser has no estimate.
    pub captured_at: Option<Timestamp>,
    /// `processingDuration`: time from the encoded frame's submission to the decoder until it was decoded.
    pub processing: Option<Duration>,
}

/// The time from one RTP timestamp to another, in microseconds; negative if it is backwards, that is by half the range or more. The
/// clock rate is 90 kHz for all video codecs (RFC 6184, 7741, 9628).
#[expect(clippy::cast_possible_wrap, reason = "a step of half the range or more is backwards")]
pub(crate) fn rtp_step_us(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32) * 100 / 9
}
