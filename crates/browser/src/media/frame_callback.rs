//! Calls back for every frame that a `<video>` shows (WICG video-rvfc).

use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::{Rc, Weak},
};

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::HtmlVideoElement;

use crate::page::window::member;

/// Frame callbacks of one element until it is dropped.
pub struct FrameCallback(Rc<Inner>);

/// `VideoFrameRequestCallback`: the time now, and the frame's metadata.
type OnFrame = dyn FnMut(f64, JsValue);

struct Inner {
    video: HtmlVideoElement,
    handle: Cell<Option<u32>>,
    closure: RefCell<Option<Closure<OnFrame>>>,
}

impl FrameCallback {
    /// Calls `on_frame` with the time in milliseconds and the frame's metadata (`VideoFrameCallbackMetadata`) for each frame;
    /// `None` where the browser has no frame callbacks. `on_frame` only paints or takes notes; it never runs application code.
    #[must_use]
    pub fn new(video: &HtmlVideoElement, mut on_frame: impl FnMut(f64, &JsValue) + 'static) -> Option<Self> {
        member(video, "requestVideoFrameCallback")?;
        let inner =
            Rc::new(Inner { video: video.clone(), handle: Cell::new(None), closure: RefCell::new(None) });
        let weak: Weak<Inner> = Rc::downgrade(&inner);
        let closure = Closure::<OnFrame>::new(move |now_ms, metadata: JsValue| {
            if let Some(inner) = weak.upgrade() {
                // First of all, so that the next frame is not missed.
                inner.request();
                on_frame(now_ms, &metadata);
            }
        });
        *inner.closure.borrow_mut() = Some(closure);
        inner.request();
        Some(Self(inner))
    }
}

impl Inner {
    fn request(&self) {
        if let Some(closure) = self.closure.borrow().as_ref() {
            let video: &VideoShim = self.video.unchecked_ref();
            self.handle.set(Some(video.request_video_frame_callback(closure.as_ref().unchecked_ref())));
        }
    }
}

impl Drop for FrameCallback {
    fn drop(&mut self) {
        if let Some(handle) = self.0.handle.take() {
            self.0.video.unchecked_ref::<VideoShim>().cancel_video_frame_callback(handle);
        }
    }
}

impl fmt::Debug for FrameCallback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FrameCallback").finish_non_exhaustive()
    }
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
