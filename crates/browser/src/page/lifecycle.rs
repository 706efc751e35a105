//! The life of the page: visible or hidden, online or offline, leaving.

use web_sys::{Event, VisibilityState};

use super::window::window;
use crate::js::{event::Listener, queue::EventSink};

/// Whether the page is visible.
#[must_use]
pub fn is_visible() -> bool {
    window().document().is_none_or(|document| document.visibility_state() != VisibilityState::Hidden)
}

/// Reports changes of visibility until the listener is dropped.
#[must_use = "a dropped listener hears nothing"]
pub fn report_visibility(sink: EventSink<bool>) -> Option<Listener> {
    let document = window().document()?;
    Some(Listener::new(&document, "visibilitychange", move |_: Event| sink.push(is_visible())))
}

/// Reports that the page returned from the back-forward cache (`pageshow`), until the listener is dropped.
#[must_use = "a dropped listener hears nothing"]
pub fn report_return(sink: EventSink<()>) -> Listener {
    Listener::new(&window(), "pageshow", move |_: Event| sink.push(()))
}

/// Whether the browser believes that there is a network.
#[must_use]
pub fn is_online() -> bool {
    window().navigator().on_line()
}

/// Reports changes of that belief. Returns two listeners.
#[must_use = "a dropped listener hears nothing"]
pub fn report_online(sink: EventSink<bool>) -> [Listener; 2] {
    let offline_sink = sink.clone();
    [
        Listener::new(&window(), "online", move |_: Event| sink.push(true)),
        Listener::new(&window(), "offline", move |_: Event| offline_sink.push(false)),
    ]
}

/// Calls `last_words` when the page goes away (`pagehide`). No task runs after that event, so it cannot go through a queue.
#[must_use = "a dropped listener hears nothing"]
pub fn on_page_hide(mut last_words: impl FnMut() + 'static) -> Listener {
    Listener::new(&window(), "pagehide", move |_: Event| last_words())
}
