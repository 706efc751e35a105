//! Event listeners that are removed with their owner.

use std::fmt;

use js_sys::Function;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget};

/// A listener on a browser object, removed when this is dropped.
pub struct Listener {
    target: EventTarget,
    event: &'static str,
    callback: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `callback` for every `event` of `target` until this is dropped.
    ///
    /// `E` is the interface that the specification gives the event; it is not checked. The callback only pushes into an
    /// [`crate::js::queue::EventSink`]; it never runs application code.
    #[must_use = "a dropped listener hears nothing"]
    pub fn new<E: JsCast + 'static>(
        target: &EventTarget,
        event: &'static str,
        mut callback: impl FnMut(E) + 'static,
    ) -> Self {
        let callback = Closure::<dyn FnMut(Event)>::new(move |event: Event| callback(event.unchecked_into()));
        // Throws only if the callback is not an object.
        let _ = target.add_event_listener_with_callback(event, as_function(&callback));
        Self { target: target.clone(), event, callback }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.event, as_function(&self.callback));
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Listener").field("event", &self.event).finish_non_exhaustive()
    }
}

fn as_function(callback: &Closure<dyn FnMut(Event)>) -> &Function {
    callback.as_ref().unchecked_ref()
}
