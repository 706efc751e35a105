//! Noting the frames that an element shows.

use sightline_browser::{
    MediaStream,
    media::{frame_watch::FrameWatch, media_element},
    page::clock,
};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::HtmlVideoElement;

use crate::call::{camera_and_microphone, until};

#[wasm_bindgen_test]
async fn every_frame_that_is_shown_is_noted_in_order_until_the_watch_is_detached() {
    let captured = camera_and_microphone().await;
    let document = web_sys::window().unwrap().document().unwrap();
    let element: HtmlVideoElement = document.create_element("video").unwrap().unchecked_into();
    document.body().unwrap().append_child(&element).unwrap();
    let watch = FrameWatch::default();
    watch.attach(&element);
    assert!(watch.is_attached() && watch.take().is_empty());

    let stream = MediaStream::new(&[captured.video.as_ref().unwrap().track().clone()]).unwrap();
    media_element::set_muted(&element, true);
    media_element::set_stream(&element, Some(&stream));
    media_element::play(&element).await.unwrap();
    let mut frames = Vec::new();
    until("five frames", async || {
        frames.extend(watch.take().into_iter().map(|noted| noted.shown));
        frames.len() >= 5
    })
    .await;
    assert!(frames.windows(2).all(|pair| {
        pair[0].shown_at < pair[1].shown_at && pair[0].presented_frames < pair[1].presented_frames
    }));
    assert!(
        frames.iter().all(|frame| frame.width == element.video_width() && frame.shown_at <= clock::now())
    );

    watch.detach();
    let _ = watch.take();
    let time = element.current_time();
    until("it plays on", async || element.current_time() > time + 0.3).await;
    assert!(watch.take().is_empty() && !watch.is_attached());
    element.remove();
}
