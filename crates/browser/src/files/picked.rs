//! Files that a person chose, dropped or pasted.

use js_sys::{Array, Function, Promise};
use sightline_core::transfer::{
    FileDescription, LeftOut, LeftOutReason, MAX_DEPTH, MAX_FILES_FROM_HERE, Pasted, drags_files, pasted,
};
use sightline_protocol::transfer::MAX_FOLDER_BYTES;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::*};
use web_sys::{DataTransfer, DragEvent, Element, File, FileList, HtmlInputElement};

use crate::{js::promise::settled, page::window::member};

/// Most files and folders that are read from a drop.
const MAX_ENTRIES: usize = 200_000;

/// A file of this computer; its contents are read only when it is sent.
#[derive(Debug, Clone)]
pub struct PickedFile {
    file: File,
    folder: String,
}

impl PickedFile {
    fn new(file: File, folder: String) -> Self {
        Self { file, folder }
    }

    /// The description of the file for the receiver.
    #[must_use]
    pub fn description(&self) -> FileDescription {
        FileDescription {
            name: self.file.name(),
            folder: self.folder.clone(),
            size_bytes: self.file.size() as u64,
            media_type: self.file.type_(),
            modified_ms: self.file.last_modified() as u64,
            batch: None,
        }
    }

    /// The browser's file, for the worker.
    #[must_use]
    pub fn file(&self) -> File {
        self.file.clone()
    }
}

/// The result of one choice.
#[derive(Debug, Clone, Default)]
pub struct PickedFiles {
    /// The files to send.
    pub files: Vec<PickedFile>,
    /// The files that are not sent, with the reasons.
    pub left_out: LeftOut,
}

impl PickedFiles {
    /// The names of the files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.files.iter().map(|picked| picked.file.name()).collect()
    }

    /// Whether nothing was chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.left_out.is_empty()
    }

    pub(super) fn add(&mut self, file: File, folder: String) {
        if let Some(reason) = self.refusal(&folder) {
            self.left_out.add(reason, &folder, &file.name());
        } else {
            self.files.push(PickedFile::new(file, folder));
        }
    }

    /// Why a file in this folder is left out; `None` if it is not.
    fn refusal(&self, folder: &str) -> Option<LeftOutReason> {
        let depth = if folder.is_empty() { 0 } else { folder.matches('/').count() + 1 };
        if depth > MAX_DEPTH || folder.len() > MAX_FOLDER_BYTES {
            Some(LeftOutReason::TooDeep)
        } else if self.files.len() >= MAX_FILES_FROM_HERE {
            Some(LeftOutReason::TooMany)
        } else {
            None
        }
    }
}

/// The files chosen in an `<input type="file">`. The input is emptied, so that the same files can be chosen again.
#[must_use]
pub fn input_files(input: &HtmlInputElement) -> PickedFiles {
    let picked = input.files().map(|files| list(&files)).unwrap_or_default();
    input.set_value("");
    picked
}

/// Makes an `<input type="file">` choose folders.
pub fn choose_folders(input: &HtmlInputElement) {
    input.set_webkitdirectory(true);
}

/// The pasted files; empty for pasted text, which may come with a picture of itself.
#[must_use]
pub fn pasted_files(data: Option<DataTransfer>) -> PickedFiles {
    let Some(data) = data else { return PickedFiles::default() };
    let files = data.files().map(|files| list(&files)).unwrap_or_default();
    let names = files.names();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let text = data.get_data("text/plain").unwrap_or_default();
    let kinds = kinds(&data);
    let kinds: Vec<_> = kinds.iter().map(String::as_str).collect();
    match pasted(&kinds, &text, &names) {
        Pasted::Files => files,
        Pasted::Text => PickedFiles::default(),
    }
}

/// Whether something is dragged over a text field.
#[must_use]
pub fn is_on_field(event: &DragEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    element
        .is_some_and(|element| element.closest("input, textarea, [contenteditable]").ok().flatten().is_some())
}

/// Shows that nothing can be dropped here.
pub fn set_no_drop(event: &DragEvent) {
    if let Some(data) = event.data_transfer() {
        data.set_drop_effect("none");
    }
}

/// Whether files of this computer are being dragged.
#[must_use]
pub fn is_file_drag(data: &DataTransfer) -> bool {
    let kinds = kinds(data);
    drags_files(&kinds.iter().map(String::as_str).collect::<Vec<_>>())
}

fn kinds(data: &DataTransfer) -> Vec<String> {
    data.types().iter().filter_map(|kind| kind.as_string()).collect()
}

/// The dropped files, including the contents of dropped folders. Must be called in the event handler, since the list is empty
/// afterwards.
pub fn dropped_files(data: &DataTransfer) -> impl Future<Output = PickedFiles> + use<> {
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
        let mut picked = PickedFiles::default();
        let mut looked_at = 0;
        let mut waiting: Vec<_> = entries.into_iter().rev().map(|entry| (entry, String::new())).collect();
        while let Some((entry, folder)) = waiting.pop() {
            looked_at += 1;
            let name = entry.name();
            let refusal = picked.refusal(&folder);
            if entry.is_file() {
                if let Some(reason) = refusal {
                    picked.left_out.add(reason, &folder, &name);
                } else if let Some(file) = called_back(|found, failed| entry.file(found, failed)).await {
                    picked.add(file.unchecked_into(), folder);
                } else {
                    picked.left_out.add(LeftOutReason::Unreadable, &folder, &name);
                }
                continue;
            }
            if refusal == Some(LeftOutReason::TooDeep) || looked_at + waiting.len() > MAX_ENTRIES {
                picked.left_out.add(refusal.unwrap_or(LeftOutReason::TooMany), &folder, &format!("{name}/"));
                continue;
            }
            let inner = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let (children, is_whole) = children(&entry).await;
            if !is_whole {
                picked.left_out.add(LeftOutReason::Unreadable, &folder, &format!("{name}/"));
            }
            waiting.extend(children.into_iter().rev().map(|child| (child, inner.clone())));
        }
        picked
    }
}

fn list(files: &FileList) -> PickedFiles {
    let mut picked = PickedFiles::default();
    for file in (0..files.length()).filter_map(|at| files.get(at)) {
        let folder = folder_of(&file);
        picked.add(file, folder);
    }
    picked
}

/// The folders in `webkitRelativePath`, which ends with the name of the file.
fn folder_of(file: &File) -> String {
    let path = member(file, "webkitRelativePath").and_then(|path| path.as_string()).unwrap_or_default();
    path.rsplit_once('/').map(|(folder, _)| folder.to_owned()).unwrap_or_default()
}

/// The entries of a folder, and whether they are complete. A reader returns a part at a time (Chromium: a hundred), and an empty
/// list at the end.
async fn children(folder: &Entry) -> (Vec<Entry>, bool) {
    let reader = folder.create_reader();
    let mut all = Vec::new();
    while all.len() < MAX_ENTRIES {
        let Some(part) = called_back(|found, failed| reader.read_entries(found, failed)).await else {
            return (all, false);
        };
        let part: Vec<Entry> = Array::from(&part).iter().map(JsCast::unchecked_into).collect();
        if part.is_empty() {
            return (all, true);
        }
        all.extend(part);
    }
    (all, false)
}

type Callback = Closure<dyn FnMut(JsValue)>;

/// Waits for one of two callbacks; `None` if the error callback was called.
async fn called_back(call: impl Fn(&Function, &Function)) -> Option<JsValue> {
    // Both callbacks must live until the promise is settled.
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

/// The File and Directory Entries API, which every browser has for dropped files.
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
