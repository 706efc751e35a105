//! Cameras, microphones and loudspeakers.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{Event, MediaDeviceInfo, MediaDevices, PermissionStatus, Permissions};

use crate::{
    js::{dictionary::dictionary, error::BrowserError, event::Listener, promise::settled, queue::EventSink},
    page::window::{media_devices, member, window},
};

/// The kind of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// A camera: `videoinput` in `MediaDeviceInfo.kind`.
    Camera,
    /// A microphone: `audioinput` in `MediaDeviceInfo.kind`.
    Microphone,
    /// A loudspeaker: `audiooutput` in `MediaDeviceInfo.kind`.
    Speaker,
}

/// A camera, microphone or loudspeaker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The kind of the device.
    pub kind: DeviceKind,
    /// Stable for this origin; empty until the page was allowed to use a device of this kind.
    pub id: String,
    /// The device's name; empty without permission.
    pub label: String,
    /// Equal for the devices of one piece of hardware.
    pub group_id: String,
}

/// All devices that the browser lists for the page.
///
/// # Errors
/// [`BrowserError`]: not supported in an insecure context.
pub async fn enumerate() -> Result<Vec<Device>, BrowserError> {
    let devices = settled(media_devices()?.enumerate_devices()?).await?;
    Ok(devices
        .unchecked_into::<js_sys::Array>()
        .iter()
        .filter_map(|info| read(info.unchecked_ref()))
        .collect())
}

/// Whether the browser has its own dialog for loudspeakers. Such a browser lists none until one was chosen in that dialog.
#[must_use]
pub fn has_speaker_prompt() -> bool {
    media_devices().is_ok_and(|devices| member(&devices, "selectAudioOutput").is_some())
}

/// Lets the person choose a loudspeaker in the browser's own dialog; must be called from a gesture.
///
/// # Errors
/// [`BrowserError`]: not supported; not allowed if the person chose none; not found if there is none.
pub async fn prompt_for_speaker() -> Result<Device, BrowserError> {
    if !has_speaker_prompt() {
        return Err(BrowserError::not_supported("MediaDevices.selectAudioOutput"));
    }
    let choosing = media_devices()?.unchecked_into::<MediaDevicesShim>().select_audio_output();
    let info: MediaDeviceInfo = settled(choosing).await?.unchecked_into();
    read(&info).ok_or_else(|| BrowserError::of("NotFoundError", "no loudspeaker"))
}

/// Reports when a device is plugged in or out. `None` where the page may not know.
#[must_use = "a dropped listener hears nothing"]
pub fn report_changes(sink: EventSink<()>) -> Option<Listener> {
    let devices = media_devices().ok()?;
    Some(Listener::new(&devices, "devicechange", move |_: Event| sink.push(())))
}

/// The permission of the page for a kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DevicePermission {
    /// The page may use devices of this kind.
    Granted,
    /// The page may not use them, and asking shows no question.
    Denied,
    /// The browser will ask the person.
    Prompt,
}

/// The permission of the page, where the browser says so without asking the person.
pub async fn permission(kind: DeviceKind) -> Option<DevicePermission> {
    let name = match kind {
        DeviceKind::Camera => "camera",
        DeviceKind::Microphone => "microphone",
        DeviceKind::Speaker => "speaker-selection",
    };
    let permissions: Permissions = member(&window().navigator(), "permissions")?.unchecked_into();
    let query: Promise = permissions.query(&dictionary(&[("name", JsValue::from_str(name))])).ok()?;
    let status: PermissionStatus = settled(query).await.ok()?.unchecked_into();
    match status.state() {
        web_sys::PermissionState::Granted => Some(DevicePermission::Granted),
        web_sys::PermissionState::Denied => Some(DevicePermission::Denied),
        web_sys::PermissionState::Prompt => Some(DevicePermission::Prompt),
        _ => None,
    }
}

fn read(info: &MediaDeviceInfo) -> Option<Device> {
    let kind = match info.kind() {
        web_sys::MediaDeviceKind::Videoinput => DeviceKind::Camera,
        web_sys::MediaDeviceKind::Audioinput => DeviceKind::Microphone,
        web_sys::MediaDeviceKind::Audiooutput => DeviceKind::Speaker,
        _ => return None,
    };
    Some(Device { kind, id: info.device_id(), label: info.label(), group_id: info.group_id() })
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = MediaDevices, js_name = MediaDevices)]
    type MediaDevicesShim;

    #[wasm_bindgen(method, js_name = selectAudioOutput)]
    fn select_audio_output(this: &MediaDevicesShim) -> Promise;
}
