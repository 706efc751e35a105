//! The conversation of this tab, stored on the device so that a reload does not lose it.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError,
    page::{clock, random, records::Records, storage::StorageArea},
};
use sightline_core::chat::{KeptMessage, MAX_LOG};

use crate::route::RoomLink;

const DATABASE: &str = "sightline.chat";
const KEY: &str = "sightline.chat.";
/// How long a conversation is kept that nobody returned to: as long as a seat in a room can be resumed.
const KEPT_MS: u64 = 24 * 60 * 60 * 1000;
/// How long the database may take to open. Entering a room waits for it only in a tab that was in the room before. A busy computer
/// takes more than a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The storage of one tab's conversation in one room.
#[derive(Debug, Clone)]
pub struct ChatHistory {
    group: Rc<str>,
    store: Rc<RefCell<Store>>,
}

#[derive(Debug)]
enum Store {
    /// The latest messages wait until the database is open.
    Opening(Vec<(u32, String)>),
    Open(Records),
    /// The browser stores nothing.
    Off,
}

impl Store {
    fn put(&mut self, group: &str, texts: impl IntoIterator<Item = (u32, String)>) {
        match self {
            Self::Opening(waiting) => {
                waiting.extend(texts);
                waiting.drain(..waiting.len().saturating_sub(MAX_LOG));
            }
            // A full device stores no more; the conversation goes on.
            Self::Open(records) => {
                let _ = records.put(group, texts);
            }
            Self::Off => {}
        }
    }
}

impl ChatHistory {
    /// Opens the history of this tab in a room and reads it.
    pub async fn open(room: &RoomLink) -> (Self, Vec<KeptMessage>) {
        let key = format!("{KEY}{}", room.storage_key());
        let known = StorageArea::Session.get(&key);
        let is_new = known.is_none();
        let group = known.unwrap_or_else(|| {
            let group = format!("{} {} {:032x}", prefix(clock::unix_ms()), room.name, random::bits());
            StorageArea::Session.set(&key, &group);
            group
        });
        let store = Rc::new(RefCell::new(Store::Opening(Vec::new())));
        let history = Self { group: group.into(), store };
        if is_new {
            let opening = history.clone();
            spawn_local(async move {
                opening.read().await;
            });
            return (history, Vec::new());
        }
        let texts = history.read().await;
        let kept = texts.iter().filter_map(|text| KeptMessage::from_text(text)).collect();
        (history, kept)
    }

    /// Opens the database, and reads what it has.
    async fn read(&self) -> Vec<String> {
        let (reading, patience) = (read(&self.group), clock::sleep(PATIENCE));
        pin_mut!(reading, patience);
        let (opened, texts) = match select(reading, patience).await {
            Either::Left((Ok((records, texts)), _)) => (Store::Open(records), texts),
            Either::Left((Err(_), _)) | Either::Right(_) => (Store::Off, Vec::new()),
        };
        let mut store = self.store.borrow_mut();
        if let Store::Opening(waiting) = std::mem::replace(&mut *store, opened) {
            store.put(&self.group, waiting);
        }
        texts
    }

    /// Stores messages in their present state.
    pub fn keep(&self, messages: &[KeptMessage]) {
        let Some(newest) = messages.iter().map(|kept| kept.message.number.0).max() else { return };
        let texts = messages.iter().filter_map(|kept| Some((kept.message.number.0, kept.to_text()?)));
        let mut store = self.store.borrow_mut();
        store.put(&self.group, texts);
        if let (Store::Open(records), Some(oldest)) = (&*store, newest.checked_sub(MAX_LOG as u32)) {
            let _ = records.remove_before(&self.group, oldest);
        }
    }
}

async fn read(group: &str) -> Result<(Records, Vec<String>), BrowserError> {
    let records = Records::open(DATABASE).await?;
    // Groups that cannot be removed now are removed the next time.
    let _ = records.remove_groups_before(&prefix(clock::unix_ms().saturating_sub(KEPT_MS)));
    let texts = records.of_group(group).await?;
    Ok((records, texts))
}

/// Keeps the conversation of this tab under the link with another secret.
pub fn move_to(from: &RoomLink, to: &RoomLink) {
    let key = |room: &RoomLink| format!("{KEY}{}", room.storage_key());
    StorageArea::Session.rename(&key(from), &key(to));
}

/// Removes the conversation of this tab in a room.
pub fn forget(room: &RoomLink) {
    let key = format!("{KEY}{}", room.storage_key());
    let Some(group) = StorageArea::Session.get(&key) else { return };
    StorageArea::Session.remove(&key);
    spawn_local(async move {
        if let Ok(records) = Records::open(DATABASE).await {
            let _ = records.remove_group(&group);
        }
    });
}

/// A prefix that sorts groups by the time when they were begun.
fn prefix(unix_ms: u64) -> String {
    format!("{unix_ms:015}")
}
