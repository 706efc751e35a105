//! A received file in memory, for contexts without storage: a private window, an insecure context.

use js_sys::Array;
use sightline_protocol::transfer::TransferEnd;
use web_sys::{File, FilePropertyBag};

use crate::{disk, failure};

/// Largest file that is kept in memory, in bytes.
pub(crate) const MAX_BYTES: u64 = 100 * 1024 * 1024;

/// The received parts of a file.
#[derive(Default)]
pub(crate) struct MemoryFile {
    parts: Array,
}

impl MemoryFile {
    /// # Errors
    /// [`TransferEnd::TooLarge`]
    pub(crate) fn open(size_bytes: u64) -> Result<Self, TransferEnd> {
        if size_bytes > MAX_BYTES { Err(TransferEnd::TooLarge) } else { Ok(Self::default()) }
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        self.parts.push(&disk::copied(bytes));
    }

    pub(crate) fn complete(self, name: &str) -> Result<File, TransferEnd> {
        let options = FilePropertyBag::new();
        options.set_type("application/octet-stream");
        File::new_with_u8_array_sequence_and_options(&self.parts, name, &options).map_err(failure::of_storing)
    }
}
