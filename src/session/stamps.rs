//! Reading the stamps of a member's frames as its tile shows them, and what is true of them.

use std::time::Duration;

use sightline_browser::{
    clock,
    frame_callback::{FrameCallback, VideoElement, expected_display_time, presented_frames},
    queue::EventSink,
    strip_reader::{StripReader, StripReading},
};
use sightline_core::{
    Timestamp,
    clock::ClockEstimate,
    stamp::{FrameLog, FrameTruth},
};

/// Of how many readings the cost is the mean: about a second of them.
const COST_READINGS: u32 = 30;

/// What was read of one frame, and when it is seen.
#[derive(Debug, Clone, Copy)]
pub struct ReadFrame {
    reading: StripReading,
    shown_at: Timestamp,
    presented_frames: Option<u32>,
}

/// The stamped frames of one member. It outlives the element that shows them.
#[derive(Default)]
pub struct Stamps {
    frames: Option<FrameCallback>,
    log: FrameLog,
    /// `presentedFrames` of the frame before.
    presented: Option<u32>,
    cost: Duration,
}

/// What the page shows of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StampFigures {
    /// What is true of the frames.
    pub truth: FrameTruth,
    /// What reading a stamp takes of this page's thread, on average of the last second.
    pub read_cost: Duration,
}

impl Stamps {
    /// Reads what this element shows from now on, or nothing any more.
    pub fn watch(&mut self, element: Option<&VideoElement>, sink: EventSink<ReadFrame>) {
        self.frames = None;
        self.presented = None;
        let (Some(element), Ok(reader)) = (element, StripReader::new()) else { return };
        let video = element.clone();
        self.frames = FrameCallback::new(element, move |metadata| {
            let shown_at = expected_display_time(metadata).unwrap_or_else(clock::now);
            let presented_frames = presented_frames(metadata);
            sink.push(ReadFrame { reading: reader.read(&video), shown_at, presented_frames });
        });
    }

    /// Whether an element is read.
    pub fn is_watching(&self) -> bool {
        self.frames.is_some()
    }

    /// Takes what was read.
    pub fn handle_frame(&mut self, frame: ReadFrame, clock: Option<ClockEstimate>) {
        if let (Some(before), Some(now)) = (self.presented, frame.presented_frames) {
            self.log.handle_unseen(now.saturating_sub(before.saturating_add(1)));
        }
        self.presented = frame.presented_frames;
        self.log.handle_frame(frame.reading.stamp, frame.shown_at, clock);
        self.cost = (self.cost * (COST_READINGS - 1) + frame.reading.cost) / COST_READINGS;
    }

    /// What there is to show.
    pub fn figures(&self) -> StampFigures {
        StampFigures { truth: self.log.truth(), read_cost: self.cost }
    }
}
