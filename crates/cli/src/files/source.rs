//! Cuts a file of this computer into frames.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
    time::SystemTime,
};

use bytes::{BufMut, Bytes, BytesMut};
use sightline_core::transfer::{CHUNK_BYTES, FileIdentity, IdentityReading, OutgoingChunks, SourceEvent};
use sightline_protocol::transfer::{BULK_HEADER_BYTES, BulkHeader, Sha256Digest, TransferEnd};

/// A file that is sent, with the present position in it.
pub(super) struct Source {
    file: File,
    size_bytes: u64,
    modified: Option<SystemTime>,
    chunks: OutgoingChunks,
    seek: u32,
    number: u32,
    buffer: Vec<u8>,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, TransferEnd> {
        let file = File::open(path).map_err(|_| TransferEnd::FileUnreadable)?;
        let metadata = file.metadata().map_err(|_| TransferEnd::FileUnreadable)?;
        if !metadata.is_file() {
            return Err(TransferEnd::FileUnreadable);
        }
        Ok(Self {
            size_bytes: metadata.len(),
            modified: metadata.modified().ok(),
            file,
            chunks: OutgoingChunks::default(),
            seek: 0,
            number: 0,
            buffer: vec![0; CHUNK_BYTES],
        })
    }

    /// Moves to `offset`, and verifies that the file begins with the bytes that the receiver has.
    pub(super) fn seek(
        &mut self,
        seek: u32,
        number: u32,
        offset: u64,
        sha256: Option<Sha256Digest>,
    ) -> Result<Sha256Digest, TransferEnd> {
        (self.seek, self.number) = (seek, number);
        if offset > self.size_bytes {
            return Err(TransferEnd::FileChanged);
        }
        self.chunks.seek(offset);
        self.file.seek(SeekFrom::Start(self.place())).map_err(|_| TransferEnd::FileUnreadable)?;
        while self.place() < offset {
            self.read((self.place() + CHUNK_BYTES as u64).min(offset))?;
        }
        let digest = self.chunks.hasher().digest();
        match sha256 {
            Some(sha256) if sha256 != digest => Err(TransferEnd::FileChanged),
            _ => Ok(digest),
        }
    }

    /// The next frame, with at most this many bytes of the file; `None` at the end.
    pub(super) fn next(&mut self, chunk_bytes: u32) -> Result<Option<(SourceEvent, Bytes)>, TransferEnd> {
        let offset = self.place();
        if offset == self.size_bytes && offset > 0 {
            return Ok(None);
        }
        let end = (offset + u64::from(chunk_bytes).clamp(1, CHUNK_BYTES as u64)).min(self.size_bytes);
        let length = self.read(end)?;
        let is_last = end == self.size_bytes;
        if is_last {
            self.check_unchanged()?;
        }
        let digest = self.chunks.hasher().digest();
        let header = BulkHeader { number: self.number, offset, prefix_sha256: digest }.encode();
        let mut frame = BytesMut::with_capacity(BULK_HEADER_BYTES + length);
        frame.put_slice(&header);
        frame.put_slice(&self.buffer[..length]);
        let event = SourceEvent::Frame {
            seek: self.seek,
            offset,
            length_bytes: length as u64,
            sha256: is_last.then_some(digest),
        };
        Ok(Some((event, frame.freeze())))
    }

    /// Reads the bytes up to `end` into the buffer, and hashes them.
    fn read(&mut self, end: u64) -> Result<usize, TransferEnd> {
        let length = (end - self.place()) as usize;
        let buffer = &mut self.buffer[..length];
        // The file became shorter.
        self.file.read_exact(buffer).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => TransferEnd::FileChanged,
            _ => TransferEnd::FileUnreadable,
        })?;
        self.chunks.update(buffer);
        Ok(length)
    }

    /// A file that changed during the transfer was read as a mixture of old and new bytes.
    fn check_unchanged(&self) -> Result<(), TransferEnd> {
        let metadata = self.file.metadata().map_err(|_| TransferEnd::FileUnreadable)?;
        if metadata.len() == self.size_bytes && metadata.modified().ok() == self.modified {
            Ok(())
        } else {
            Err(TransferEnd::FileChanged)
        }
    }

    fn place(&self) -> u64 {
        self.chunks.hasher().length_bytes()
    }
}

/// Identifies a file: see `sightline_core::transfer::FileIdentity`. `None` where it cannot be read.
pub(super) fn identify(path: &Path, is_whole: bool) -> Option<FileIdentity> {
    let mut file = File::open(path).ok()?;
    let mut reading = IdentityReading::new(file.metadata().ok()?.len(), is_whole);
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Some(range) = reading.next_range() {
        file.seek(SeekFrom::Start(range.start)).ok()?;
        let mut rest = range.end - range.start;
        while rest > 0 {
            let length = rest.min(CHUNK_BYTES as u64) as usize;
            file.read_exact(&mut buffer[..length]).ok()?;
            reading.update(&buffer[..length]);
            rest -= length as u64;
        }
    }
    Some(reading.identity())
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    fn end_after(change: impl FnOnce(&mut File)) -> Option<TransferEnd> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.bin");
        fs::write(&path, vec![1; 3 * CHUNK_BYTES]).unwrap();
        let mut source = Source::open(&path).unwrap();
        let mut next = || source.next(CHUNK_BYTES as u32);
        assert!(next().unwrap().is_some());
        change(&mut File::options().append(true).open(&path).unwrap());
        loop {
            match next() {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(end) => return Some(end),
            }
        }
    }

    #[test]
    fn a_file_that_grows_or_shrinks_while_it_is_sent_ends_the_transfer() {
        assert_eq!(end_after(|_| {}), None);
        assert_eq!(end_after(|file| file.write_all(b"more").unwrap()), Some(TransferEnd::FileChanged));
        assert_eq!(end_after(|file| file.set_len(9).unwrap()), Some(TransferEnd::FileChanged));
    }
}
