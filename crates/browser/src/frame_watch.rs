//! `HTMLVideoElement.requestVideoFrameCallback` (WICG video-rvfc), which web-sys lacks.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    fmt,
    rc::{Rc, Weak},
    time::Duration,
};

use js_sys::Function;
use sightline_core::{Timestamp, playout::ShownFrame};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::HtmlVideoElement;

use crate::window::member;

/// Half a minute at 60 frames a second. Of more the oldest are lost, which the count in each frame shows.
const MAX_FRAMES: usize = 2048;

/// Notes every frame that a `<video>` shows. A clone is the same watch; the last one detaches as it is dropped.
///
/// The callback only notes: whoever owns the watch takes what came when it suits, and nothing wakes up for a frame.
#[derive(Clone, Default)]
pub struct FrameWatch(Rc<Shared>);

#[derive(Default)]
struct Shared {
    frames: RefCell<VecDeque<ShownFrame>>,
    attached: RefCell<Option<Attached>>,
}

struct Attached {
    element: VideoShim,
    handle: Cell<u32>,
    callback: Closure<dyn FnMut(f64, JsValue)>,
}

impl FrameWatch {
    /// Watches this element, and no other any more. Where the browser has no frame callbacks nothing is noted.
    pub fn attach(&self, element: &HtmlVideoElement) {
        self.detach();
        if member(element, "requestVideoFrameCallback").is_none() {
            return;
        }
        let shared = Rc::downgrade(&self.0);
        let callback = Closure::<dyn FnMut(f64, JsValue)>::new(move |now_ms, metadata| {
            note(&shared, now_ms, &metadata);
        });
        let element: VideoShim = element.clone().unchecked_into();
        let handle = Cell::new(element.request_video_frame_callback(as_function(&callback)));
        *self.0.attached.borrow_mut() = Some(Attached { element, handle, callback });
    }

    /// Watches nothing any more.
    pub fn detach(&self) {
        // Outside of the borrow: it calls the browser as it goes.
        let attached = self.0.attached.borrow_mut().take();
        drop(attached);
    }

    /// Whether an element is watched, in a browser that can.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.0.attached.borrow().is_some()
    }

    /// The frames since this was asked last, oldest first.
    #[must_use]
    pub fn take(&self) -> VecDeque<ShownFrame> {
        std::mem::take(&mut *self.0.frames.borrow_mut())
    }
}

impl fmt::Debug for FrameWatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("FrameWatch")
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.element.cancel_video_frame_callback(self.handle.get());
    }
}

fn note(shared: &Weak<Shared>, now_ms: f64, metadata: &JsValue) {
    let Some(shared) = shared.upgrade() else { return };
    if let Some(attached) = &*shared.attached.borrow() {
        // Each call is for one frame.
        attached.handle.set(attached.element.request_video_frame_callback(as_function(&attached.callback)));
    }
    let mut frames = shared.frames.borrow_mut();
    if frames.len() == MAX_FRAMES {
        frames.pop_front();
    }
    frames.push_back(read(now_ms, metadata));
}

fn read(now_ms: f64, metadata: &JsValue) -> ShownFrame {
    let number = |name: &str| member(metadata, name).and_then(|value| value.as_f64());
    let time = |name: &str| number(name).map(to_timestamp);
    let count = |name: &str| number(name).unwrap_or_default() as u32;
    ShownFrame {
        shown_at: time("presentationTime").unwrap_or_else(|| to_timestamp(now_ms)),
        presented_frames: count("presentedFrames"),
        width: count("width"),
        height: count("height"),
        rtp_timestamp: number("rtpTimestamp").map(|ticks| ticks as u32),
        received_at: time("receiveTime"),
        captured_at: time("captureTime"),
        processing: number("processingDuration")
            .map(|seconds| Duration::from_secs_f64(seconds.clamp(0.0, 60.0))),
    }
}

fn to_timestamp(ms: f64) -> Timestamp {
    Timestamp::from_origin(Duration::from_micros((ms * 1000.0) as u64))
}

fn as_function(callback: &Closure<dyn FnMut(f64, JsValue)>) -> &Function {
    callback.as_ref().unchecked_ref()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = HtmlVideoElement, js_name = HTMLVideoElement)]
    type VideoShim;

    #[wasm_bindgen(method, js_name = requestVideoFrameCallback)]
    fn request_video_frame_callback(this: &VideoShim, callback: &Function) -> u32;

    #[wasm_bindgen(method, js_name = cancelVideoFrameCallback)]
    fn cancel_video_frame_callback(this: &VideoShim, handle: u32);
}
