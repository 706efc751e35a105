//! The page's address.

use wasm_bindgen::JsValue;
use web_sys::Event;

use super::window::window;
use crate::js::{event::Listener, queue::EventSink};

/// The parts of the page's address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// `https://example.org`, without a slash at the end.
    pub origin: String,
    /// `/room/x`
    pub path: String,
    /// `?name=x`, or empty.
    pub query: String,
    /// `#x`, or empty.
    pub fragment: String,
}

impl Location {
    /// Where the page is now.
    #[must_use]
    pub fn current() -> Self {
        let location = window().location();
        Self {
            origin: location.origin().unwrap_or_default(),
            path: location.pathname().unwrap_or_default(),
            query: location.search().unwrap_or_default(),
            fragment: location.hash().unwrap_or_default(),
        }
    }
}

/// What the page's relative addresses start from (`document.baseURI`, which follows `<base>`).
#[must_use]
pub fn base() -> String {
    window().document().and_then(|document| document.base_uri().ok().flatten()).unwrap_or_default()
}

/// The server that a static host's `config.js` names (`window.sightlineServer`), if it names one.
#[must_use]
pub fn configured_server() -> Option<String> {
    let named = js_sys::Reflect::get(&window(), &JsValue::from_str("sightlineServer")).ok()?;
    named.as_string().filter(|named| !named.is_empty())
}

/// Goes to another address of this page without loading it, as a new entry of the history.
pub fn push(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Changes the address without loading it and without a new entry of the history.
pub fn replace(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Reports when the person goes back or forward (`popstate`).
#[must_use = "a dropped listener hears nothing"]
pub fn report_navigation(sink: EventSink<()>) -> Listener {
    Listener::new(&window(), "popstate", move |_: Event| sink.push(()))
}
