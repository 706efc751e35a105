//! Takes a small still picture of a video track.

use std::time::Duration;

use js_sys::Function;
use sightline_core::picture::StillPicture;
use sightline_protocol::limits::MAX_PICTURE_SIDE;
use wasm_bindgen::JsCast;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::{picture::HiddenVideo, track::MediaTrack};
use crate::{
    js::error::BrowserError,
    page::{
        clock,
        window::{member, window},
    },
};

/// How long the track may take to show a picture.
const FIRST_PICTURE_LIMIT: Duration = Duration::from_secs(3);
const FIRST_PICTURE_INTERVAL: Duration = Duration::from_millis(50);

/// Longer side in pixels, and quality of the JPEG file. The first file that is small enough is taken.
const ATTEMPTS: [(u16, f64); 4] = [(MAX_PICTURE_SIDE, 0.7), (MAX_PICTURE_SIDE, 0.5), (240, 0.5), (160, 0.4)];

/// Takes the present picture of the track; `None` if the track shows none for three seconds, or the browser writes no JPEG.
pub async fn take_still(track: &MediaTrack) -> Option<StillPicture> {
    let video = HiddenVideo::play(track).ok()?;
    let limit = clock::now() + FIRST_PICTURE_LIMIT;
    loop {
        let mut files =
            ATTEMPTS.iter().map_while(|(side, quality)| file(&video, f64::from(*side), *quality).ok()?);
        if let Some(picture) = files.find_map(|url| StillPicture::from_data_url(&url).ok()) {
            return Some(picture);
        }
        if clock::now() >= limit {
            return None;
        }
        clock::sleep(FIRST_PICTURE_INTERVAL).await;
    }
}

/// The present picture as a `data:` address; `None` if there is none yet.
fn file(video: &HiddenVideo, side: f64, quality: f64) -> Result<Option<String>, BrowserError> {
    let video = video.element();
    let (width, height) = (f64::from(video.video_width()), f64::from(video.video_height()));
    if width == 0.0 {
        return Ok(None);
    }
    let scale = (side / width.max(height)).min(1.0);
    let (width, height) = ((width * scale).round().max(1.0), (height * scale).round().max(1.0));
    let document = window().document().ok_or_else(|| BrowserError::not_supported("document"))?;
    let canvas: HtmlCanvasElement = document.create_element("canvas")?.unchecked_into();
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    let context: CanvasRenderingContext2d = canvas
        .get_context("2d")?
        .ok_or_else(|| BrowserError::not_supported("CanvasRenderingContext2D"))?
        .unchecked_into();
    context.draw_image_with_html_video_element_and_dw_and_dh(video, 0.0, 0.0, width, height)?;
    // Before the first frame nothing is drawn.
    let pixel = context.get_image_data(0.0, 0.0, 1.0, 1.0)?.data().0;
    if pixel.last().is_none_or(|alpha| *alpha == 0) {
        return Ok(None);
    }
    let write = member(&canvas, "toDataURL").ok_or_else(|| BrowserError::not_supported("toDataURL"))?;
    // As a function: a binding of its own would be in the module of the first visit.
    let write = write.unchecked_into::<Function>();
    let url = write.call2(&canvas, &"image/jpeg".into(), &quality.into())?;
    Ok(url.as_string())
}
