//! The title, the focus, and full screen.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::window::window;

/// Whether elements can be shown in full screen.
#[must_use]
pub fn has_fullscreen() -> bool {
    window().document().is_some_and(|document| document.fullscreen_enabled())
}

/// Shows an element in full screen, or ends that; must be called from a gesture. If the browser refuses, nothing changes.
pub fn toggle_fullscreen(element: &Element) {
    let Some(document) = window().document() else { return };
    if document.fullscreen_element().as_ref() == Some(element) {
        document.exit_fullscreen();
    } else {
        let _ = element.request_fullscreen();
    }
}

/// Says in the markup of the whole page whether it is busy, for its styles and for screen readers.
pub fn set_busy(is_busy: bool) {
    if let Some(body) = window().document().and_then(|document| document.body()) {
        // Fails only for a name that is none.
        let _ = body.set_attribute("aria-busy", if is_busy { "true" } else { "false" });
    }
}

/// Sets the title of the tab.
pub fn set_title(title: &str) {
    if let Some(document) = window().document() {
        document.set_title(title);
    }
}

/// Whether no control has the focus: none ever had it, the focused control is gone or hidden, or the focus is on an element that
/// only the page itself focuses.
#[must_use]
pub fn is_focus_lost() -> bool {
    let Some(active) = window().document().and_then(|document| document.active_element()) else {
        return true;
    };
    let is_hidden = active.dyn_ref::<HtmlElement>().is_some_and(|active| active.offset_width() == 0);
    is_hidden || active.matches("body, [tabindex='-1']").unwrap_or(true)
}

/// Scrolls to the element with this id and moves the focus there, if there is one that takes it.
pub fn go_to(id: &str) {
    let element = window().document().and_then(|document| document.get_element_by_id(id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.scroll_into_view();
        let _ = element.focus();
    }
}

/// Removes the focus from the focused element.
pub fn blur() {
    let active = window().document().and_then(|document| document.active_element());
    if let Some(active) = active.and_then(|active| active.dyn_into::<HtmlElement>().ok()) {
        let _ = active.blur();
    }
}
