//! A modal dialog that opens with its component.

use leptos::{html, prelude::*};

use super::layers::layer;

/// Opens the dialog as soon as it is in the page, and closes it by Escape. Returns the element's reference, and what closes it.
/// The browser returns the focus to the earlier element.
pub fn modal(is_open: Signal<bool>) -> (NodeRef<html::Dialog>, Callback<()>) {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get() {
            // `show_modal` throws if the dialog is open already.
            let _ = dialog.show_modal();
        }
    });
    let close = Callback::new(move |()| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    });
    let close_layer = Callback::new(move |()| {
        close.run(());
        true
    });
    layer(is_open, close_layer, Callback::new(|()| {}));
    (dialog, close)
}
