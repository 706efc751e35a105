//! Saves many received files at once: into a folder that the person chooses, where the browser can write to one, or else as a ZIP
//! archive. Neither loads the files into memory: the archive is a `Blob` of headers and files.

use std::collections::HashSet;

use js_sys::{Array, Promise, Uint8Array};
use sightline_core::transfer::{Archive, Crc32, numbered};
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{Blob, BlobPropertyBag, File};

use super::object_url;
use crate::{
    js::{
        array_buffer,
        dictionary::dictionary,
        error::{BrowserError, BrowserErrorKind},
        promise::settled,
    },
    page::window::{member, window},
};

/// Bytes that are read at a time for the checksum of an archive's file.
const READ_BYTES: f64 = 1024.0 * 1024.0;
/// Most files of one name in a folder.
const MAX_TRIES: usize = 1000;

/// A received file, with a safe name and folder.
#[derive(Debug, Clone)]
pub struct ReceivedFile {
    /// Folders separated by `/`; empty for none.
    pub folder: String,
    /// The name to save the file under.
    pub name: String,
    /// The bytes.
    pub file: File,
}

/// The end of saving several files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saving {
    /// The browser writes all of them, or has done so.
    Done,
    /// The person chose no folder.
    Cancelled,
    /// Some could not be read or written.
    Failed,
}

/// Saves the files; must be called from a gesture. Each file that was written into a folder is passed to `is_saved` by its place
/// in the list; an archive saves all at its end.
pub async fn save_all(archive_name: &str, files: &[ReceivedFile], mut is_saved: impl FnMut(usize)) -> Saving {
    let chosen = match member(&window(), "showDirectoryPicker") {
        Some(picker) => choose_folder(&picker).await,
        None => Err(BrowserError::not_supported("showDirectoryPicker")),
    };
    let root = match chosen {
        Ok(root) => root,
        Err(error) if error.kind() == BrowserErrorKind::Abort => return Saving::Cancelled,
        Err(_) => {
            let made = archive(files).await.and_then(|blob| object_url::download(archive_name, &blob));
            if made.is_err() {
                return Saving::Failed;
            }
            (0..files.len()).for_each(is_saved);
            return Saving::Done;
        }
    };
    let mut outcome = Saving::Done;
    for (at, file) in files.iter().enumerate() {
        match write(&root, file).await {
            Ok(()) => is_saved(at),
            Err(_) => outcome = Saving::Failed,
        }
    }
    outcome
}

async fn choose_folder(picker: &JsValue) -> Result<Directory, BrowserError> {
    let options = dictionary(&[("mode", "readwrite".into()), ("startIn", "downloads".into())]);
    let promise = picker.unchecked_ref::<js_sys::Function>().call1(&window(), &options)?;
    Ok(settled(promise.unchecked_into::<Promise>()).await?.unchecked_into())
}

async fn write(root: &Directory, file: &ReceivedFile) -> Result<(), BrowserError> {
    let create: JsValue = dictionary(&[("create", JsValue::TRUE)]).into();
    let mut folder = root.clone();
    for part in file.folder.split('/').filter(|part| !part.is_empty()) {
        folder = settled(folder.directory(part, &create)).await?.unchecked_into();
    }
    // Files in the chosen folder are kept.
    let mut taken = HashSet::new();
    let mut name = file.name.clone();
    while settled(folder.file(&name, &JsValue::UNDEFINED)).await.is_ok() {
        if taken.len() == MAX_TRIES {
            return Err(BrowserError::not_supported("another file of this name"));
        }
        taken.insert(name.to_lowercase());
        name = numbered(&file.name, |candidate| taken.contains(candidate));
    }
    let handle: FileHandle = settled(folder.file(&name, &create)).await?.unchecked_into();
    let writable: Writable = settled(handle.create_writable()).await?.unchecked_into();
    settled(writable.write(&file.file)).await?;
    settled(writable.close()).await.map(drop)
}

async fn archive(files: &[ReceivedFile]) -> Result<Blob, BrowserError> {
    let (mut archive, mut crc32, mut buffer) = (Archive::default(), Crc32::default(), Vec::new());
    let parts = Array::new();
    for ReceivedFile { folder, name, file } in files {
        let mut at = 0.0;
        while at < file.size() {
            let slice = file.slice_with_f64_and_f64(at, at + READ_BYTES)?;
            let block = Uint8Array::new(&settled(slice.array_buffer()).await?);
            if block.length() == 0 {
                return Err(BrowserError::not_supported("a file that became shorter"));
            }
            at += f64::from(block.length());
            buffer.resize(block.length() as usize, 0);
            block.copy_to(&mut buffer);
            array_buffer::release(&block.buffer());
            crc32.update(&buffer);
        }
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let header = archive.add(&path, file.size() as u64, crc32.take());
        parts.push(&Uint8Array::from(&*header));
        parts.push(file);
    }
    parts.push(&Uint8Array::from(&*archive.finish()));
    let options = BlobPropertyBag::new();
    options.set_type("application/zip");
    Ok(Blob::new_with_blob_sequence_and_options(&parts, &options)?)
}

/// The File System API, of which Chromium has the part that writes outside the origin's own storage.
#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type Directory;
    #[wasm_bindgen(method, js_name = getDirectoryHandle)]
    fn directory(this: &Directory, name: &str, options: &JsValue) -> Promise;
    #[wasm_bindgen(method, js_name = getFileHandle)]
    fn file(this: &Directory, name: &str, options: &JsValue) -> Promise;

    type FileHandle;
    #[wasm_bindgen(method, js_name = createWritable)]
    fn create_writable(this: &FileHandle) -> Promise;

    type Writable;
    #[wasm_bindgen(method)]
    fn write(this: &Writable, data: &File) -> Promise;
    #[wasm_bindgen(method)]
    fn close(this: &Writable) -> Promise;
}
