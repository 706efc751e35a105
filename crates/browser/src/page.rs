//! The page's life: seen or hidden, online or not, going away.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, VisibilityState};

use crate::{event::Listener, queue::EventSink, window::window};

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

/// Whether an element can fill the screen.
#[must_use]
pub fn has_fullscreen() -> bool {
    window().document().is_some_and(|document| document.fullscreen_enabled())
}

/// Makes an element fill the screen, or puts it back; to be called from a gesture. A browser that does not want to
/// leaves it as it is.
pub fn toggle_fullscreen(element: &Element) {
    let Some(document) = window().document() else { return };
    if document.fullscreen_element().as_ref() == Some(element) {
        document.exit_fullscreen();
    } else {
        let _ = element.request_fullscreen();
    }
}

/// Sets what the tab is called.
pub fn set_title(title: &str) {
    if let Some(document) = window().document() {
        document.set_title(title);
    }
}

/// Whether no control has the focus: none ever had it, the one that had it is gone or hidden, or it is on something that
/// only the page itself focuses.
#[must_use]
pub fn is_focus_lost() -> bool {
    let Some(active) = window().document().and_then(|document| document.active_element()) else {
        return true;
    };
    let is_hidden = active.dyn_ref::<HtmlElement>().is_some_and(|active| active.offset_width() == 0);
    is_hidden || active.matches("body, [tabindex='-1']").unwrap_or(true)
}

/// Takes the focus away from whatever has it.
pub fn blur() {
    let active = window().document().and_then(|document| document.active_element());
    if let Some(active) = active.and_then(|active| active.dyn_into::<HtmlElement>().ok()) {
        let _ = active.blur();
    }
}
