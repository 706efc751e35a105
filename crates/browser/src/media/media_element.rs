//! Plays a stream in a `<video>` or `<audio>` element.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::HtmlMediaElement;

use super::stream::MediaStream;
use crate::{
    js::{error::BrowserError, promise::settled},
    page::window::{member, window},
};

/// Sets or removes the stream of the element. Setting the same stream causes no gap.
pub fn set_stream(element: &HtmlMediaElement, stream: Option<&MediaStream>) {
    let stream = stream.map(MediaStream::as_ref);
    if element.src_object().as_ref() != stream {
        element.set_src_object(stream);
    }
}

/// Begins to play.
///
/// # Errors
/// [`BrowserError`]: not allowed if the browser requires a gesture first (a muted element may play); aborted if the stream was
/// changed meanwhile.
pub async fn play(element: &HtmlMediaElement) -> Result<(), BrowserError> {
    let promise = element.play()?;
    settled(promise).await.map(drop)
}

/// Mutes or unmutes the element, by its property: the attribute is only the initial value.
pub fn set_muted(element: &HtmlMediaElement, muted: bool) {
    element.set_muted(muted);
}

/// Sets the volume, from 0 to 1.
pub fn set_volume(element: &HtmlMediaElement, volume: f64) {
    element.set_volume(volume.clamp(0.0, 1.0));
}

/// Whether the browser can show a video in a floating window (picture-in-picture).
#[must_use]
pub fn has_picture_in_picture() -> bool {
    window().document().is_some_and(|document| {
        member(&document, "pictureInPictureEnabled").is_some_and(|enabled| enabled.is_truthy())
    })
}

/// Moves the video to a floating window, or back; must be called from a gesture.
///
/// # Errors
/// [`BrowserError`]: not supported; an invalid state while there is no picture; not allowed without a gesture.
pub async fn toggle_picture_in_picture(element: &HtmlMediaElement) -> Result<(), BrowserError> {
    let (Some(document), true) = (window().document(), has_picture_in_picture()) else {
        return Err(BrowserError::not_supported("HTMLVideoElement.requestPictureInPicture"));
    };
    let is_shown = member(&document, "pictureInPictureElement")
        .is_some_and(|shown| shown == *AsRef::<JsValue>::as_ref(element));
    let changing = if is_shown {
        document.unchecked_ref::<DocumentShim>().exit_picture_in_picture()
    } else {
        element.unchecked_ref::<MediaElementShim>().request_picture_in_picture()
    };
    settled(changing).await.map(drop)
}

/// Whether the loudspeaker of the element can be chosen.
#[must_use]
pub fn has_speaker_choice(element: &HtmlMediaElement) -> bool {
    member(element, "setSinkId").is_some()
}

/// Plays through a loudspeaker; an empty id is the system's choice.
///
/// # Errors
/// [`BrowserError`]: not supported, not found, not allowed.
pub async fn set_speaker(element: &HtmlMediaElement, device_id: &str) -> Result<(), BrowserError> {
    if !has_speaker_choice(element) {
        return Err(BrowserError::not_supported("HTMLMediaElement.setSinkId"));
    }
    settled(element.unchecked_ref::<MediaElementShim>().set_sink_id(device_id)).await.map(drop)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = HtmlMediaElement, js_name = HTMLMediaElement)]
    type MediaElementShim;

    #[wasm_bindgen(method, js_name = setSinkId)]
    fn set_sink_id(this: &MediaElementShim, device_id: &str) -> Promise;

    #[wasm_bindgen(method, js_name = requestPictureInPicture)]
    fn request_picture_in_picture(this: &MediaElementShim) -> Promise;

    #[wasm_bindgen(extends = web_sys::Document, js_name = Document)]
    type DocumentShim;

    #[wasm_bindgen(method, js_name = exitPictureInPicture)]
    fn exit_picture_in_picture(this: &DocumentShim) -> Promise;
}
