//! A frame that a viewer saw.

use std::time::Duration;

use crate::Timestamp;

/// What `requestVideoFrameCallback` says of a frame (WICG video-rvfc, `VideoFrameCallbackMetadata`).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ShownFrame {
    /// `presentationTime`: when it was handed over for composition.
    pub shown_at: Timestamp,
    /// `expectedDisplayTime`: when the display is expected to show it.
    pub seen_at: Timestamp,
    /// `presentedFrames`: frames handed over for composition so far. It grows by more than one where the page was too
    /// busy to be called for each.
    pub presented_frames: u32,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `rtpTimestamp`, where the browser tells it.
    pub rtp_timestamp: Option<u32>,
    /// `receiveTime`: when its last packet came, where the browser tells it.
    pub received_at: Option<Timestamp>,
    /// `captureTime`: when the sender captured it, on this browser's clock, where the browser estimates it.
    pub captured_at: Option<Timestamp>,
    /// `processingDuration`: how long it took from the packet to the decoded picture.
    pub processing: Option<Duration>,
}
