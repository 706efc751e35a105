//! The layers that are open over the page, newest on top: Escape closes the newest one, however it was opened.

use leptos::{ev, prelude::*};
use sightline_browser::page::{document, keyboard::is_escape};

/// Closes a layer; returns false if it was not visible, so that Escape closes the next one.
pub type Close = Callback<(), bool>;

#[derive(Debug, Clone, Copy)]
struct Layer {
    number: u32,
    close: Close,
    opener: Callback<()>,
}

/// The open layers, in the Leptos context.
#[derive(Debug, Clone, Copy)]
pub struct Layers {
    open: StoredValue<Vec<Layer>>,
    next: StoredValue<u32>,
}

impl Layers {
    /// Listens for Escape and puts the handle into the context.
    pub fn provide() {
        let layers = Self { open: StoredValue::new(Vec::new()), next: StoredValue::new(0) };
        let listener = window_event_listener(ev::keydown, move |event| {
            if is_escape(&event) && layers.close_newest() {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
        provide_context(layers);
    }

    fn close_newest(self) -> bool {
        let open = self.open.get_value();
        let closed = open.iter().rev().find(|layer| layer.close.try_run(()) == Some(true));
        if let Some(layer) = closed {
            return_focus(layer.opener);
        }
        closed.is_some()
    }

    fn set(self, layer: Layer, is_open: bool) {
        self.open.try_update_value(|open| {
            open.retain(|other| other.number != layer.number);
            if is_open {
                open.push(layer);
            }
        });
    }
}

/// Registers a layer, open while `is_open` is true, for the lifetime of the component. `opener` moves the focus to the button of
/// the layer: when the layer closes and no other element has the focus, and when a key opened it.
pub fn layer(is_open: Signal<bool>, close: Close, opener: Callback<()>) {
    let Some(layers) = use_context::<Layers>() else { return };
    let number = layers.next.get_value();
    layers.next.set_value(number.wrapping_add(1));
    let layer = Layer { number, close, opener };
    let is_open = Memo::new(move |_| is_open.get());
    Effect::new(move |was: Option<bool>| {
        let is_open = is_open.get();
        if was.unwrap_or_default() != is_open {
            layers.set(layer, is_open);
            if is_open {
                return_focus(opener);
            }
        }
        is_open
    });
    on_cleanup(move || layers.set(layer, false));
}

/// Returns the focus to the earlier element, unless another element has it by then.
pub fn return_focus(opener: Callback<()>) {
    request_animation_frame(move || {
        if document::is_focus_lost() {
            let _ = opener.try_run(());
        }
    });
}
