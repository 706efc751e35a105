//! A database in IndexedDB with one store of values under array keys.

use std::{cell::RefCell, rc::Rc};

use futures_channel::oneshot;
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, IdbDatabase, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransactionMode,
};

use super::window::window;
use crate::js::{error::BrowserError, event::Listener};

const VERSION: u32 = 1;
const STORE: &str = "records";

/// An open database. Dropping it closes it after the running operations.
#[derive(Debug)]
pub(super) struct Database(IdbDatabase);

impl Database {
    /// Opens the database with this name, or creates it.
    pub(super) async fn open(name: &str) -> Result<Self, BrowserError> {
        let factory = window().indexed_db()?.ok_or_else(|| BrowserError::not_supported("indexedDB"))?;
        let request = factory.open_with_u32(name, VERSION)?;
        let _upgrade = on_upgrade(&request);
        Ok(Self(ended(&request).await?.unchecked_into()))
    }

    /// The store, in a new transaction. The transaction ends as soon as it has nothing to do.
    pub(super) fn store(&self, mode: IdbTransactionMode) -> Result<IdbObjectStore, BrowserError> {
        Ok(self.0.transaction_with_str_and_mode(STORE, mode)?.object_store(STORE)?)
    }

    /// Removes what a range of keys has.
    pub(super) fn remove(&self, range: &IdbKeyRange) -> Result<(), BrowserError> {
        self.store(IdbTransactionMode::Readwrite)?.delete(range)?;
        Ok(())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// The keys that begin with this one, and the key itself. Arrays sort after texts and numbers.
pub(super) fn range_of(key: &[JsValue]) -> Result<IdbKeyRange, BrowserError> {
    let (first, last): (Array, Array) = (key.iter().collect(), key.iter().collect());
    last.push(&Array::new());
    Ok(IdbKeyRange::bound(&first, &last)?)
}

/// The values under a range of keys, in their order.
pub(super) async fn values(store: &IdbObjectStore, range: &IdbKeyRange) -> Result<Array, BrowserError> {
    Ok(ended(&store.get_all_with_key(range)?).await?.unchecked_into())
}

fn on_upgrade(request: &IdbOpenDbRequest) -> Listener {
    let opening = request.clone();
    Listener::new(request, "upgradeneeded", move |_: Event| {
        if let Ok(database) = opening.result() {
            // Fails only if the store exists already.
            let _ = database.unchecked_into::<IdbDatabase>().create_object_store(STORE);
        }
    })
}

/// The result of a request.
async fn ended(request: &IdbRequest) -> Result<JsValue, BrowserError> {
    let (sender, receiver) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let on = |name| {
        let sender = Rc::clone(&sender);
        Listener::new(request, name, move |_: Event| {
            if let Some(sender) = sender.borrow_mut().take() {
                // Nobody is waiting any more.
                let _ = sender.send(());
            }
        })
    };
    // `blocked`: another tab has an older version of the database open.
    let _listeners = ["success", "error", "blocked"].map(on);
    let _ = receiver.await;
    match request.error() {
        Ok(None) => Ok(request.result()?),
        Ok(Some(error)) => Err(JsValue::from(error).into()),
        Err(error) => Err(error.into()),
    }
}
