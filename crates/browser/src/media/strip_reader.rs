//! Reads the stamp of known-source mode from the frame that a `<video>` shows.

use sightline_core::measure::stamp::{
    COLUMNS, ROWS, Strip, StripReading, Unreadable, luma_of_rgba, strip_height,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement};

use super::file_player::create;
use crate::{
    js::{dictionary::dictionary, error::BrowserError},
    page::clock,
};

/// Pixels on each side of a cell, of which the middle half is read.
const CELL_PIXELS: usize = 4;
const WIDTH: usize = COLUMNS * CELL_PIXELS;
const HEIGHT: usize = ROWS * CELL_PIXELS;

/// A small canvas for the upper edge of a picture.
#[derive(Debug)]
pub struct StripReader {
    context: CanvasRenderingContext2d,
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
        Ok(Self { context })
    }

    /// Reads the stamp of the present frame.
    #[must_use]
    pub fn read(&self, video: &HtmlVideoElement) -> StripReading {
        let begin = clock::now();
        let stamp = self
            .pixels(video)
            .map_or(Err(Unreadable::TooSmall), |rgba| Strip::read(&luma_of_rgba(&rgba), WIDTH, HEIGHT));
        StripReading { stamp, cost: clock::now() - begin }
    }

    fn pixels(&self, video: &HtmlVideoElement) -> Option<Vec<u8>> {
        let width = f64::from(video.video_width());
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
