//! Capturing devices, and stopping them.

use futures_util::poll;
use js_sys::{Array, Reflect};
use sightline_browser::{
    BrowserErrorKind, MediaKind,
    js::queue::event_queue,
    media::capture::{
        AudioProcessing, CameraRequest, DeviceChoice, MicrophoneRequest, get_user_media, reshape,
    },
};
use sightline_core::media::ContentHint;
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, EventTarget, MediaStreamTrack, MediaStreamTrackState};

use crate::call::{camera_and_microphone, until};

#[wasm_bindgen(inline_js = r#"
export function record_tracks() {
    const devices = navigator.mediaDevices;
    const tracks = [];
    devices.getUserMedia = async (constraints) => {
        // The browser's own, behind this one.
        const stream = await MediaDevices.prototype.getUserMedia.call(devices, constraints);
        tracks.push(...stream.getTracks());
        return stream;
    };
    return tracks;
}
export function stop_recording() {
    delete navigator.mediaDevices.getUserMedia;
}
"#)]
extern "C" {
    /// Records every track that `getUserMedia` returns from now on.
    fn record_tracks() -> Array;
    fn stop_recording();
}

fn all_ended(tracks: &Array) -> bool {
    tracks
        .iter()
        .all(|track| track.unchecked_ref::<MediaStreamTrack>().ready_state() == MediaStreamTrackState::Ended)
}

#[wasm_bindgen_test]
async fn tracks_that_arrive_after_the_request_was_dropped_are_stopped() {
    let tracks = record_tracks();
    {
        let (camera, microphone) = (CameraRequest::default(), MicrophoneRequest::default());
        let mut asking = Box::pin(get_user_media(Some(&camera), Some(&microphone)));
        assert!(poll!(asking.as_mut()).is_pending());
    }
    assert_eq!(tracks.length(), 0, "nothing had come when the question was dropped");
    until("late tracks", async || tracks.length() == 2).await;
    until("late tracks stopped", async || all_ended(&tracks)).await;
    stop_recording();
}

#[wasm_bindgen_test]
async fn a_track_lives_as_long_as_its_owner() {
    let tracks = record_tracks();
    let captured = camera_and_microphone().await;
    stop_recording();
    let shared = captured.video.as_ref().unwrap().track().clone();
    assert!(!all_ended(&tracks) && !shared.is_ended());
    drop(captured);
    assert!(all_ended(&tracks) && shared.is_ended());
}

#[wasm_bindgen_test]
async fn a_track_reports_its_settings_and_is_disabled_for_all_its_holders() {
    let camera = CameraRequest {
        width: Some(320),
        height: Some(240),
        frames_per_second: Some(15.0),
        ..Default::default()
    };
    let captured = get_user_media(Some(&camera), None).await.unwrap();
    assert!(captured.audio.is_none(), "no sound was requested");
    let video = captured.video.unwrap();
    assert_eq!(video.kind(), MediaKind::Video);
    assert!(!video.label().is_empty());
    let settings = video.settings();
    assert_eq!((settings.width, settings.height), (Some(320), Some(240)), "{settings:?}");
    assert!(settings.device_id.is_some());

    let shared = video.track().clone();
    assert_eq!(shared, *video.track());
    video.set_enabled(false);
    assert!(!video.is_enabled() && !shared.as_ref().enabled());
}

#[wasm_bindgen_test]
async fn sound_is_processed_as_requested() {
    for is_wanted in [true, false] {
        let processing = AudioProcessing { echo_cancellation: is_wanted, ..Default::default() };
        let request = MicrophoneRequest { processing, ..Default::default() };
        let sound = get_user_media(None, Some(&request)).await.unwrap().audio.unwrap();
        let settings = AsRef::<MediaStreamTrack>::as_ref(sound.track()).get_settings();
        let is_so = Reflect::get(&settings, &"echoCancellation".into()).unwrap().as_bool();
        // Firefox applies no processing to its fake microphone, and reports that.
        assert!(is_so == Some(is_wanted) || is_so == Some(false), "{is_wanted}: {is_so:?}");
    }
}

#[wasm_bindgen_test]
async fn the_size_of_a_running_track_can_be_changed() {
    let video = camera_and_microphone().await.video.unwrap();
    video.set_content_hint(ContentHint::Detail);
    let request = CameraRequest { width: Some(320), height: Some(180), ..Default::default() };
    reshape(video.track(), &request).await.unwrap();
    assert!(!video.is_ended());
    // Firefox does not change its fake camera, and reports that.
    let settings = video.settings();
    assert!(settings.width == Some(320) || settings.width == Some(640), "{settings:?}");
}

#[wasm_bindgen_test]
async fn a_lost_device_is_reported_and_a_local_stop_is_not() {
    let mut video = camera_and_microphone().await.video.unwrap();
    let (sink, mut events) = event_queue(10);
    video.report_ended(sink);
    let track: EventTarget =
        AsRef::<MediaStreamTrack>::as_ref(video.track()).unchecked_ref::<EventTarget>().clone();
    track.dispatch_event(&Event::new("ended").unwrap()).unwrap();
    assert_eq!(events.try_next(), Some(()));
    drop(video);
    track.dispatch_event(&Event::new("ended").unwrap()).unwrap();
    assert_eq!(events.next().await, None);
}

#[wasm_bindgen_test]
async fn the_error_tells_a_missing_device_from_an_invalid_request() {
    let absent = DeviceChoice::Exactly("no-such-device".to_owned());
    let camera = CameraRequest { device: absent, ..Default::default() };
    let error = get_user_media(Some(&camera), None).await.unwrap_err();
    assert_eq!(error.kind(), BrowserErrorKind::Overconstrained, "{error}");
    assert_eq!(get_user_media(None, None).await.unwrap_err().kind(), BrowserErrorKind::TypeError);

    let preferred = DeviceChoice::Preferred("no-such-device".to_owned());
    let camera = CameraRequest { device: preferred, ..Default::default() };
    assert!(get_user_media(Some(&camera), None).await.unwrap().video.is_some());
}
