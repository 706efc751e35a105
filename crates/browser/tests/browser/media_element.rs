//! Playing streams in elements.

use sightline_browser::{MediaStream, media::media_element};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlVideoElement;

use crate::call::{camera_and_microphone, until};

fn video_element() -> HtmlVideoElement {
    let document = web_sys::window().unwrap().document().unwrap();
    document.create_element("video").unwrap().unchecked_into()
}

#[wasm_bindgen_test]
async fn tracks_are_added_to_and_removed_from_a_playing_stream() {
    let captured = camera_and_microphone().await;
    let video = captured.video.as_ref().unwrap().track();
    let audio = captured.audio.as_ref().unwrap().track();
    let element = video_element();
    let stream = MediaStream::new(std::slice::from_ref(audio)).unwrap();
    media_element::set_stream(&element, Some(&stream));
    media_element::set_muted(&element, true);
    media_element::play(&element).await.unwrap();
    assert!(element.muted() && !element.paused());

    let same = stream.clone();
    same.add_track(video);
    media_element::set_stream(&element, Some(&same));
    assert_eq!(stream.tracks().len(), 2, "a clone is the same stream");
    until("a picture", async || element.video_width() > 0).await;

    stream.set_tracks(std::slice::from_ref(video));
    assert_eq!(stream.tracks(), std::slice::from_ref(video));
    let before = element.current_time();
    until("it plays on", async || element.current_time() > before).await;

    media_element::set_stream(&element, None);
    assert!(element.src_object().is_none());
}

#[wasm_bindgen_test]
async fn an_unknown_loudspeaker_is_an_error() {
    let element = video_element();
    assert!(media_element::has_speaker_choice(&element));
    assert_eq!(
        media_element::set_speaker(&element, "no-such-device").await.unwrap_err().name,
        "NotFoundError"
    );
    media_element::set_speaker(&element, "").await.unwrap();
}

#[wasm_bindgen_test]
async fn the_volume_is_clamped_between_0_and_1() {
    let element = video_element();
    for (asked, given) in [(0.25, 0.25), (7.0, 1.0), (-1.0, 0.0)] {
        media_element::set_volume(&element, asked);
        assert!((element.volume() - given).abs() < 1e-6);
    }
}

#[wasm_bindgen_test]
async fn picture_in_picture_without_a_picture_is_an_error() {
    assert!(media_element::toggle_picture_in_picture(&video_element()).await.is_err());
}
