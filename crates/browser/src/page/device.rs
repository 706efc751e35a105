//! The key pair of this browser profile, and texts about the people that it recognizes with it, in IndexedDB.
//!
//! Each text belongs to the key pair that was there when it was stored: without that key pair it is worth nothing.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use web_sys::IdbTransactionMode;

use super::{
    database::{Database, range_of, values},
    key_pair::KeyPair,
};
use crate::js::error::BrowserError;

/// An open database. Dropping it closes it after the running operations.
#[derive(Debug)]
pub struct DeviceStore(Database);

impl DeviceStore {
    /// Opens the database with this name, or creates it.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser stores nothing.
    pub async fn open(name: &str) -> Result<Self, BrowserError> {
        Database::open(name).await.map(Self)
    }

    /// The key pair, if there is one.
    ///
    /// # Errors
    /// [`BrowserError`] where it cannot be read.
    pub async fn key_pair(&self) -> Result<Option<KeyPair>, BrowserError> {
        let store = self.0.store(IdbTransactionMode::Readonly)?;
        let pair = values(&store, &range_of(&key_of_pair())?).await?.get(0);
        if pair.is_undefined() { Ok(None) } else { KeyPair::of_value(pair).await.map(Some) }
    }

    /// The key pair. Makes one if there is none; pages that do so at the same time all get the same one.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser cannot make or store one.
    pub async fn key_pair_or_new(&self) -> Result<KeyPair, BrowserError> {
        if let Some(pair) = self.key_pair().await? {
            return Ok(pair);
        }
        // Before the transaction, which ends while something else is awaited.
        let made = KeyPair::generate().await?;
        let store = self.0.store(IdbTransactionMode::Readwrite)?;
        if values(&store, &range_of(&key_of_pair())?).await?.length() == 0 {
            store.put_with_key(made.as_value(), &array(&key_of_pair()))?;
        }
        // What was really stored counts: another page may have been faster, and the disk may be full.
        self.key_pair().await?.ok_or_else(|| BrowserError::not_supported("CryptoKey in IndexedDB"))
    }

    /// The texts that belong to a key pair.
    ///
    /// # Errors
    /// [`BrowserError`] where they cannot be read.
    pub async fn texts(&self, pair: &KeyPair) -> Result<Vec<String>, BrowserError> {
        let store = self.0.store(IdbTransactionMode::Readonly)?;
        let texts = values(&store, &range_of(&key_of_texts(pair))?).await?;
        Ok(texts.iter().filter_map(|text| text.as_string()).collect())
    }

    /// Stores a text, in place of an earlier one with the same id.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn put(&self, pair: &KeyPair, id: &str, text: &str) -> Result<(), BrowserError> {
        let store = self.0.store(IdbTransactionMode::Readwrite)?;
        store.put_with_key(&text.into(), &array(&key_of_text(pair, id)))?;
        Ok(())
    }

    /// Removes a text.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn remove(&self, pair: &KeyPair, id: &str) -> Result<(), BrowserError> {
        self.0.remove(&range_of(&key_of_text(pair, id))?)
    }

    /// Removes the key pair and all texts.
    ///
    /// # Errors
    /// [`BrowserError`] where the failure is known at once.
    pub fn clear(&self) -> Result<(), BrowserError> {
        self.0.remove(&range_of(&[])?)
    }
}

fn key_of_pair() -> [JsValue; 1] {
    ["key".into()]
}

fn key_of_texts(pair: &KeyPair) -> [JsValue; 2] {
    ["people".into(), Uint8Array::from(pair.public_key()).into()]
}

fn key_of_text(pair: &KeyPair, id: &str) -> [JsValue; 3] {
    let [people, key] = key_of_texts(pair);
    [people, key, id.into()]
}

fn array(key: &[JsValue]) -> JsValue {
    key.iter().collect::<Array>().into()
}
