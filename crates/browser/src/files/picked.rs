//! Files that a person chose, dropped or pasted.

use js_sys::{Array, Function, Promise};
use sightline_core::transfer::FileDescription;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::*};
use web_sys::{DataTransfer, File, FileList, HtmlInputElement};

use crate::{promise::settled, window::member};

/// Files that one choice gives at most; more were a mistake.
const MAX_PICKED: usize = 1000;
/// Folders inside each other.
const MAX_DEPTH: usize = 16;

/// A file of this computer, which is not read before it is sent.
#[derive(Debug, Clone)]
pub struct PickedFile {
    file: File,
    folder: String,
}

impl PickedFile {
    fn new(file: File, folder: String) -> Self {
        Self { file, folder }
    }

    /// What is told of it.
    #[must_use]
    pub fn description(&self) -> FileDescription {
        FileDescription {
            name: self.file.name(),
            folder: self.folder.clone(),
            size_bytes: self.file.size() as u64,
            media_type: self.file.type_(),
            modified_ms: self.file.last_modified() as u64,
        }
    }

    /// The file, for the worker.
    #[must_use]
    pub fn file(&self) -> File {
        self.file.clone()
    }
}

/// What was chosen in an `<input type="file">`, which is empty again afterwards, so that the same can be chosen anew.
#[must_use]
pub fn input_files(input: &HtmlInputElement) -> Vec<PickedFile> {
    let picked = input.files().map(|files| list(&files)).unwrap_or_default();
    input.set_value("");
    picked
}

/// Makes an `<input type="file">` one for folders.
pub fn choose_folders(input: &HtmlInputElement) {
    input.set_webkitdirectory(true);
}

/// What was pasted; empty where it is text.
#[must_use]
pub fn pasted_files(data: Option<DataTransfer>) -> Vec<PickedFile> {
    data.and_then(|data| data.files()).map(|files| list(&files)).unwrap_or_default()
}

/// What was dropped, with everything in the folders among it. To be called in the event: the list is empty after it.
pub fn dropped_files(data: &DataTransfer) -> impl Future<Output = Vec<PickedFile>> + use<> {
    let items = data.items();
    let entries: Vec<Entry> = (0..items.length())
        .filter_map(|at| items.get(at))
        .filter_map(|item| item.unchecked_into::<EntryItem>().webkit_get_as_entry())
        .collect();
    let plain = data.files().map(|files| list(&files)).unwrap_or_default();
    async move {
        if entries.is_empty() {
            return plain;
        }
        let mut picked = Vec::new();
        let mut waiting: Vec<_> = entries.into_iter().rev().map(|entry| (entry, String::new(), 0)).collect();
        while let Some((entry, folder, depth)) = waiting.pop() {
            if picked.len() >= MAX_PICKED {
                break;
            }
            if entry.is_file() {
                if let Some(file) = called_back(|found, failed| entry.file(found, failed)).await {
                    picked.push(PickedFile::new(file.unchecked_into(), folder));
                }
            } else if depth < MAX_DEPTH {
                let inner =
                    if folder.is_empty() { entry.name() } else { format!("{folder}/{}", entry.name()) };
                let children = children(&entry).await;
                waiting.extend(children.into_iter().rev().map(|child| (child, inner.clone(), depth + 1)));
            }
        }
        picked
    }
}

fn list(files: &FileList) -> Vec<PickedFile> {
    let count = files.length().min(MAX_PICKED as u32);
    let file = |at| files.get(at).map(|file| PickedFile::new(file.clone(), folder_of(&file)));
    (0..count).filter_map(file).collect()
}

/// The folders of `webkitRelativePath`, which has the file's name at its end.
fn folder_of(file: &File) -> String {
    let path = member(file, "webkitRelativePath").and_then(|path| path.as_string()).unwrap_or_default();
    path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default()
}

/// A reader gives a part of a folder at a time (Chromium: a hundred), and at last nothing.
async fn children(folder: &Entry) -> Vec<Entry> {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    while all.len() < MAX_PICKED {
        let part = called_back(|found, failed| reader.read_entries(found, failed)).await;
        let part: Vec<Entry> = part
            .map(|part| Array::from(&part).iter().map(JsCast::unchecked_into).collect())
            .unwrap_or_default();
        if part.is_empty() {
            break;
        }
        all.extend(part);
    }
    all
}

type Callback = Closure<dyn FnMut(JsValue)>;

/// Waits for one of two callbacks; `None` where it was the one for failure.
async fn called_back(call: impl Fn(&Function, &Function)) -> Option<JsValue> {
    // Both live until the promise is settled.
    let mut kept: Vec<Callback> = Vec::new();
    let promise = Promise::new(&mut |resolve, reject| {
        let found = Callback::new(move |value: JsValue| {
            let _ = resolve.call1(&JsValue::UNDEFINED, &value);
        });
        let failed = Callback::new(move |value: JsValue| {
            let _ = reject.call1(&JsValue::UNDEFINED, &value);
        });
        call(found.as_ref().unchecked_ref(), failed.as_ref().unchecked_ref());
        kept.extend([found, failed]);
    });
    let result = settled(promise).await.ok();
    drop(kept);
    result
}

/// File and Directory Entries API, which every browser has for what is dropped.
#[wasm_bindgen]
extern "C" {
    type EntryItem;
    #[wasm_bindgen(method, js_name = webkitGetAsEntry)]
    fn webkit_get_as_entry(this: &EntryItem) -> Option<Entry>;

    type Entry;
    #[wasm_bindgen(method, getter, js_name = isFile)]
    fn is_file(this: &Entry) -> bool;
    #[wasm_bindgen(method, getter)]
    fn name(this: &Entry) -> String;
    #[wasm_bindgen(method)]
    fn file(this: &Entry, found: &Function, failed: &Function);
    #[wasm_bindgen(method, js_name = createReader)]
    fn create_reader(this: &Entry) -> EntryReader;

    type EntryReader;
    #[wasm_bindgen(method, js_name = readEntries)]
    fn read_entries(this: &EntryReader, found: &Function, failed: &Function);
}
