//! Files and places that a person chose in the browser's own dialogue, where it gives a handle that outlives the page (File
//! System Access; Chromium).

use js_sys::{Array, Promise};
use wasm_bindgen::{JsCast, JsValue, prelude::*};
use web_sys::{File, Window};

use crate::{
    dictionary::dictionary,
    error::BrowserError,
    promise::settled,
    records::Records,
    window::{member, window},
};

/// A file of this computer that can be read again after a reload, if the person allows it.
#[derive(Debug, Clone)]
pub struct FileHandle(HandleShim);

impl FileHandle {
    /// Takes what a dialogue or a drop gave; `None` where it is no file.
    pub(super) fn new(value: JsValue) -> Option<Self> {
        let is_file = member(&value, "kind").is_some_and(|kind| kind == "file");
        is_file.then(|| Self(value.unchecked_into()))
    }

    /// Whether it can be read without asking the person.
    pub async fn is_granted(&self) -> bool {
        settled(self.0.query_permission(&reading())).await.is_ok_and(|state| state == "granted")
    }

    /// Asks the person, in a gesture.
    pub async fn ask(&self) -> bool {
        settled(self.0.request_permission(&reading())).await.is_ok_and(|state| state == "granted")
    }

    /// The file as it is now.
    ///
    /// # Errors
    /// [`BrowserError`]: gone, or not allowed.
    pub async fn file(&self) -> Result<File, BrowserError> {
        Ok(settled(self.0.get_file()).await?.unchecked_into())
    }

    /// Keeps it on the device.
    ///
    /// # Errors
    /// [`BrowserError`] where it is known at once that it cannot be kept.
    pub fn keep(&self, records: &Records, group: &str) -> Result<(), BrowserError> {
        records.put_object(group, 0, &self.0)
    }

    /// The one that was kept.
    pub async fn kept(records: &Records, group: &str) -> Option<Self> {
        Self::new(records.object(group, 0).await.ok()??)
    }
}

/// Whether files can be chosen with a handle.
#[must_use]
pub fn can_pick() -> bool {
    member(&window(), "showOpenFilePicker").is_some()
}

/// Lets the person choose files, in a gesture; none where nothing was chosen.
///
/// # Errors
/// [`BrowserError`] where the browser shows no dialogue here.
pub(super) async fn pick() -> Result<Vec<FileHandle>, BrowserError> {
    let options = dictionary(&[("multiple", true.into())]);
    match settled(window().unchecked_ref::<PickerShim>().show_open_file_picker(&options)?).await {
        Ok(handles) => Ok(Array::from(&handles).iter().filter_map(FileHandle::new).collect()),
        Err(error) if error.name == "AbortError" => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether a person can choose where a file is saved before it is written.
#[must_use]
pub fn can_save_as() -> bool {
    member(&window(), "showSaveFilePicker").is_some()
}

/// Lets the person choose where, in a gesture, and writes the file there; nothing where nothing was chosen.
///
/// # Errors
/// [`BrowserError`] where there is no dialogue here, or the file cannot be written there.
pub async fn save_as(file: &File, name: &str) -> Result<(), BrowserError> {
    let options = dictionary(&[("suggestedName", JsValue::from_str(name))]);
    let shim = window().unchecked_into::<PickerShim>();
    let handle: HandleShim = match settled(shim.show_save_file_picker(&options)?).await {
        Ok(handle) => handle.unchecked_into(),
        Err(error) if error.name == "AbortError" => return Ok(()),
        Err(error) => return Err(error),
    };
    let writable = settled(handle.create_writable()).await?;
    // Piece by piece, and closed at the end: a failure leaves what was there before.
    settled(file.unchecked_ref::<StreamShim>().stream().pipe_to(&writable)).await?;
    Ok(())
}

fn reading() -> js_sys::Object {
    dictionary(&[("mode", JsValue::from_str("read"))])
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Window)]
    type PickerShim;
    #[wasm_bindgen(method, catch, js_name = showOpenFilePicker)]
    fn show_open_file_picker(this: &PickerShim, options: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = showSaveFilePicker)]
    fn show_save_file_picker(this: &PickerShim, options: &JsValue) -> Result<Promise, JsValue>;

    #[derive(Debug, Clone)]
    type HandleShim;
    #[wasm_bindgen(method, js_name = getFile)]
    fn get_file(this: &HandleShim) -> Promise;
    #[wasm_bindgen(method, js_name = createWritable)]
    fn create_writable(this: &HandleShim) -> Promise;
    #[wasm_bindgen(method, js_name = queryPermission)]
    fn query_permission(this: &HandleShim, mode: &JsValue) -> Promise;
    #[wasm_bindgen(method, js_name = requestPermission)]
    fn request_permission(this: &HandleShim, mode: &JsValue) -> Promise;

    type StreamShim;
    #[wasm_bindgen(method)]
    fn stream(this: &StreamShim) -> StreamShim;
    #[wasm_bindgen(method, js_name = pipeTo)]
    fn pipe_to(this: &StreamShim, writable: &JsValue) -> Promise;
}
