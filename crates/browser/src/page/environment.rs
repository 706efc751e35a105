//! The abilities of this browser and this context, and the person's languages.

use wasm_bindgen::JsValue;

use super::window::{media_devices, member, window};

/// Whether the page came over HTTPS or from this computer. Other pages have no cameras and no clipboard.
#[must_use]
pub fn is_secure_context() -> bool {
    window().is_secure_context()
}

/// Whether the browser has `RTCPeerConnection`.
#[must_use]
pub fn has_web_rtc() -> bool {
    member(&window(), "RTCPeerConnection").is_some()
}

/// Whether the page can ask for cameras and microphones (`navigator.mediaDevices`).
#[must_use]
pub fn has_media_devices() -> bool {
    media_devices().is_ok()
}

/// Whether a screen can be captured (`getDisplayMedia`).
#[must_use]
pub fn has_display_capture() -> bool {
    media_devices().is_ok_and(|devices| member(&devices, "getDisplayMedia").is_some())
}

/// Whether a program drives the browser (`navigator.webdriver`, WebDriver §4).
#[must_use]
pub fn is_automated() -> bool {
    member(&window().navigator(), "webdriver").is_some_and(|webdriver| webdriver.is_truthy())
}

/// Whether the page was reloaded instead of opened by an address (`PerformanceNavigationTiming.type`).
#[must_use]
pub fn is_reloaded() -> bool {
    let entries = window().performance().map(|performance| performance.get_entries_by_type("navigation"));
    let kind = entries.and_then(|entries| member(&entries.get(0), "type"));
    kind.and_then(|kind| kind.as_string()).as_deref() == Some("reload")
}

/// The user agent string.
#[must_use]
pub fn user_agent() -> String {
    window().navigator().user_agent().unwrap_or_default()
}

/// The person's languages as BCP 47 tags, the most preferred first.
#[must_use]
pub fn languages() -> Vec<String> {
    window().navigator().languages().iter().filter_map(|language: JsValue| language.as_string()).collect()
}

/// Whether the main pointing device cannot hover, like a finger.
#[must_use]
pub fn lacks_hover() -> bool {
    matches("(hover: none)")
}

/// Whether the person points with a finger in the first place.
#[must_use]
pub fn has_touch() -> bool {
    matches("(pointer: coarse)")
}

/// Whether the page runs as an installed app.
#[must_use]
pub fn is_installed() -> bool {
    matches("(display-mode: standalone)")
}

fn matches(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|list| list.matches())
}
