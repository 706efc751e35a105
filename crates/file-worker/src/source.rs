//! Cuts a file of this computer into frames.

use std::{cell::RefCell, ops::Range};

use js_sys::Uint8Array;
use sightline_browser::{files::FromWorker, js::array_buffer};
use sightline_core::transfer::{
    CHUNK_BYTES, OutgoingChunks, Reading, SecondReading, SourceEvent, TransferHandle,
};
use sightline_protocol::transfer::{BULK_HEADER_BYTES, BulkHeader, Sha256Digest, TransferEnd};
use wasm_bindgen::JsValue;
use web_sys::{File, FileReaderSync};

use crate::{disk, failure};

/// Bytes of one read, since each read has a fixed cost.
const BLOCK_BYTES: u64 = 8 * CHUNK_BYTES as u64;

/// Bytes of one step of a second reading; then other transfers have their turn.
const AGAIN_BYTES: u64 = 8 * BLOCK_BYTES;

thread_local! {
    /// Shared by all sources, of which there may be many.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK_BYTES]);
}

/// The result of [`Source::pull`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulled {
    /// All requested frames were made, or all that remained.
    Made,
    /// The last frame is held until [`Source::read_again`] has read the file.
    Held,
}

/// A file that is sent, with the present position in it.
pub(crate) struct Source {
    file: File,
    reader: FileReaderSync,
    size_bytes: u64,
    chunks: OutgoingChunks,
    seek: u32,
    number: u32,
    /// Bytes that were read and not sent yet, with their position in the file.
    block: Option<(u64, Uint8Array)>,
    /// The second reading of the file; `None` in browsers that refuse to read a changed file.
    again: Option<SecondReading>,
    /// The last frame while it is held: its size, and the range to read before.
    held: Option<(u32, Range<u64>)>,
}

impl Source {
    pub(crate) fn new(file: File) -> Result<Self, TransferEnd> {
        let size_bytes = file.size() as u64;
        let reader = FileReaderSync::new().map_err(failure::of_reading)?;
        Ok(Self {
            file,
            reader,
            size_bytes,
            chunks: OutgoingChunks::default(),
            seek: 0,
            number: 0,
            block: None,
            again: (!refuses_changed_files()).then(SecondReading::default),
            held: None,
        })
    }

    /// Moves to `offset`, and verifies that the file begins with the bytes that the receiver has.
    pub(crate) fn seek(
        &mut self,
        seek: u32,
        number: u32,
        offset: u64,
        sha256: Option<Sha256Digest>,
    ) -> Result<Sha256Digest, TransferEnd> {
        self.release_block();
        (self.seek, self.number, self.held) = (seek, number, None);
        if offset > self.size_bytes {
            return Err(TransferEnd::FileChanged);
        }
        self.chunks.seek(offset);
        while self.place() < offset {
            let end = (self.place() + CHUNK_BYTES as u64).min(offset);
            self.read_chunk(end)?;
        }
        let digest = self.chunks.hasher().digest();
        match sha256 {
            Some(sha256) if sha256 != digest => Err(TransferEnd::FileChanged),
            _ => Ok(digest),
        }
    }

    /// Makes up to this many frames of this size, and hands them to `post`.
    pub(crate) fn pull(
        &mut self,
        chunks: u32,
        chunk_bytes: u32,
        post: impl Fn(FromWorker),
        handle: TransferHandle,
    ) -> Result<Pulled, TransferEnd> {
        let most_bytes = u64::from(chunk_bytes).clamp(1, CHUNK_BYTES as u64);
        for _ in 0..chunks {
            let offset = self.place();
            if offset == self.size_bytes && offset > 0 {
                break;
            }
            let end = (offset + most_bytes).min(self.size_bytes);
            if end == self.size_bytes
                && let Some(again) = &mut self.again
            {
                match again.next(self.chunks.hasher(), AGAIN_BYTES) {
                    Reading::Same => {}
                    Reading::Changed => return Err(TransferEnd::FileChanged),
                    Reading::Next(part) => {
                        self.held = Some((chunk_bytes, part));
                        return Ok(Pulled::Held);
                    }
                }
            }
            let length = self.read_chunk(end)?;
            let digest = self.chunks.hasher().digest();
            let header = BulkHeader { number: self.number, offset, prefix_sha256: digest }.encode();
            let frame = Uint8Array::new_with_length((BULK_HEADER_BYTES + length) as u32);
            frame.subarray(0, BULK_HEADER_BYTES as u32).copy_from(&header);
            let payload = frame.subarray(BULK_HEADER_BYTES as u32, frame.length());
            BUFFER.with_borrow(|buffer| payload.copy_from(&buffer[..length]));
            let event = SourceEvent::Frame {
                seek: self.seek,
                offset,
                length_bytes: length as u64,
                sha256: (end == self.size_bytes).then_some(digest),
            };
            post(FromWorker::Source(handle, event, Some(frame.buffer())));
        }
        Ok(Pulled::Made)
    }

    /// Reads the next part of the sent bytes again; makes the held frame once everything is unchanged.
    pub(crate) fn read_again(
        &mut self,
        post: impl Fn(FromWorker),
        handle: TransferHandle,
    ) -> Result<Pulled, TransferEnd> {
        // The position moved meanwhile; the file will reach its end again.
        let Some((chunk_bytes, part)) = self.held.take() else { return Ok(Pulled::Made) };
        for start in part.clone().step_by(BLOCK_BYTES as usize) {
            let block = self.read_block(start, (start + BLOCK_BYTES).min(part.end))?;
            for from in (0..block.length()).step_by(CHUNK_BYTES) {
                let piece = block.subarray(from, block.length().min(from + CHUNK_BYTES as u32));
                let length = piece.length() as usize;
                BUFFER.with_borrow_mut(|buffer| {
                    piece.copy_to(&mut buffer[..length]);
                    if let Some(again) = &mut self.again {
                        again.update(&buffer[..length]);
                    }
                });
            }
            array_buffer::release(&block.buffer());
        }
        self.pull(1, chunk_bytes, post, handle)
    }

    fn place(&self) -> u64 {
        self.chunks.hasher().length_bytes()
    }

    /// Reads from the position to `end`, at most one chunk, into the buffer, and hashes it.
    fn read_chunk(&mut self, end: u64) -> Result<usize, TransferEnd> {
        let start = self.place();
        let length = (end - start) as usize;
        if length > 0 {
            let (block_start, block) = self.block_with(start, end)?;
            let from = (start - block_start) as u32;
            let piece = block.subarray(from, from + length as u32);
            BUFFER.with_borrow_mut(|buffer| piece.copy_to(&mut buffer[..length]));
        }
        BUFFER.with_borrow(|buffer| self.chunks.update(&buffer[..length]));
        Ok(length)
    }

    fn block_with(&mut self, start: u64, end: u64) -> Result<(u64, Uint8Array), TransferEnd> {
        if let Some((block_start, block)) = &self.block
            && *block_start <= start
            && end <= block_start + u64::from(block.length())
        {
            return Ok((*block_start, block.clone()));
        }
        self.release_block();
        let block = self.read_block(start, (start + BLOCK_BYTES).min(self.size_bytes))?;
        self.block = Some((start, block.clone()));
        Ok((start, block))
    }

    fn release_block(&mut self) {
        if let Some((_, block)) = self.block.take() {
            array_buffer::release(&block.buffer());
        }
    }

    fn read_block(&self, start: u64, end: u64) -> Result<Uint8Array, TransferEnd> {
        let read = || -> Result<JsValue, JsValue> {
            let slice = self.file.slice_with_f64_and_f64(start as f64, end as f64)?;
            Ok(self.reader.read_as_array_buffer(&slice)?.into())
        };
        let block = Uint8Array::new(&read().map_err(failure::of_reading)?);
        // If the file became shorter, Firefox reads fewer bytes.
        if u64::from(block.length()) == end - start { Ok(block) } else { Err(TransferEnd::FileChanged) }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.release_block();
    }
}

/// Whether this browser refuses to read a file that changed after it was chosen. Only Chromium does, and only Chromium has this
/// property.
fn refuses_changed_files() -> bool {
    js_sys::Reflect::has(&disk::scope().navigator(), &"userAgentData".into()).unwrap_or(false)
}
