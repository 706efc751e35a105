//! The page's life: seen or hidden, online or not, going away.

use web_sys::{Event, VisibilityState};

use super::window::window;
use crate::js::{event::Listener, queue::EventSink};

/// Whether the person can see the page.
#[must_use]
pub fn is_visible() -> bool {
    window().document().is_none_or(|document| document.visibility_state() != VisibilityState::Hidden)
}

/// Reports whether the page is visible, whenever that changes, until the listener is dropped.
#[must_use = "a dropped listener hears nothing"]
pub fn report_visibility(sink: EventSink<bool>) -> Option<Listener> {
    let document = window().document()?;
    Some(Listener::new(&document, "visibilitychange", move |_: Event| sink.push(is_visible())))
}

/// Reports that the page is shown again after it was kept aside (`pageshow` from the back-forward cache), until the
/// listener is dropped.
#[must_use = "a dropped listener hears nothing"]
pub fn report_return(sink: EventSink<()>) -> Listener {
    Listener::new(&window(), "pageshow", move |_: Event| sink.push(()))
}

/// Whether the computer believes to have a network.
#[must_use]
pub fn is_online() -> bool {
    window().navigator().on_line()
}

/// Reports whether the computer believes to have a network, whenever that changes. Two listeners.
#[must_use = "a dropped listener hears nothing"]
pub fn report_online(sink: EventSink<bool>) -> [Listener; 2] {
    let offline_sink = sink.clone();
    [
        Listener::new(&window(), "online", move |_: Event| sink.push(true)),
        Listener::new(&window(), "offline", move |_: Event| offline_sink.push(false)),
    ]
}

/// Calls `last_words` when the page goes away (`pagehide`), the one event after which no task runs any more, so it
/// cannot go through a queue.
#[must_use = "a dropped listener hears nothing"]
pub fn on_page_hide(mut last_words: impl FnMut() + 'static) -> Listener {
    Listener::new(&window(), "pagehide", move |_: Event| last_words())
}
