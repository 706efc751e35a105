//! Playing tracks in a `<video>` or `<audio>` element.

use js_sys::Promise;
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use web_sys::{HtmlMediaElement, MediaStream, MediaStreamTrack};

use crate::{error::BrowserError, promise::settled, window::member};

/// Makes the element play exactly these tracks, in step. What it plays already goes on without a gap.
///
/// # Errors
/// [`BrowserError`] where the browser has no `MediaStream`.
pub fn set_tracks(element: &HtmlMediaElement, tracks: &[MediaStreamTrack]) -> Result<(), BrowserError> {
    if tracks.is_empty() {
        element.set_src_object(None);
        return Ok(());
    }
    let stream = match element.src_object() {
        Some(stream) => stream,
        None => MediaStream::new()?,
    };
    for old in stream.get_tracks().iter() {
        let old: MediaStreamTrack = old.unchecked_into();
        if !tracks.contains(&old) {
            stream.remove_track(&old);
        }
    }
    for track in tracks {
        // One that is there already is not added again.
        stream.add_track(track);
    }
    if element.src_object().is_none() {
        element.set_src_object(Some(&stream));
    }
    Ok(())
}

/// Begins to play.
///
/// # Errors
/// [`BrowserError`]: not allowed where the browser wants a gesture first (the element may play when it is muted);
/// aborted where the tracks were changed meanwhile.
pub async fn play(element: &HtmlMediaElement) -> Result<(), BrowserError> {
    let promise = element.play()?;
    settled(promise).await.map(drop)
}

/// Mutes or unmutes the element, by its property: the attribute only says how it begins.
pub fn set_muted(element: &HtmlMediaElement, muted: bool) {
    element.set_muted(muted);
}

/// Whether the element can be told which loudspeaker to use.
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
}
