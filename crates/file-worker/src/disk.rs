//! A file that comes, in the origin private file system, with a journal of what is surely there.

use js_sys::{Array, Promise, Uint8Array};
use sightline_core::transfer::PrefixHasher;
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
/// A reload loses at most so much of what came.
const FLUSH_BYTES: u64 = 4 * 1024 * 1024;
/// What has to stay free beside the file.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
const READ_BYTES: usize = 1024 * 1024;
/// A page that is loaded again may come before the worker of the one before has let go of the file.
const OPEN_TRIES: u32 = 40;
const OPEN_INTERVAL_MS: i32 = 100;
/// What does not answer within this will not.
const ANSWER_MS: i32 = 10_000;
/// A length, the hash of so much of the file, and 8 bytes of their own hash: written in turns to two places, so that
/// one is whole whenever the other is being written.
const ENTRY_BYTES: usize = 48;

/// An open file.
pub(crate) struct DiskFile {
    name: String,
    folder: FileSystemDirectoryHandle,
    data: FileSystemSyncAccessHandle,
    journal: FileSystemSyncAccessHandle,
    flushed_bytes: u64,
    entries: u64,
}

/// Whether this browser, in this window, has such a file system at all.
pub(crate) async fn is_there() -> bool {
    folder().await.is_ok()
}

/// A complete file of this name.
pub(crate) async fn fetch(name: &str) -> Option<File> {
    let handle = file_handle(&folder().await.ok()?, name, false).await.ok()?;
    Some(answer(handle.get_file()).await.ok()?.unchecked_into())
}

/// Throws a file of this name away, whatever there is of it.
pub(crate) async fn discard(name: &str) {
    if let Ok(folder) = folder().await {
        remove(&folder, name).await;
        remove(&folder, &journal_name(name)).await;
    }
}

impl DiskFile {
    /// Makes a place for a file, or finds what an earlier page has stored of it and hashes that again.
    pub(crate) async fn open(name: &str, size_bytes: u64) -> Result<(Self, PrefixHasher), TransferEnd> {
        let folder = folder().await.map_err(failure::of_storing)?;
        let data = access(&folder, name).await.map_err(failure::of_storing)?;
        let journal = access(&folder, &journal_name(name)).await.map_err(|thrown| {
            data.close();
            failure::of_storing(thrown)
        })?;
        let mut file = Self { name: name.to_owned(), folder, data, journal, flushed_bytes: 0, entries: 0 };
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

    /// Writes at a place.
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), TransferEnd> {
        let written =
            self.data.write_with_u8_array_and_options(bytes, &at(offset)).map_err(failure::of_storing)?;
        if written as usize == bytes.len() { Ok(()) } else { Err(TransferEnd::DiskFull) }
    }

    /// So much is written: now and then that is made sure of, and noted.
    pub(crate) fn note(
        &mut self,
        verified_bytes: u64,
        digest: impl Fn() -> Sha256Digest,
    ) -> Result<(), TransferEnd> {
        if verified_bytes < self.flushed_bytes.saturating_add(FLUSH_BYTES) {
            return Ok(());
        }
        // First the bytes, then the note of them.
        self.data.flush().map_err(failure::of_storing)?;
        let mut entry = [0; ENTRY_BYTES];
        entry[..8].copy_from_slice(&verified_bytes.to_be_bytes());
        entry[8..40].copy_from_slice(&digest().0);
        let check = check_of(&entry);
        entry[40..].copy_from_slice(&check);
        self.entries += 1;
        let place = at((self.entries % 2) * ENTRY_BYTES as u64);
        self.journal.write_with_u8_array_and_options(&entry, &place).map_err(failure::of_storing)?;
        self.journal.flush().map_err(failure::of_storing)?;
        self.flushed_bytes = verified_bytes;
        Ok(())
    }

    /// The whole file is written: it becomes one that can be saved.
    pub(crate) async fn complete(self) -> Result<File, TransferEnd> {
        self.data.flush().map_err(failure::of_storing)?;
        self.close();
        remove(&self.folder, &journal_name(&self.name)).await;
        fetch(&self.name).await.ok_or(TransferEnd::StorageRefused)
    }

    /// Throws it away.
    pub(crate) async fn discard(self) {
        self.close();
        discard(&self.name).await;
    }

    fn close(&self) {
        self.data.close();
        self.journal.close();
    }

    /// What the journal says is there, if it is.
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
        let mut both = [0; 2 * ENTRY_BYTES];
        let read = self.journal.read_with_u8_array_and_options(&mut both, &at(0)).ok()? as usize;
        let entries = both[..read].chunks_exact(ENTRY_BYTES).filter_map(|entry| {
            let entry: &[u8; ENTRY_BYTES] = entry.try_into().ok()?;
            let verified_bytes = u64::from_be_bytes(entry[..8].try_into().ok()?);
            let digest = Sha256Digest(entry[8..40].try_into().ok()?);
            (check_of(entry) == entry[40..]).then_some((verified_bytes, digest))
        });
        entries.max_by_key(|(verified_bytes, _)| *verified_bytes)
    }
}

fn check_of(entry: &[u8; ENTRY_BYTES]) -> [u8; 8] {
    let mut hasher = PrefixHasher::default();
    hasher.update(&entry[..40]);
    let mut check = [0; 8];
    check.copy_from_slice(&hasher.digest().0[..8]);
    check
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

/// `navigator.storage`, which an insecure context does not have.
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
    // It may not be there.
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

/// What the storage answers. Of one whose data were cleared while a file was open, Chromium answers nothing, ever.
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

/// Bytes as a JavaScript array of its own.
pub(crate) fn copied(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}
