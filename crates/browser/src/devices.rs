//! Cameras, microphones and loudspeakers.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MediaDeviceInfo, PermissionStatus, Permissions};

use crate::{
    dictionary::dictionary,
    error::BrowserError,
    event::Listener,
    promise::settled,
    queue::EventSink,
    window::{media_devices, member, window},
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
