//! Cameras, microphones and loudspeakers.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use web_sys::{Event, MediaDeviceInfo, MediaDevices, PermissionStatus, Permissions};

use crate::{
    js::{dictionary::dictionary, error::BrowserError, event::Listener, promise::settled, queue::EventSink},
    page::window::{media_devices, member, window},
};

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// `videoinput`
    Camera,
    /// `audioinput`
    Microphone,
    /// `audiooutput`
    Speaker,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What it is for.
    pub kind: DeviceKind,
    /// Stable for this origin; empty as long as the page was never allowed to use a device of this kind.
    pub id: String,
    /// Its name in its own words; empty without permission.
    pub label: String,
    /// The same for the devices of one piece of hardware.
    pub group_id: String,
}

/// All devices that the page may know of.
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

/// Whether the browser shows a choice of loudspeakers of its own: one that lists none until one was chosen there.
#[must_use]
pub fn has_speaker_prompt() -> bool {
    media_devices().is_ok_and(|devices| member(&devices, "selectAudioOutput").is_some())
}

/// Lets the person choose a loudspeaker in the browser's own dialogue; to be called from a gesture.
///
/// # Errors
/// [`BrowserError`]: not supported; not allowed where the person chose none; not found where there is none.
pub async fn prompt_for_speaker() -> Result<Device, BrowserError> {
    if !has_speaker_prompt() {
        return Err(BrowserError::not_supported("MediaDevices.selectAudioOutput"));
    }
    let choosing = media_devices()?.unchecked_into::<MediaDevicesShim>().select_audio_output();
    let info: MediaDeviceInfo = settled(choosing).await?.unchecked_into();
    read(&info).ok_or_else(|| BrowserError::of("NotFoundError", "no loudspeaker"))
}

/// Reports when a device was plugged in or out. `None` where the page may not know.
#[must_use = "a dropped listener hears nothing"]
pub fn report_changes(sink: EventSink<()>) -> Option<Listener> {
    let devices = media_devices().ok()?;
    Some(Listener::new(&devices, "devicechange", move |_: Event| sink.push(())))
}

/// Whether the page may use a kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DevicePermission {
    /// It may.
    Granted,
    /// It may not, and asking shows nothing.
    Denied,
    /// The person will be asked.
    Prompt,
}

/// Whether the page may use the camera or the microphone, where the browser says so without asking the person.
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
