//! Identifies a file of this computer, to recognize it later: see `sightline_core::transfer::FileIdentity`.

use js_sys::Uint8Array;
use sightline_browser::js::array_buffer;
use sightline_core::transfer::{FileIdentity, IdentityReading};
use web_sys::{File, FileReaderSync};

/// Bytes read in one step, so that transfers have their turn.
const STEP_BYTES: u64 = 8 * 1024 * 1024;

/// A file that is being identified.
pub(crate) struct Identifying {
    file: File,
    reading: IdentityReading,
}

impl Identifying {
    pub(crate) fn new(file: File, is_whole: bool) -> Self {
        let reading = IdentityReading::new(file.size() as u64, is_whole);
        Self { file, reading }
    }

    /// Reads the next part. Returns whether there is more.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(crate) fn step(&mut self) -> Result<bool, ()> {
        let reader = FileReaderSync::new().map_err(|_| ())?;
        let mut step_bytes = 0;
        while let Some(range) = self.reading.next_range() {
            if step_bytes >= STEP_BYTES {
                return Ok(true);
            }
            let slice = self.file.slice_with_f64_and_f64(range.start as f64, range.end as f64);
            let buffer = slice.and_then(|slice| reader.read_as_array_buffer(&slice)).map_err(|_| ())?;
            let block = Uint8Array::new(&buffer);
            let bytes = block.to_vec();
            array_buffer::release(&block.buffer());
            // If the file became shorter, Firefox reads fewer bytes.
            if bytes.len() as u64 != range.end - range.start {
                return Err(());
            }
            step_bytes += bytes.len() as u64;
            self.reading.update(&bytes);
        }
        Ok(false)
    }

    /// The result, once everything is read.
    pub(crate) fn identity(&self) -> FileIdentity {
        self.reading.identity()
    }
}
