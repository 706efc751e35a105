//! Files that another app shared with the installed page (W3C Web Share Target). The share worker (`assets/app/share-worker.js`)
//! takes them and leaves them in a cache.

use js_sys::{Array, decode_uri_component};
use wasm_bindgen::JsCast;
use web_sys::{Blob, Cache, File, FilePropertyBag, Request, Response};

use super::PickedFiles;
use crate::{
    js::{error::BrowserError, promise::settled},
    page::window::{member, window},
};

const WORKER: &str = "share-worker.js";
const INBOX: &str = "sightline-shared";

/// Starts the share worker. The browser keeps it for later visits.
///
/// # Errors
/// Where the browser has no service workers, or does not start this one.
pub async fn start_share_worker() -> Result<(), BrowserError> {
    let navigator = window().navigator();
    if member(&navigator, "serviceWorker").is_none() {
        return Err(BrowserError::not_supported("serviceWorker"));
    }
    settled(navigator.service_worker().register(WORKER)).await?;
    Ok(())
}

/// Takes the shared files out of the cache; empty if there are none.
///
/// # Errors
/// Where the browser gives no access to its caches.
pub async fn take_shared_files() -> Result<PickedFiles, BrowserError> {
    let caches = window().caches()?;
    let inbox: Cache = settled(caches.open(INBOX)).await?.unchecked_into();
    let requests: Array = settled(inbox.keys()).await?.unchecked_into();
    let mut picked = PickedFiles::default();
    for request in requests.iter() {
        let request: Request = request.unchecked_into();
        let response: Response = settled(inbox.match_with_request(&request)).await?.unchecked_into();
        picked.add(file_of(&response).await?, String::new());
    }
    // The files can still be read.
    settled(caches.delete(INBOX)).await?;
    Ok(picked)
}

async fn file_of(response: &Response) -> Result<File, BrowserError> {
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let name = header("x-name").and_then(|name| decode_uri_component(&name).ok()).map(String::from);
    let blob: Blob = settled(response.blob()?).await?.unchecked_into();
    let about = FilePropertyBag::new();
    about.set_type(&blob.type_());
    if let Some(modified_ms) = header("x-modified-ms").and_then(|time| time.parse().ok()) {
        about.set_last_modified(modified_ms);
    }
    let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| "file".to_owned());
    Ok(File::new_with_blob_sequence_and_options(&Array::of1(&blob), &name, &about)?)
}
