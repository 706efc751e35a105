//! Notes every frame that a `<video>` shows, and its stamp if it carries one.

use std::{cell::RefCell, collections::VecDeque, fmt, rc::Rc, time::Duration};

use sightline_core::{
    Timestamp, duration_of_seconds,
    measure::{NotedFrame, ShownFrame},
};
use wasm_bindgen::JsValue;
use web_sys::HtmlVideoElement;

use super::{frame_callback::FrameCallback, strip_reader::StripReader};
use crate::page::window::member;

/// Half a minute at 60 frames per second. Of more frames the oldest are lost, which the count in each frame reveals.
const MAX_FRAMES: usize = 2048;

/// Notes every frame that a `<video>` shows. Clones share one watch; the last one detaches when it is dropped.
///
/// The callback only appends to a list, which the owner takes at any time; no task wakes up for a frame.
#[derive(Clone, Default)]
pub struct FrameWatch(Rc<Shared>);

#[derive(Default)]
struct Shared {
    frames: RefCell<VecDeque<NotedFrame>>,
    attached: RefCell<Option<FrameCallback>>,
    /// Present while stamps are to be read.
    reader: RefCell<Option<StripReader>>,
}

impl FrameWatch {
    /// Watches this element instead of the earlier one. Without frame callbacks in the browser, nothing is noted.
    pub fn attach(&self, element: &HtmlVideoElement) {
        self.detach();
        let (shared, video) = (Rc::downgrade(&self.0), element.clone());
        let attached = FrameCallback::new(element, move |now_ms, metadata| {
            if let Some(shared) = shared.upgrade() {
                shared.note(&video, now_ms, metadata);
            }
        });
        *self.0.attached.borrow_mut() = attached;
    }

    /// Stops watching the element, and keeps the noted frames.
    pub fn detach(&self) {
        // Dropped outside of the borrow, since dropping it calls the browser.
        let attached = self.0.attached.borrow_mut().take();
        drop(attached);
    }

    /// Sets whether to read the stamp of every frame (known-source mode).
    pub fn read_stamps(&self, is_stamped: bool) {
        // Without a canvas no stamp can be read, and no frame has a reading.
        let reader = is_stamped.then(StripReader::new).and_then(Result::ok);
        *self.0.reader.borrow_mut() = reader;
    }

    /// Whether an element is watched, in a browser with frame callbacks.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.0.attached.borrow().is_some()
    }

    /// The frames since the last call, oldest first.
    #[must_use]
    pub fn take(&self) -> VecDeque<NotedFrame> {
        std::mem::take(&mut *self.0.frames.borrow_mut())
    }
}

impl Shared {
    fn note(&self, video: &HtmlVideoElement, now_ms: f64, metadata: &JsValue) {
        let stamp =
            self.reader.borrow().as_ref().map(|reader| {
                reader.read(video, member(metadata, "mediaTime").and_then(|time| time.as_f64()))
            });
        let mut frames = self.frames.borrow_mut();
        if frames.len() == MAX_FRAMES {
            frames.pop_front();
        }
        frames.push_back(NotedFrame { shown: read(now_ms, metadata), stamp });
    }
}

impl fmt::Debug for FrameWatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FrameWatch")
    }
}

fn read(now_ms: f64, metadata: &JsValue) -> ShownFrame {
    let number = |name: &str| member(metadata, name).and_then(|value| value.as_f64());
    let time = |name: &str| number(name).map(to_timestamp);
    let count = |name: &str| number(name).unwrap_or_default() as u32;
    let shown_at = time("presentationTime").unwrap_or_else(|| to_timestamp(now_ms));
    ShownFrame {
        shown_at,
        seen_at: time("expectedDisplayTime").unwrap_or(shown_at),
        presented_frames: count("presentedFrames"),
        width: count("width"),
        height: count("height"),
        rtp_timestamp: number("rtpTimestamp").map(|ticks| ticks as u32),
        received_at: time("receiveTime"),
        captured_at: time("captureTime"),
        processing: number("processingDuration").and_then(duration_of_seconds),
    }
}

fn to_timestamp(ms: f64) -> Timestamp {
    Timestamp::from_origin(Duration::from_micros((ms * 1000.0) as u64))
}
