//! A `details` element that Escape closes.

use leptos::{html, prelude::*};

use super::layers::layer;

/// The handle of the element. The component gives [`Self::node`] to its `details` element, and calls [`Self::handle_toggle`] on its
/// `toggle` event.
#[derive(Clone, Copy)]
pub struct Disclosure {
    /// The `details` element.
    pub node: NodeRef<html::Details>,
    /// Whether it is open.
    pub is_open: RwSignal<bool>,
}

impl Disclosure {
    /// Registers the layer for the lifetime of the component.
    #[must_use]
    pub fn register() -> Self {
        let (node, is_open) = (NodeRef::<html::Details>::new(), RwSignal::new(false));
        let close = move |()| {
            let Some(details) = node.get_untracked() else { return false };
            details.set_open(false);
            true
        };
        layer(is_open.into(), Callback::new(close), Callback::new(|()| {}));
        Self { node, is_open }
    }

    /// Notes that the element was opened or closed.
    pub fn handle_toggle(self) {
        self.is_open.set(self.node.get_untracked().is_some_and(|details| details.open()));
    }
}
