//! Sampling a video track.

use sightline_browser::media::picture::PictureProbe;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::call::{camera_and_microphone, until};

#[wasm_bindgen_test]
async fn a_camera_shows_pictures_that_differ_and_black_once_it_is_switched_off() {
    let camera = camera_and_microphone().await.video.unwrap();
    let probe = PictureProbe::new(camera.track()).unwrap();
    until("a lit picture", async || probe.luma().is_some_and(|luma| luma.iter().any(|luma| *luma > 32)))
        .await;
    let first = probe.luma();
    until("another picture", async || probe.luma() != first).await;
    camera.set_enabled(false);
    until("black", async || probe.luma().is_some_and(|luma| luma.iter().all(|luma| *luma <= 16))).await;
}

#[wasm_bindgen_test]
async fn the_largest_picture_of_a_camera_is_at_least_as_wide_as_its_current_one() {
    let camera = camera_and_microphone().await.video.unwrap();
    let given = camera.settings().width.unwrap();
    // Firefox does not report the abilities of a camera.
    assert!(camera.largest_picture().is_none_or(|(width, _)| width >= given));
}
