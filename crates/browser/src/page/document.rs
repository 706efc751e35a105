//! The title, the focus, and what fills the screen.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::window::window;

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
