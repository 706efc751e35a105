//! Listing devices.

use sightline_browser::{
    js::queue::event_queue,
    media::devices::{self, DeviceKind, DevicePermission},
};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Event;

use crate::call::camera_and_microphone;

#[wasm_bindgen_test]
async fn devices_in_use_have_names_and_are_the_ones_the_tracks_come_from() {
    let captured = camera_and_microphone().await;
    let devices = devices::enumerate().await.unwrap();
    for (kind, track) in [(DeviceKind::Camera, captured.video), (DeviceKind::Microphone, captured.audio)] {
        let id = track.unwrap().settings().device_id.unwrap();
        let device = devices.iter().find(|device| device.kind == kind && device.id == id).unwrap();
        assert!(!device.label.is_empty(), "{device:?}");
        assert_ne!(devices::permission(kind).await, Some(DevicePermission::Denied));
    }
}

#[wasm_bindgen_test]
fn a_change_of_devices_is_reported_until_the_listener_is_dropped() {
    let (sink, mut events) = event_queue(10);
    let listener = devices::report_changes(sink).unwrap();
    let media_devices = web_sys::window().unwrap().navigator().media_devices().unwrap();
    let changed = || media_devices.dispatch_event(&Event::new("devicechange").unwrap()).unwrap();
    changed();
    assert_eq!(events.try_next(), Some(()));
    drop(listener);
    changed();
    assert_eq!(events.try_next(), None);
}
