//! A received file: a part file with a journal beside it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sightline_core::transfer::{
    Arrival, Arrivals, CHUNK_BYTES, FLUSH_BYTES, JOURNAL_BYTES, Journal, PrefixHasher, SinkEvent,
};
use sightline_protocol::{
    TransferId,
    transfer::{BulkHeader, MAX_FILE_BYTES, Sha256Digest, TransferEnd},
};

/// The core hears of this many bytes at a time, or of fewer after this time: a transfer without news for seconds would be
/// requested again.
const TELL_BYTES: u64 = 256 * 1024;
const TELL_INTERVAL: Duration = Duration::from_millis(250);

/// The part file of a transfer in a folder.
pub(crate) fn part_path(folder: &Path, transfer: &TransferId) -> PathBuf {
    folder.join(format!(".{}.part", transfer.as_str()))
}

fn journal_path(folder: &Path, transfer: &TransferId) -> PathBuf {
    folder.join(format!(".{}.part.journal", transfer.as_str()))
}

/// Deletes the stored bytes of a transfer, which may not exist.
pub(super) fn discard(folder: &Path, transfer: &TransferId) {
    let _ = fs::remove_file(part_path(folder, transfer));
    let _ = fs::remove_file(journal_path(folder, transfer));
}

/// One file that is being received.
pub(super) struct Sink {
    pub(super) transfer: TransferId,
    folder: PathBuf,
    data: File,
    journal: File,
    entries: Journal,
    arrivals: Arrivals,
    flushed_bytes: u64,
    told_bytes: u64,
    told_at: Instant,
}

impl Sink {
    /// Creates the part file, or opens the one that an earlier process stored and hashes its bytes again.
    pub(super) fn open(folder: &Path, transfer: &TransferId, size_bytes: u64) -> Result<Self, TransferEnd> {
        if size_bytes > MAX_FILE_BYTES {
            return Err(TransferEnd::TooLarge);
        }
        fs::create_dir_all(folder).map_err(|error| of_storing(&error))?;
        let open = |path: PathBuf| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            // The sender chooses the id, so the name may be known to somebody who put a link to another file there.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::custom_flags(
                &mut options,
                rustix::fs::OFlags::NOFOLLOW.bits().cast_signed(),
            );
            options.open(path).map_err(|error| of_storing(&error))
        };
        let (mut data, mut journal) =
            (open(part_path(folder, transfer))?, open(journal_path(folder, transfer))?);
        let verified = recover(&mut data, &mut journal, size_bytes);
        let flushed_bytes = verified.length_bytes();
        // A file that was begun stays for a time when there is room.
        if flushed_bytes == 0 && free_bytes(&data).is_some_and(|free| free < size_bytes) {
            return Err(TransferEnd::DiskFull);
        }
        Ok(Self {
            transfer: transfer.clone(),
            folder: folder.to_owned(),
            data,
            journal,
            entries: Journal::default(),
            arrivals: Arrivals::new(size_bytes, verified),
            flushed_bytes,
            told_bytes: flushed_bytes,
            told_at: now(),
        })
    }

    pub(super) fn opened(&self) -> SinkEvent {
        SinkEvent::Opened { verified_bytes: self.arrivals.verified_bytes(), sha256: self.arrivals.digest() }
    }

    /// Whether every byte arrived; false for an empty file.
    pub(super) fn is_complete(&self) -> bool {
        self.arrivals.is_complete() && self.arrivals.verified_bytes() > 0
    }

    pub(super) fn digest(&self) -> Sha256Digest {
        self.arrivals.digest()
    }

    /// Takes a frame. Returns the event for the core, and whether the file is complete.
    pub(super) fn handle_frame(
        &mut self,
        header: &BulkHeader,
        payload: &[u8],
    ) -> Result<(Option<SinkEvent>, bool), TransferEnd> {
        let data = &mut self.data;
        let arrival = self.arrivals.handle_frame(header, payload, |offset, bytes| {
            data.seek(SeekFrom::Start(offset))?;
            data.write_all(bytes)
        });
        let arrival = arrival.map_err(|error| of_storing(&error))?;
        let (verified_bytes, digest) = (self.arrivals.verified_bytes(), || self.arrivals.digest());
        Ok(match arrival {
            Arrival::Waiting | Arrival::Dropped => (None, false),
            Arrival::Wrong => (Some(SinkEvent::Wrong { verified_bytes, sha256: digest() }), false),
            Arrival::Written if self.arrivals.is_complete() => {
                (Some(SinkEvent::Progress { verified_bytes, sha256: digest() }), true)
            }
            Arrival::Written => {
                self.note(verified_bytes)?;
                let is_late = self.told_at.elapsed() >= TELL_INTERVAL;
                if !is_late && verified_bytes < self.told_bytes + TELL_BYTES {
                    return Ok((None, false));
                }
                (self.told_bytes, self.told_at) = (verified_bytes, now());
                (Some(SinkEvent::Progress { verified_bytes, sha256: self.arrivals.digest() }), false)
            }
        })
    }

    /// Whether the journal lists bytes, with which another process can go on.
    pub(super) fn has_kept(&self) -> bool {
        self.flushed_bytes > 0
    }

    /// Cuts off what the journal does not list: on a full disk the program needs a little room for its own state.
    pub(super) fn give_room(self) {
        let _ = self.data.set_len(self.flushed_bytes);
    }

    /// Flushes the file and removes its journal; the part file is then the whole file.
    pub(super) fn complete(self) -> Result<(), TransferEnd> {
        self.data.sync_all().map_err(|error| of_storing(&error))?;
        // A journal that stays is used by nothing: the part file gets another name.
        let _ = fs::remove_file(journal_path(&self.folder, &self.transfer));
        Ok(())
    }

    /// Flushes and writes a journal entry at intervals.
    fn note(&mut self, verified_bytes: u64) -> Result<(), TransferEnd> {
        if verified_bytes < self.flushed_bytes.saturating_add(FLUSH_BYTES) {
            return Ok(());
        }
        let (place, entry) = self.entries.entry(verified_bytes, self.arrivals.digest());
        let mut write = || {
            // The bytes are flushed before the entry about them.
            self.data.sync_data()?;
            self.journal.seek(SeekFrom::Start(place))?;
            self.journal.write_all(&entry)?;
            self.journal.sync_data()
        };
        write().map_err(|error| of_storing(&error))?;
        self.flushed_bytes = verified_bytes;
        Ok(())
    }
}

/// The bytes that the journal lists, if they are intact.
fn recover(data: &mut File, journal: &mut File, size_bytes: u64) -> PrefixHasher {
    let mut stored = Vec::new();
    let read = Read::by_ref(journal).take(JOURNAL_BYTES as u64).read_to_end(&mut stored);
    let newest = read.ok().and_then(|_| Journal::newest(&stored));
    let Some((verified_bytes, digest)) = newest.filter(|(bytes, _)| *bytes <= size_bytes) else {
        return PrefixHasher::default();
    };
    let mut hasher = PrefixHasher::default();
    let mut buffer = vec![0; CHUNK_BYTES];
    while hasher.length_bytes() < verified_bytes {
        let length = buffer.len().min((verified_bytes - hasher.length_bytes()) as usize);
        if data.read_exact(&mut buffer[..length]).is_err() {
            return PrefixHasher::default();
        }
        hasher.update(&buffer[..length]);
    }
    if hasher.digest() == digest { hasher } else { PrefixHasher::default() }
}

/// The room on the disk of a file for this user, where the system tells it.
#[cfg(unix)]
fn free_bytes(file: &File) -> Option<u64> {
    // A file system that counts no blocks tells nothing.
    let room = rustix::fs::fstatvfs(file).ok().filter(|room| room.f_blocks > 0)?;
    Some(room.f_bavail.saturating_mul(room.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &File) -> Option<u64> {
    None
}

fn of_storing(error: &io::Error) -> TransferEnd {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => TransferEnd::DiskFull,
        io::ErrorKind::FileTooLarge => TransferEnd::TooLarge,
        _ => TransferEnd::StorageRefused,
    }
}

#[allow(clippy::disallowed_methods, reason = "native only")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u32, file: &[u8], offset: usize, end: usize) -> (BulkHeader, Vec<u8>) {
        let mut hasher = PrefixHasher::default();
        hasher.update(&file[..end]);
        let header = BulkHeader { number, offset: offset as u64, prefix_sha256: hasher.digest() };
        (header, file[offset..end].to_vec())
    }

    #[test]
    fn an_interrupted_file_continues_after_the_last_journal_entry() {
        let folder = tempfile::tempdir().unwrap();
        let transfer = TransferId::from_random(7);
        let file: Vec<u8> = (0..2 * FLUSH_BYTES as usize + 5).map(|at| (at / 1000) as u8).collect();
        let send = |sink: &mut Sink, from: u64, to: usize| {
            for offset in (from as usize..to).step_by(CHUNK_BYTES) {
                let (header, payload) = frame(1, &file, offset, (offset + CHUNK_BYTES).min(to));
                sink.handle_frame(&header, &payload).unwrap();
            }
        };
        let mut sink = Sink::open(folder.path(), &transfer, file.len() as u64).unwrap();
        send(&mut sink, 0, FLUSH_BYTES as usize + 3 * CHUNK_BYTES);
        drop(sink);

        let mut sink = Sink::open(folder.path(), &transfer, file.len() as u64).unwrap();
        let SinkEvent::Opened { verified_bytes, .. } = sink.opened() else { panic!("not opened") };
        assert!(verified_bytes >= FLUSH_BYTES, "{verified_bytes}");
        send(&mut sink, verified_bytes, file.len());
        assert!(sink.is_complete());
        sink.complete().unwrap();
        assert!(fs::read(part_path(folder.path(), &transfer)).unwrap() == file);
        assert!(!journal_path(folder.path(), &transfer).exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_in_place_of_a_part_file_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let transfer = TransferId::from_random(7);
        let other = folder.path().join("other");
        fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, part_path(folder.path(), &transfer)).unwrap();
        assert_eq!(Sink::open(folder.path(), &transfer, 4).err(), Some(TransferEnd::StorageRefused));
        assert_eq!(fs::read(&other).unwrap(), b"mine");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let mut sink = Sink::open(folder.path(), &TransferId::from_random(7), 5).unwrap();
        sink.data = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (header, payload) = frame(1, &[7; 5], 0, 5);
        assert_eq!(sink.handle_frame(&header, &payload).err(), Some(TransferEnd::DiskFull));
    }

    #[test]
    fn stored_bytes_that_changed_meanwhile_are_received_again() {
        let folder = tempfile::tempdir().unwrap();
        let transfer = TransferId::from_random(7);
        let file = vec![3; FLUSH_BYTES as usize + 5];
        let mut sink = Sink::open(folder.path(), &transfer, file.len() as u64).unwrap();
        for offset in (0..FLUSH_BYTES as usize).step_by(CHUNK_BYTES) {
            let (header, payload) = frame(1, &file, offset, (offset + CHUNK_BYTES).min(file.len()));
            sink.handle_frame(&header, &payload).unwrap();
        }
        drop(sink);
        let path = part_path(folder.path(), &transfer);
        let mut stored = fs::read(&path).unwrap();
        stored[10] ^= 1;
        fs::write(&path, stored).unwrap();
        let sink = Sink::open(folder.path(), &transfer, file.len() as u64).unwrap();
        assert!(matches!(sink.opened(), SinkEvent::Opened { verified_bytes: 0, .. }));
    }
}
