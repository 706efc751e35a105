//! Looking at a video track: a few points of its picture, as brightness.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement};

use super::{media_element::set_stream, stream::MediaStream, track::MediaTrack};
use crate::{
    js::{dictionary::dictionary, error::BrowserError},
    page::window::window,
};

/// Points of a side.
const SIDE: u32 = 24;

/// Plays a track unseen, to look at its picture. Dropping it ends that, and leaves the track as it is.
#[derive(Debug)]
pub struct PictureProbe {
    video: HtmlVideoElement,
    context: CanvasRenderingContext2d,
}

impl PictureProbe {
    /// Begins to play `track`, without sound and outside the page.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser has no canvas.
    pub fn new(track: &MediaTrack) -> Result<Self, BrowserError> {
        let document = window().document().ok_or_else(|| BrowserError::not_supported("document"))?;
        let video: HtmlVideoElement = document.create_element("video")?.unchecked_into();
        video.set_muted(true);
        let _ = video.set_attribute("playsinline", "");
        let canvas: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
        canvas.set_width(SIDE);
        canvas.set_height(SIDE);
        let wanted = dictionary(&[("willReadFrequently", JsValue::TRUE)]);
        let context = canvas
            .get_context_with_context_options("2d", &wanted)?
            .ok_or_else(|| BrowserError::not_supported("CanvasRenderingContext2D"))?
            .unchecked_into();
        set_stream(&video, Some(&MediaStream::new(std::slice::from_ref(track))?));
        // It begins as soon as there is a picture; a muted video needs no gesture.
        let _ = video.play()?;
        Ok(Self { video, context })
    }

    /// The picture of this moment as brightness from 0 to 255, row by row; `None` while there is none.
    #[must_use]
    pub fn luma(&self) -> Option<Vec<u8>> {
        if self.video.video_width() == 0 {
            return None;
        }
        let side = f64::from(SIDE);
        self.context
            .draw_image_with_html_video_element_and_dw_and_dh(&self.video, 0.0, 0.0, side, side)
            .ok()?;
        let picture = self.context.get_image_data(0.0, 0.0, side, side).ok()?;
        // ITU-R BT.709, in parts of 256.
        let luma = |pixel: &[u8]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            ((red * 54 + green * 183 + blue * 19) / 256) as u8
        };
        Some(picture.data().0.chunks_exact(4).map(luma).collect())
    }
}

impl Drop for PictureProbe {
    fn drop(&mut self) {
        let _ = self.video.pause();
        set_stream(&self.video, None);
    }
}
