//! Keeps the screen on (W3C Screen Wake Lock API).

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Function, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::window::{member, window};
use crate::js::{error::BrowserError, promise::settled, queue::EventSink};

/// Keeps the screen on until this value is dropped. The browser releases the lock when the page is hidden: call [`Self::renew`]
/// when the page becomes visible again.
#[derive(Debug)]
pub struct WakeLock {
    held: Rc<Held>,
    refused: EventSink<BrowserError>,
}

#[derive(Debug, Default)]
struct Held {
    /// The `WakeLockSentinel`; `None` before the browser grants the lock.
    sentinel: RefCell<Option<JsValue>>,
    is_dropped: Cell<bool>,
}

impl WakeLock {
    /// Requests the lock. A rejection is reported to `refused`: the browser does not support the lock, the page is not visible,
    /// or the battery is low.
    #[must_use]
    pub fn hold(refused: EventSink<BrowserError>) -> Self {
        let lock = Self { held: Rc::default(), refused };
        lock.renew();
        lock
    }

    /// Requests the lock again. A lock that is still held is replaced.
    pub fn renew(&self) {
        let (held, refused) = (Rc::clone(&self.held), self.refused.clone());
        spawn_local(async move {
            match request().await {
                Ok(sentinel) => {
                    let before = held.sentinel.replace(Some(sentinel));
                    before.as_ref().map(release);
                    // The lock may be granted after this value was dropped.
                    if held.is_dropped.get() {
                        held.sentinel.take().as_ref().map(release);
                    }
                }
                Err(error) => refused.push(error),
            }
        });
    }
}

impl Drop for WakeLock {
    fn drop(&mut self) {
        self.held.is_dropped.set(true);
        self.held.sentinel.take().as_ref().map(release);
    }
}

async fn request() -> Result<JsValue, BrowserError> {
    let lock = member(&window().navigator(), "wakeLock")
        .ok_or_else(|| BrowserError::not_supported("navigator.wakeLock"))?;
    let request = member(&lock, "request").and_then(|request| request.dyn_into::<Function>().ok());
    let request = request.ok_or_else(|| BrowserError::not_supported("navigator.wakeLock.request"))?;
    settled(request.call1(&lock, &JsValue::from_str("screen"))?.unchecked_into::<Promise>()).await
}

fn release(sentinel: &JsValue) {
    if let Some(release) = member(sentinel, "release").and_then(|release| release.dyn_into::<Function>().ok())
    {
        // The promise is fulfilled even if the browser had already released the lock.
        let _ = release.call0(sentinel);
    }
}
