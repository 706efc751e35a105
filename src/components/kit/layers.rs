//! What lies open over the page, the newest on top: Escape closes that one, however it was opened.

use leptos::{ev, prelude::*};
use sightline_browser::page::{document, keyboard::is_escape};

/// Closes a layer; false where it was not to be seen, so that Escape is for the next one.
pub type Close = Callback<(), bool>;

#[derive(Debug, Clone, Copy)]
struct Layer {
    number: u32,
    close: Close,
    opener: Callback<()>,
}

/// The layers that are open, in context.
#[derive(Debug, Clone, Copy)]
pub struct Layers {
    open: StoredValue<Vec<Layer>>,
    next: StoredValue<u32>,
}

impl Layers {
    /// Listens for Escape and puts the handle into context.
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

/// Makes what is open while `is_open` says so a layer, for as long as the component exists. `opener` puts the focus on what
/// opens it: when it closes and nothing else has the focus, and when a key opened it.
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

/// Gives the focus to where one came from, unless something else has it by then.
pub fn return_focus(opener: Callback<()>) {
    request_animation_frame(move || {
        if document::is_focus_lost() {
            let _ = opener.try_run(());
        }
    });
}
