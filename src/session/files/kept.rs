//! The transfers that a tab stores for a reload.

use sightline_browser::page::storage::StorageArea;
use sightline_core::transfer::Records;

use crate::route::RoomLink;

const KEY: &str = "sightline.transfers.";

pub(super) fn load(room: &RoomLink) -> Option<Records> {
    Records::from_json(&StorageArea::Session.get(&key(room))?)
}

pub(super) fn store(room: &RoomLink, records: &Records) {
    if records.is_empty() {
        StorageArea::Session.remove(&key(room));
    } else {
        StorageArea::Session.set(&key(room), &records.to_json());
    }
}

/// Keeps the transfers under the link with another secret.
pub fn move_to(from: &RoomLink, to: &RoomLink) {
    StorageArea::Session.rename(&key(from), &key(to));
}

fn key(room: &RoomLink) -> String {
    format!("{KEY}{}", room.storage_key())
}
