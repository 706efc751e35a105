//! The page's address.

use wasm_bindgen::JsValue;
use web_sys::Event;

use super::window::window;
use crate::js::{event::Listener, queue::EventSink};

/// The parts of a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// `https://example.org`, without a slash at the end.
    pub origin: String,
    /// The path, for example `/room/x`.
    pub path: String,
    /// The query with its question mark (`?name=x`), or empty.
    pub query: String,
    /// The fragment with its `#`, or empty.
    pub fragment: String,
}

impl Location {
    /// The present address of the page.
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

/// The base of relative addresses (`document.baseURI`, which follows `<base>`).
#[must_use]
pub fn base() -> String {
    window().document().and_then(|document| document.base_uri().ok().flatten()).unwrap_or_default()
}

/// The server in a static host's `config.js` (`window.sightlineServer`), if it names one.
#[must_use]
pub fn configured_server() -> Option<String> {
    let named = js_sys::Reflect::get(&window(), &JsValue::from_str("sightlineServer")).ok()?;
    named.as_string().filter(|named| !named.is_empty())
}

/// Changes the address without loading the page, with a new entry of the history.
pub fn push(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Changes the address without loading the page, in the present entry of the history.
pub fn replace(address: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Loads the page again.
pub fn reload() {
    let _ = window().location().reload();
}

/// Reports when the person goes back or forward in the history (`popstate`).
#[must_use = "a dropped listener hears nothing"]
pub fn report_navigation(sink: EventSink<()>) -> Listener {
    Listener::new(&window(), "popstate", move |_: Event| sink.push(()))
}
