//! The first picture of a call, over the page until the page has drawn the element that plays it. To draw a room takes longer than the
//! picture needs to arrive.

use std::cell::Cell;

use wasm_bindgen::JsCast;
use web_sys::HtmlVideoElement;

use super::{frame_callback::FrameCallback, media_element, stream::MediaStream};
use crate::{js::queue::EventSink, page::window::window};

/// A silent element over the page, which is transparent until its first frame. Dropping it removes it.
#[derive(Debug)]
pub struct FirstPicture {
    element: HtmlVideoElement,
    _frames: FrameCallback,
}

impl FirstPicture {
    /// Plays a stream in an element of this CSS class, and reports the first frame. `None` where the browser has no frame callbacks.
    #[must_use]
    pub fn play(stream: &MediaStream, class: &str, shown: EventSink<()>) -> Option<Self> {
        let document = window().document()?;
        let element: HtmlVideoElement = document.create_element("video").ok()?.dyn_into().ok()?;
        element.set_class_name(class);
        element.set_muted(true);
        element.set_autoplay(true);
        for attribute in ["playsinline", "aria-hidden"] {
            element.set_attribute(attribute, "true").ok()?;
        }
        let is_first = Cell::new(true);
        let frames = FrameCallback::new(&element, move |_, _| {
            if is_first.replace(false) {
                shown.push(());
            }
        })?;
        document.body()?.append_child(&element).ok()?;
        media_element::set_stream(&element, Some(stream));
        Some(Self { element, _frames: frames })
    }

    /// Changes the CSS class.
    pub fn set_class(&self, class: &str) {
        self.element.set_class_name(class);
    }
}

impl Drop for FirstPicture {
    fn drop(&mut self) {
        media_element::set_stream(&self.element, None);
        self.element.remove();
    }
}
