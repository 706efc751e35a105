//! Texts in IndexedDB: numbered records in groups. Where that is not possible (a private window, a full disk, a policy) they are
//! not stored, and nothing else fails.

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
pub struct Records {
    database: IdbDatabase,
}

impl Records {
    /// Opens the database with this name, or creates it.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser stores nothing.
    pub async fn open(name: &str) -> Result<Self, BrowserError> {
        let factory = window().indexed_db()?.ok_or_else(|| BrowserError::not_supported("indexedDB"))?;
        let request = factory.open_with_u32(name, VERSION)?;
        let _upgrade = on_upgrade(&request);
        let database = ended(&request).await?;
        Ok(Self { database: database.unchecked_into() })
    }

    /// The texts of a group, ordered by their numbers.
    ///
    /// # Errors
    /// [`BrowserError`] where they cannot be read.
    pub async fn of_group(&self, group: &str) -> Result<Vec<String>, BrowserError> {
        let range = IdbKeyRange::bound(&start_of(group), &end_of(group))?;
        let request = self.store(IdbTransactionMode::Readonly)?.get_all_with_key(&range)?;
        let texts: Array = ended(&request).await?.unchecked_into();
        Ok(texts.iter().filter_map(|text| text.as_string()).collect())
    }

    /// Stores texts under their numbers, in one transaction, and replaces earlier ones.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn put(
        &self,
        group: &str,
        texts: impl IntoIterator<Item = (u32, String)>,
    ) -> Result<(), BrowserError> {
        let store = self.store(IdbTransactionMode::Readwrite)?;
        for (number, text) in texts {
            store.put_with_key(&JsValue::from_str(&text), &key(group, number))?;
        }
        Ok(())
    }

    /// Removes the texts with smaller numbers.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn remove_before(&self, group: &str, number: u32) -> Result<(), BrowserError> {
        self.remove(&IdbKeyRange::bound_with_lower_open_and_upper_open(
            &start_of(group),
            &key(group, number),
            true,
            true,
        )?)
    }

    /// Removes a group with its texts.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn remove_group(&self, group: &str) -> Result<(), BrowserError> {
        self.remove(&IdbKeyRange::bound(&start_of(group), &end_of(group))?)
    }

    /// Removes every group whose name sorts before this one.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn remove_groups_before(&self, group: &str) -> Result<(), BrowserError> {
        self.remove(&IdbKeyRange::upper_bound_with_open(&start_of(group), true)?)
    }

    fn remove(&self, range: &IdbKeyRange) -> Result<(), BrowserError> {
        self.store(IdbTransactionMode::Readwrite)?.delete(range)?;
        Ok(())
    }

    fn store(&self, mode: IdbTransactionMode) -> Result<IdbObjectStore, BrowserError> {
        Ok(self.database.transaction_with_str_and_mode(STORE, mode)?.object_store(STORE)?)
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.database.close();
    }
}

fn key(group: &str, number: u32) -> JsValue {
    Array::of(&[JsValue::from_str(group), JsValue::from(number)]).into()
}

/// A key that sorts before every number of the group.
fn start_of(group: &str) -> JsValue {
    Array::of(&[JsValue::from_str(group)]).into()
}

/// A key that sorts after every number of the group: arrays sort after numbers.
fn end_of(group: &str) -> JsValue {
    Array::of(&[JsValue::from_str(group), Array::new().into()]).into()
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
