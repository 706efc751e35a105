//! Reads the stamp of known-source mode from the frame that a `<video>` shows.

use sightline_core::measure::stamp::{
    COLUMNS, ROWS, Strip, StripReading, Unreadable, luma_of_rgba, strip_height,
};
use std::cell::Cell;

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement};

use super::file_player::create;
use crate::{
    js::{dictionary::dictionary, error::BrowserError},
    page::{
        clock,
        window::{member, window},
    },
};

/// Pixels on each side of a cell, of which the middle half is read.
const CELL_PIXELS: usize = 4;
const WIDTH: usize = COLUMNS * CELL_PIXELS;
const HEIGHT: usize = ROWS * CELL_PIXELS;

/// Two media times of one frame, in microseconds, differ by rounding only.
const SAME_FRAME_US: f64 = 500.0;

/// A small canvas for the upper edge of a picture.
#[derive(Debug)]
pub struct StripReader {
    context: CanvasRenderingContext2d,
    /// Whether a `VideoFrame` of an element had the media time of the callback: not every browser gives it that timestamp.
    is_frame_timed: Cell<bool>,
}

/// A `VideoFrame` (W3C WebCodecs) of what an element shows. Dropping it closes it.
struct ElementFrame(JsValue);

impl ElementFrame {
    /// `None` where the browser has no such frames, or the element shows none.
    fn new(video: &HtmlVideoElement) -> Option<Self> {
        let constructor = member(&window(), "VideoFrame")?.dyn_into::<Function>().ok()?;
        Reflect::construct(&constructor, &Array::of1(video)).ok().map(Self)
    }

    fn timestamp_us(&self) -> Option<f64> {
        member(&self.0, "timestamp")?.as_f64()
    }
}

impl Drop for ElementFrame {
    fn drop(&mut self) {
        if let Some(close) = member(&self.0, "close").and_then(|close| close.dyn_into::<Function>().ok()) {
            let _ = close.call0(&self.0);
        }
    }
}

impl StripReader {
    /// A reader that serves any number of videos.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser has no canvas.
    pub fn new() -> Result<Self, BrowserError> {
        let element: HtmlCanvasElement = create("canvas")?.unchecked_into();
        element.set_width(WIDTH as u32);
        element.set_height(HEIGHT as u32);
        let options = dictionary(&[("alpha", JsValue::FALSE), ("willReadFrequently", JsValue::TRUE)]);
        let context = element
            .get_context_with_context_options("2d", &options)?
            .ok_or_else(|| BrowserError::not_supported("CanvasRenderingContext2D"))?
            .unchecked_into();
        Ok(Self { context, is_frame_timed: Cell::new(false) })
    }

    /// Reads the stamp of the frame with this media time (in seconds) that the element shows. The element may show a later one already.
    #[must_use]
    pub fn read(&self, video: &HtmlVideoElement, media_time_s: Option<f64>) -> StripReading {
        let begin = clock::now();
        let frame = ElementFrame::new(video);
        let stamp = if self.is_other(frame.as_ref(), media_time_s) {
            Err(Unreadable::OtherFrame)
        } else {
            // The canvas draws either; the binding names the element only.
            let source = frame.as_ref().map_or(video, |frame| frame.0.unchecked_ref());
            self.pixels(source, f64::from(video.video_width()))
                .map_or(Err(Unreadable::TooSmall), |rgba| Strip::read(&luma_of_rgba(&rgba), WIDTH, HEIGHT))
        };
        StripReading { stamp, cost: clock::now() - begin }
    }

    fn is_other(&self, frame: Option<&ElementFrame>, media_time_s: Option<f64>) -> bool {
        let Some((timestamp_us, media_s)) = frame.and_then(ElementFrame::timestamp_us).zip(media_time_s)
        else {
            return false;
        };
        let is_same = (timestamp_us - media_s * 1e6).abs() <= SAME_FRAME_US;
        if is_same {
            self.is_frame_timed.set(true);
        }
        !is_same && self.is_frame_timed.get()
    }

    fn pixels(&self, video: &HtmlVideoElement, width: f64) -> Option<Vec<u8>> {
        if width == 0.0 {
            return None;
        }
        let (to_width, to_height) = (WIDTH as f64, HEIGHT as f64);
        let draw = CanvasRenderingContext2d::draw_image_with_html_video_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh;
        draw(&self.context, video, 0.0, 0.0, width, strip_height(width), 0.0, 0.0, to_width, to_height)
            .ok()?;
        Some(self.context.get_image_data(0.0, 0.0, to_width, to_height).ok()?.data().0)
    }
}
