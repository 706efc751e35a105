//! The level of a track.

use sightline_browser::media::audio_level::LevelMeter;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::call::{camera_and_microphone, until};

#[wasm_bindgen_test]
async fn a_microphone_with_sound_has_a_level_and_a_disabled_one_has_none() {
    let microphone = camera_and_microphone().await.audio.unwrap();
    let meter = LevelMeter::new(microphone.track()).unwrap();
    meter.resume().await.unwrap();
    assert!(!meter.is_suspended());
    until("a level", async || meter.level() > 0.001).await;
    assert!(meter.level() <= 1.0);
    microphone.set_enabled(false);
    until("silence", async || meter.level() == 0.0).await;
}

#[wasm_bindgen_test]
async fn a_video_track_has_no_audio_level() {
    let camera = camera_and_microphone().await.video.unwrap();
    assert_eq!(LevelMeter::new(camera.track()).unwrap_err().name, "InvalidStateError");
}

#[wasm_bindgen_test]
async fn dropped_meters_leave_room_for_others() {
    let microphone = camera_and_microphone().await.audio.unwrap();
    for _ in 0..50 {
        let meter = LevelMeter::new(microphone.track()).unwrap();
        meter.resume().await.unwrap();
    }
}
