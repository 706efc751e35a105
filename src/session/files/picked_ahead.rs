//! Files that a person dropped or pasted on the first page, until the room is there that sends them.

use std::cell::RefCell;

use sightline_browser::files::PickedFiles;

thread_local! {
    static PICKED: RefCell<Option<PickedFiles>> = const { RefCell::new(None) };
}

/// Keeps the files for the room that is opened next.
pub fn keep(files: PickedFiles) {
    PICKED.set(Some(files));
}

/// The files, once.
pub fn take() -> Option<PickedFiles> {
    PICKED.take()
}
