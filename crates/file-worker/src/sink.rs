//! A received file, on disk or in memory.

use js_sys::{ArrayBuffer, Date, Uint8Array};
use sightline_browser::js::array_buffer;
use sightline_core::transfer::{Arrival, Arrivals, PrefixHasher, SinkEvent};
use sightline_protocol::transfer::{BulkHeader, Sha256Digest, TransferEnd};
use web_sys::File;

use crate::{
    disk::{self, DiskFile},
    memory::MemoryFile,
};

/// The page hears of this many bytes at a time, or of fewer after this time: a transfer without news for seconds would be
/// requested again.
const TELL_BYTES: u64 = 256 * 1024;
const TELL_MS: f64 = 250.0;

enum Store {
    Disk(DiskFile),
    Memory(MemoryFile),
}

/// One file that is being received.
pub(crate) struct Sink {
    name: String,
    arrivals: Arrivals,
    store: Store,
    told_bytes: u64,
    told_at_ms: f64,
}

impl Sink {
    pub(crate) async fn open(name: &str, size_bytes: u64) -> Result<Self, TransferEnd> {
        let (store, verified) = if disk::is_there().await {
            let (file, verified) = DiskFile::open(name, size_bytes).await?;
            (Store::Disk(file), verified)
        } else {
            (Store::Memory(MemoryFile::open(size_bytes)?), PrefixHasher::default())
        };
        let told_bytes = verified.length_bytes();
        let arrivals = Arrivals::new(size_bytes, verified);
        Ok(Self { name: name.to_owned(), arrivals, store, told_bytes, told_at_ms: Date::now() })
    }

    pub(crate) fn opened(&self) -> SinkEvent {
        SinkEvent::Opened { verified_bytes: self.arrivals.verified_bytes(), sha256: self.arrivals.digest() }
    }

    /// Whether every byte arrived; false for an empty file.
    pub(crate) fn is_complete(&self) -> bool {
        self.arrivals.is_complete() && self.arrivals.verified_bytes() > 0
    }

    pub(crate) fn digest(&self) -> Sha256Digest {
        self.arrivals.digest()
    }

    /// Takes a frame. Returns the events for the page, and whether the file is complete.
    pub(crate) fn handle_frame(
        &mut self,
        header: &BulkHeader,
        payload: &[u8],
    ) -> Result<(Option<SinkEvent>, bool), TransferEnd> {
        let store = &self.store;
        let arrival = self.arrivals.handle_frame(header, payload, |offset, bytes| match store {
            Store::Disk(file) => file.write(offset, bytes),
            Store::Memory(file) => {
                file.write(bytes);
                Ok(())
            }
        })?;
        let verified_bytes = self.arrivals.verified_bytes();
        Ok(match arrival {
            Arrival::Waiting | Arrival::Dropped => (None, false),
            Arrival::Wrong => {
                (Some(SinkEvent::Wrong { verified_bytes, sha256: self.arrivals.digest() }), false)
            }
            Arrival::Written if self.arrivals.is_complete() => {
                (Some(SinkEvent::Progress { verified_bytes, sha256: self.arrivals.digest() }), true)
            }
            Arrival::Written => {
                if let Store::Disk(file) = &mut self.store {
                    file.note(verified_bytes, || self.arrivals.digest())?;
                }
                let now_ms = Date::now();
                // Also true after the clock was set back.
                let is_late = !(0.0..TELL_MS).contains(&(now_ms - self.told_at_ms));
                let is_told = is_late || verified_bytes >= self.told_bytes + TELL_BYTES;
                if is_told {
                    (self.told_bytes, self.told_at_ms) = (verified_bytes, now_ms);
                }
                let progress = || SinkEvent::Progress { verified_bytes, sha256: self.arrivals.digest() };
                (is_told.then(progress), false)
            }
        })
    }

    pub(crate) async fn complete(self) -> Result<File, TransferEnd> {
        match self.store {
            Store::Disk(file) => file.complete().await,
            Store::Memory(file) => file.complete(&self.name),
        }
    }

    pub(crate) async fn discard(self) {
        if let Store::Disk(file) = self.store {
            file.discard().await;
        }
    }
}

/// Copies the bytes of a frame.
pub(crate) fn read_frame(frame: &ArrayBuffer, buffer: &mut Vec<u8>) {
    let bytes = Uint8Array::new(frame);
    buffer.resize(bytes.length() as usize, 0);
    bytes.copy_to(buffer);
    array_buffer::release(frame);
}
