//! A received file in the origin private file system, with a journal of the bytes that are safely stored.

use js_sys::{Array, Promise, Uint8Array};
use sightline_core::transfer::{FLUSH_BYTES, JOURNAL_BYTES, Journal, PrefixHasher};
use sightline_protocol::transfer::{MAX_FILE_BYTES, Sha256Digest, TransferEnd};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    DedicatedWorkerGlobalScope, File, FileSystemDirectoryHandle, FileSystemFileHandle,
    FileSystemGetDirectoryOptions, FileSystemGetFileOptions, FileSystemReadWriteOptions,
    FileSystemSyncAccessHandle, StorageEstimate,
};

use crate::failure;

const FOLDER: &str = "transfers";
/// Bytes that must remain free beside the file.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
const READ_BYTES: usize = 1024 * 1024;
/// Number of attempts to open the file: after a reload the worker of the earlier page may still hold it.
const OPEN_TRIES: u32 = 40;
const OPEN_INTERVAL_MS: i32 = 100;
/// An operation that takes longer than this never completes.
const ANSWER_MS: i32 = 10_000;

/// A received file that is open.
pub(crate) struct DiskFile {
    name: String,
    folder: FileSystemDirectoryHandle,
    data: FileSystemSyncAccessHandle,
    journal: FileSystemSyncAccessHandle,
    entries: Journal,
    flushed_bytes: u64,
}

/// Whether this browser has such a file system in this window.
pub(crate) async fn is_there() -> bool {
    folder().await.is_ok()
}

/// The complete file with this name.
pub(crate) async fn fetch(name: &str) -> Option<File> {
    let handle = file_handle(&folder().await.ok()?, name, false).await.ok()?;
    Some(answer(handle.get_file()).await.ok()?.unchecked_into())
}

/// Deletes the file with this name, complete or not.
pub(crate) async fn discard(name: &str) {
    if let Ok(folder) = folder().await {
        remove(&folder, name).await;
        remove(&folder, &journal_name(name)).await;
    }
}

impl DiskFile {
    /// Creates a file, or opens the one that an earlier page stored and hashes its bytes again.
    pub(crate) async fn open(name: &str, size_bytes: u64) -> Result<(Self, PrefixHasher), TransferEnd> {
        let folder = folder().await.map_err(failure::of_storing)?;
        let data = access(&folder, name).await.map_err(failure::of_storing)?;
        let journal = access(&folder, &journal_name(name)).await.map_err(|thrown| {
            data.close();
            failure::of_storing(thrown)
        })?;
        let entries = Journal::default();
        let mut file = Self { name: name.to_owned(), folder, data, journal, entries, flushed_bytes: 0 };
        if size_bytes > MAX_FILE_BYTES {
            file.close();
            discard(name).await;
            return Err(TransferEnd::TooLarge);
        }
        let verified = file.recover(size_bytes);
        file.flushed_bytes = verified.length_bytes();
        let there_bytes = file.data.get_size().unwrap_or_default() as u64;
        if free_bytes()
            .await
            .is_some_and(|free| free.saturating_add(there_bytes) < size_bytes.saturating_add(SPARE_BYTES))
        {
            file.close();
            discard(name).await;
            return Err(TransferEnd::DiskFull);
        }
        Ok((file, verified))
    }

    /// Writes bytes at an offset.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), TransferEnd> {
        let written =
            self.data.write_with_u8_array_and_options(bytes, &at(offset)).map_err(failure::of_storing)?;
        if written as usize == bytes.len() { Ok(()) } else { Err(TransferEnd::DiskFull) }
    }

    /// Takes the number of written bytes; flushes and writes a journal entry at intervals.
    pub(crate) fn note(
        &mut self,
        verified_bytes: u64,
        digest: impl Fn() -> Sha256Digest,
    ) -> Result<(), TransferEnd> {
        if verified_bytes < self.flushed_bytes.saturating_add(FLUSH_BYTES) {
            return Ok(());
        }
        // The bytes are flushed before the entry about them.
        self.data.flush().map_err(failure::of_storing)?;
        let (place, entry) = self.entries.entry(verified_bytes, digest());
        self.journal.write_with_u8_array_and_options(&entry, &at(place)).map_err(failure::of_storing)?;
        self.journal.flush().map_err(failure::of_storing)?;
        self.flushed_bytes = verified_bytes;
        Ok(())
    }

    /// Completes the file, so that it can be saved.
    pub(crate) async fn complete(self) -> Result<File, TransferEnd> {
        self.data.flush().map_err(failure::of_storing)?;
        self.close();
        remove(&self.folder, &journal_name(&self.name)).await;
        fetch(&self.name).await.ok_or(TransferEnd::StorageRefused)
    }

    /// Deletes the file.
    pub(crate) async fn discard(self) {
        self.close();
        discard(&self.name).await;
    }

    fn close(&self) {
        self.data.close();
        self.journal.close();
    }

    /// Recovers the bytes that the journal lists, if they are intact.
    fn recover(&self, size_bytes: u64) -> PrefixHasher {
        let mut hasher = PrefixHasher::default();
        let Some((verified_bytes, digest)) = self.newest_entry().filter(|(bytes, _)| *bytes <= size_bytes)
        else {
            return hasher;
        };
        let mut buffer = vec![0; READ_BYTES];
        while hasher.length_bytes() < verified_bytes {
            let offset = hasher.length_bytes();
            let length = READ_BYTES.min((verified_bytes - offset) as usize);
            match self.data.read_with_u8_array_and_options(&mut buffer[..length], &at(offset)) {
                Ok(read) if read as usize == length => hasher.update(&buffer[..length]),
                _ => return PrefixHasher::default(),
            }
        }
        if hasher.digest() == digest { hasher } else { PrefixHasher::default() }
    }

    fn newest_entry(&self) -> Option<(u64, Sha256Digest)> {
        let mut stored = [0; JOURNAL_BYTES];
        let read = self.journal.read_with_u8_array_and_options(&mut stored, &at(0)).ok()? as usize;
        Journal::newest(stored.get(..read)?)
    }
}

fn journal_name(name: &str) -> String {
    format!("{name}.journal")
}

fn at(offset: u64) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(offset as f64);
    options
}

pub(crate) fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// `navigator.storage`, which is missing in an insecure context.
fn storage() -> Result<web_sys::StorageManager, JsValue> {
    let navigator = scope().navigator();
    let storage = js_sys::Reflect::get(&navigator, &"storage".into())?;
    storage.dyn_into().map_err(|_| JsValue::from_str("no storage"))
}

async fn folder() -> Result<FileSystemDirectoryHandle, JsValue> {
    let root: FileSystemDirectoryHandle = answer(storage()?.get_directory()).await?.unchecked_into();
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    let folder = root.get_directory_handle_with_options(FOLDER, &options);
    Ok(answer(folder).await?.unchecked_into())
}

async fn file_handle(
    folder: &FileSystemDirectoryHandle,
    name: &str,
    is_made: bool,
) -> Result<FileSystemFileHandle, JsValue> {
    let options = FileSystemGetFileOptions::new();
    options.set_create(is_made);
    Ok(answer(folder.get_file_handle_with_options(name, &options)).await?.unchecked_into())
}

async fn access(
    folder: &FileSystemDirectoryHandle,
    name: &str,
) -> Result<FileSystemSyncAccessHandle, JsValue> {
    let handle = file_handle(folder, name, true).await?;
    let mut tries = 0;
    loop {
        match answer(handle.create_sync_access_handle()).await {
            Ok(access) => return Ok(access.unchecked_into()),
            Err(thrown) if tries == OPEN_TRIES => return Err(thrown),
            Err(_) => tries += 1,
        }
        sleep(OPEN_INTERVAL_MS).await;
    }
}

async fn remove(folder: &FileSystemDirectoryHandle, name: &str) {
    // The file may not exist.
    let _ = answer(folder.remove_entry(name)).await;
}

async fn free_bytes() -> Option<u64> {
    let estimate: StorageEstimate = answer(storage().ok()?.estimate().ok()?).await.ok()?.unchecked_into();
    let (quota, usage) = (estimate.get_quota()?, estimate.get_usage()?);
    Some((quota - usage).max(0.0) as u64)
}

async fn sleep(duration_ms: i32) {
    let promise = Promise::new(&mut |resolve, _| {
        let _ = scope().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, duration_ms);
    });
    let _ = JsFuture::from(promise).await;
}

/// Waits for an answer of the storage with a time limit. If the site's data were cleared while a file was open, Chromium never
/// answers.
async fn answer(promise: Promise) -> Result<JsValue, JsValue> {
    let too_late = Promise::new(&mut |_, reject| {
        let _ = scope().set_timeout_with_callback_and_timeout_and_arguments_1(
            &reject,
            ANSWER_MS,
            &JsValue::from_str("no answer from the storage"),
        );
    });
    JsFuture::from(Promise::race(&Array::of2(&promise, &too_late))).await
}

/// A JavaScript array with a copy of the bytes.
pub(crate) fn copied(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}
