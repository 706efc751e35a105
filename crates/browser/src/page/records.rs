//! Texts in IndexedDB: numbered records in groups. Where that is not possible (a private window, a full disk, a policy) they are
//! not stored, and nothing else fails.

use js_sys::Array;
use wasm_bindgen::JsValue;
use web_sys::{IdbKeyRange, IdbTransactionMode};

use super::database::{Database, range_of, values};
use crate::js::error::BrowserError;

/// An open database. Dropping it closes it after the running operations.
#[derive(Debug)]
pub struct Records(Database);

impl Records {
    /// Opens the database with this name, or creates it.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser stores nothing.
    pub async fn open(name: &str) -> Result<Self, BrowserError> {
        Database::open(name).await.map(Self)
    }

    /// The texts of a group, ordered by their numbers.
    ///
    /// # Errors
    /// [`BrowserError`] where they cannot be read.
    pub async fn of_group(&self, group: &str) -> Result<Vec<String>, BrowserError> {
        let store = self.0.store(IdbTransactionMode::Readonly)?;
        let texts = values(&store, &range_of(&[group.into()])?).await?;
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
        let store = self.0.store(IdbTransactionMode::Readwrite)?;
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
        self.0.remove(&IdbKeyRange::bound_with_lower_open_and_upper_open(
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
        self.0.remove(&range_of(&[group.into()])?)
    }

    /// Removes every group whose name sorts before this one.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn remove_groups_before(&self, group: &str) -> Result<(), BrowserError> {
        self.0.remove(&IdbKeyRange::upper_bound_with_open(&start_of(group), true)?)
    }
}

fn key(group: &str, number: u32) -> JsValue {
    Array::of(&[JsValue::from_str(group), JsValue::from(number)]).into()
}

/// A key that sorts before every number of the group.
fn start_of(group: &str) -> JsValue {
    Array::of(&[JsValue::from_str(group)]).into()
}
