//! Handles of files that are sent, kept on the device so that a reload does not forget them.

use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError, clock,
    files::{FileHandle, PickedFile},
    queue::EventSink,
    records::Records,
    storage::StorageArea,
};
use sightline_core::transfer::TransferHandle;
use sightline_protocol::{TransferId, transfer::TransferEnd};

use crate::session::input::Input;

const DATABASE: &str = "sightline.files";
const KEY: &str = "sightline.files.since";
/// What nobody came back to is kept as long as a place in a room can be resumed.
const KEPT_MS: u64 = 24 * 60 * 60 * 1000;

/// Keeps the handle of a file that is offered. Where the device does not, the person chooses it again after a reload.
pub(super) fn keep(transfer: &TransferId, handle: &FileHandle) {
    let (group, handle) = (group(transfer), handle.clone());
    spawn_local(async move {
        if let Ok(records) = open().await {
            let _ = handle.keep(&records, &group);
        }
    });
}

/// Forgets a handle.
pub(super) fn forget(transfer: &TransferId) {
    let group = group(transfer);
    spawn_local(async move {
        if let Ok(records) = open().await {
            let _ = records.remove_group(&group);
        }
    });
}

/// Looks for the handle of a transfer that waits for its file. Where it may be read at once, the transfer goes on by itself.
pub(super) fn look_for(transfer: TransferHandle, id: &TransferId, inputs: &EventSink<Input>) {
    let (group, inputs) = (group(id), inputs.clone());
    spawn_local(async move {
        let Ok(records) = open().await else { return };
        let Some(handle) = FileHandle::kept(&records, &group).await else { return };
        if handle.is_granted().await {
            read(transfer, handle, &inputs).await;
        } else {
            inputs.push(Input::FileHandle(transfer, handle));
        }
    });
}

/// Asks the person for the file, in a gesture, and reads it.
pub(super) fn ask(transfer: TransferHandle, handle: FileHandle, inputs: &EventSink<Input>) {
    let inputs = inputs.clone();
    spawn_local(async move {
        // Who says no can still choose the file again, or say yes the next time.
        if handle.ask().await {
            read(transfer, handle, &inputs).await;
        }
    });
}

async fn read(transfer: TransferHandle, handle: FileHandle, inputs: &EventSink<Input>) {
    let found = PickedFile::of_handle(handle).await.map_err(|_| TransferEnd::FileUnreadable);
    inputs.push(Input::FileFound(transfer, found));
}

async fn open() -> Result<Records, BrowserError> {
    let records = Records::open(DATABASE).await?;
    // What cannot be removed now is removed the next time.
    let _ = records.remove_groups_before(&prefix(clock::unix_ms().saturating_sub(KEPT_MS)));
    Ok(records)
}

/// Of a transfer, after the time when this tab began to keep handles.
fn group(transfer: &TransferId) -> String {
    let since = StorageArea::Session.get(KEY).unwrap_or_else(|| {
        let since = prefix(clock::unix_ms());
        StorageArea::Session.set(KEY, &since);
        since
    });
    format!("{since} {transfer}")
}

/// Sorts groups by time.
fn prefix(unix_ms: u64) -> String {
    format!("{unix_ms:015}")
}
