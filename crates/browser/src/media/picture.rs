//! Samples the brightness of a video track at a few points.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlVideoElement};

use super::{media_element::set_stream, stream::MediaStream, track::MediaTrack};
use crate::{
    js::{dictionary::dictionary, error::BrowserError},
    page::window::window,
};

/// Points on each side of the sampled square.
const SIDE: u32 = 24;

/// Plays a track in an element outside the page. Dropping it leaves the track as it is.
#[derive(Debug)]
pub(super) struct HiddenVideo(HtmlVideoElement);

impl HiddenVideo {
    pub(super) fn play(track: &MediaTrack) -> Result<Self, BrowserError> {
        let document = window().document().ok_or_else(|| BrowserError::not_supported("document"))?;
        let video: HtmlVideoElement = document.create_element("video")?.unchecked_into();
        video.set_muted(true);
        let _ = video.set_attribute("playsinline", "");
        set_stream(&video, Some(&MediaStream::new(std::slice::from_ref(track))?));
        // The video plays as soon as there is a picture; a muted video requires no gesture.
        let _ = video.play()?;
        Ok(Self(video))
    }

    pub(super) fn element(&self) -> &HtmlVideoElement {
        &self.0
    }
}

impl Drop for HiddenVideo {
    fn drop(&mut self) {
        let _ = self.0.pause();
        set_stream(&self.0, None);
    }
}

/// Plays a track in a hidden element, to sample its picture. Dropping it leaves the track as it is.
#[derive(Debug)]
pub struct PictureProbe {
    video: HiddenVideo,
    context: CanvasRenderingContext2d,
}

impl PictureProbe {
    /// Begins to play `track` without sound, in an element outside the page.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser has no canvas.
    pub fn new(track: &MediaTrack) -> Result<Self, BrowserError> {
        let video = HiddenVideo::play(track)?;
        let document = window().document().ok_or_else(|| BrowserError::not_supported("document"))?;
        let canvas: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
        canvas.set_width(SIDE);
        canvas.set_height(SIDE);
        let wanted = dictionary(&[("willReadFrequently", JsValue::TRUE)]);
        let context = canvas
            .get_context_with_context_options("2d", &wanted)?
            .ok_or_else(|| BrowserError::not_supported("CanvasRenderingContext2D"))?
            .unchecked_into();
        Ok(Self { video, context })
    }

    /// The brightness of the present picture from 0 to 255, row by row; `None` without a picture.
    #[must_use]
    pub fn luma(&self) -> Option<Vec<u8>> {
        let video = self.video.element();
        if video.video_width() == 0 {
            return None;
        }
        let side = f64::from(SIDE);
        self.context.draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, side, side).ok()?;
        let picture = self.context.get_image_data(0.0, 0.0, side, side).ok()?;
        // ITU-R BT.709, in parts of 256.
        let luma = |pixel: &[u8]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            ((red * 54 + green * 183 + blue * 19) / 256) as u8
        };
        Some(picture.data().0.chunks_exact(4).map(luma).collect())
    }
}
