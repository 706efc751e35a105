//! The conversation of this tab, stored on the device so that a reload does not lose it.

use std::{rc::Rc, time::Duration};

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
/// How long entering a room waits for the stored conversation; a busy computer takes more than a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// The storage of one tab's conversation in one room.
#[derive(Debug, Clone)]
pub struct ChatHistory {
    group: Rc<str>,
    records: Option<Rc<Records>>,
}

impl ChatHistory {
    /// Opens the history of this tab in a room and reads it.
    pub async fn open(room: &RoomLink) -> (Self, Vec<KeptMessage>) {
        let key = format!("{KEY}{}", room.storage_key());
        let group = StorageArea::Session.get(&key).unwrap_or_else(|| {
            let group = format!("{} {} {:032x}", prefix(clock::unix_ms()), room.name, random::bits());
            StorageArea::Session.set(&key, &group);
            group
        });
        let group: Rc<str> = group.into();
        let (reading, patience) = (read(&group), clock::sleep(PATIENCE));
        pin_mut!(reading, patience);
        let (records, texts) = match select(reading, patience).await {
            Either::Left((Ok((records, texts)), _)) => (Some(Rc::new(records)), texts),
            Either::Left((Err(_), _)) | Either::Right(_) => (None, Vec::new()),
        };
        let kept = texts.iter().filter_map(|text| KeptMessage::from_text(text)).collect();
        (Self { group: Rc::clone(&group), records }, kept)
    }

    /// Stores messages in their present state.
    pub fn keep(&self, messages: &[KeptMessage]) {
        let Some(newest) = messages.iter().map(|kept| kept.message.number.0).max() else { return };
        let Some(records) = &self.records else { return };
        let texts = messages.iter().filter_map(|kept| Some((kept.message.number.0, kept.to_text()?)));
        // A full device stores no more; the conversation goes on.
        let _ = records.put(&self.group, texts);
        if let Some(oldest) = newest.checked_sub(MAX_LOG as u32) {
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
