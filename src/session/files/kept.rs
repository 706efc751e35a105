//! The transfers that a tab stores for a reload.

use sightline_browser::page::storage::StorageArea;
use sightline_core::transfer::Records;
use sightline_protocol::RoomName;

const KEY: &str = "sightline.transfers.";

pub(super) fn load(room: &RoomName) -> Option<Records> {
    Records::from_json(&StorageArea::Session.get(&key(room))?)
}

pub(super) fn store(room: &RoomName, records: &Records) {
    if records.is_empty() {
        StorageArea::Session.remove(&key(room));
    } else {
        StorageArea::Session.set(&key(room), &records.to_json());
    }
}

fn key(room: &RoomName) -> String {
    format!("{KEY}{room}")
}
