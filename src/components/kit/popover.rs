//! Opens and closes a popover: by its button, with Escape, and by a click elsewhere.

use leptos::{html, prelude::*};

use super::layers::{layer, return_focus};

/// A popover below the button that opens it.
#[derive(Clone, Copy)]
pub struct Popover {
    /// Whether it is open.
    pub is_open: RwSignal<bool>,
    /// The button, which gets the focus back when the popover closes.
    pub toggle: NodeRef<html::Button>,
    focus_toggle: Callback<()>,
}

impl Popover {
    /// Makes Escape close the popover until the current owner is disposed.
    #[must_use]
    pub fn new(is_open: RwSignal<bool>) -> Self {
        let toggle = NodeRef::<html::Button>::new();
        let focus_toggle = Callback::new(move |()| {
            if let Some(toggle) = toggle.get_untracked() {
                let _ = toggle.focus();
            }
        });
        let close = Callback::new(move |()| {
            is_open.set(false);
            true
        });
        layer(is_open.into(), close, focus_toggle);
        Self { is_open, toggle, focus_toggle }
    }

    /// Opens or closes the popover after a click on its button.
    pub fn switch(self) {
        self.is_open.update(|is_open| *is_open = !*is_open);
    }

    /// Closes the popover and returns the focus to the button.
    pub fn close(self) {
        self.is_open.set(false);
        return_focus(self.focus_toggle);
    }

    /// The value of the button's `aria-expanded`.
    #[must_use]
    pub fn expanded(self) -> Signal<String> {
        Signal::derive(move || self.is_open.get().to_string())
    }
}
