//! What a command keeps for the same command of another process: its seat in the room, and its transfers.
//!
//! The file contains the token of the seat, so only its owner may read it.

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sightline_core::{
    Timestamp,
    transfer::{PrefixHasher, Records},
};
use sightline_protocol::transfer::Sha256Digest;

use crate::{
    address::RoomAddress,
    failure::{DISK_FULL, Exit, Failure},
    options::STANDARD_STREAM,
};

/// Up to this number of transfers are stored at each change; more are stored at this interval.
const FEW: usize = 50;
const STORE_INTERVAL: Duration = Duration::from_secs(1);

/// How the name of the file in a directory of received files begins.
pub(super) const SEAT_PREFIX: &str = ".sightline-peer-";

/// The version of the file.
const VERSION: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    room: Sha256Digest,
    resume: String,
    records: Records,
}

/// Where a command keeps its seat.
pub(super) struct Seat {
    /// `None` where the system names no directory for it.
    path: Option<PathBuf>,
    /// The server, the room and its secret, hashed.
    room: Sha256Digest,
    resume: Option<String>,
    is_outdated: bool,
    /// Whether it could not be stored before.
    has_failed: bool,
    stored_at: Timestamp,
}

impl Seat {
    /// The seat of a command that receives files in this folder.
    pub(super) fn of_folder(folder: &Path, address: &RoomAddress) -> Self {
        Self::at(Some(folder.join(format!("{SEAT_PREFIX}{}.json", address.room()))), address)
    }

    /// The seat of a command that sends these paths, in the user's directory of states. Nobody has the standard input a second time.
    pub(super) fn of_paths(paths: &[PathBuf], address: &RoomAddress) -> Self {
        if paths.iter().any(|path| path.as_os_str() == STANDARD_STREAM) {
            return Self::of_nothing(address);
        }
        let mut hasher = PrefixHasher::default();
        hasher.update(&room_digest(address).0);
        for path in paths {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update(&[0]);
        }
        let name = format!("send-{}.json", hasher.digest());
        Self::at(state_dir().map(|states| states.join("sightline-peer").join(name)), address)
    }

    /// The seat of a command that no other process can continue.
    pub(super) fn of_nothing(address: &RoomAddress) -> Self {
        Self::at(None, address)
    }

    fn at(path: Option<PathBuf>, address: &RoomAddress) -> Self {
        Self {
            path,
            room: room_digest(address),
            resume: None,
            is_outdated: false,
            has_failed: false,
            stored_at: Timestamp::ZERO,
        }
    }

    /// What an earlier process kept.
    pub(super) fn load(&self) -> Option<(String, Records)> {
        let kept: Kept = serde_json::from_str(&fs::read_to_string(self.path.as_ref()?).ok()?).ok()?;
        let is_here = kept.version == VERSION && kept.room == self.room;
        is_here.then_some((kept.resume, kept.records))
    }

    /// Keeps the seat where a process finds it that is started with another address of the room.
    pub(super) fn move_to(&mut self, other: Self) {
        self.remove();
        (self.path, self.room, self.is_outdated) = (other.path, other.room, true);
    }

    /// Takes the token of the seat.
    pub(super) fn set_resume(&mut self, resume: String) {
        self.resume = Some(resume);
        self.is_outdated = true;
    }

    /// Notes that the records changed.
    pub(super) fn note_change(&mut self) {
        self.is_outdated = true;
    }

    /// Stores the seat if it changed; long lists only at intervals.
    ///
    /// # Errors
    /// Where the file cannot be written, the first time.
    pub(super) fn store(&mut self, records: &Records, now: Timestamp) -> io::Result<()> {
        let is_due = records.sending.len() + records.receiving.len() <= FEW
            || now.since(self.stored_at) >= STORE_INTERVAL;
        if self.is_outdated && is_due {
            (self.is_outdated, self.stored_at) = (false, now);
            match self.store_now(records) {
                Ok(true) => {}
                Ok(false) => self.remove(),
                Err(error) if !std::mem::replace(&mut self.has_failed, true) => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Stores the seat. Returns false if there is nothing to go on with.
    fn store_now(&self, records: &Records) -> io::Result<bool> {
        let (Some(path), Some(resume)) = (&self.path, &self.resume) else { return Ok(false) };
        let mut records = records.clone();
        // A file that arrived has its name already.
        records.receiving.retain(|file| file.sha256.is_none());
        if records.is_empty() {
            return Ok(false);
        }
        let kept = Kept { version: VERSION, room: self.room, resume: resume.clone(), records };
        replace(path, &serde_json::to_vec(&kept)?)?;
        Ok(true)
    }

    /// Ends the command: keeps the seat where the failure lets another process go on, and returns whether it does.
    pub(super) fn end(&self, result: &Result<(), Failure>, records: &Records) -> bool {
        let may_go_on = result.as_ref().is_err_and(|failure| {
            matches!(failure.exit, Exit::Interrupted | Exit::Unreachable | Exit::Local)
                || failure.code == DISK_FULL
        });
        // On a full disk the state that was stored last is better than none.
        let stored = || self.store_now(records).unwrap_or_else(|_| self.load().is_some());
        let goes_on = may_go_on && stored();
        if !goes_on {
            self.remove();
        }
        goes_on
    }

    /// Removes what is stored: there is nothing to go on with.
    fn remove(&self) {
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
    }
}

/// Identifies a room. Rooms of the same name with different secrets are different rooms.
fn room_digest(address: &RoomAddress) -> Sha256Digest {
    let mut hasher = PrefixHasher::default();
    for part in [address.server().shown(), address.room().to_string()] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    if let Some(secret) = address.secret() {
        hasher.update(&secret.to_bytes());
    }
    hasher.digest()
}

/// Replaces a file as a whole, so that the end of the program leaves the old or the new one.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    // What an earlier process left. A symbolic link is not followed either.
    let _ = fs::remove_file(&new);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&new)?.write_all(text).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn state_dir() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .or_else(|| absolute("LOCALAPPDATA"))
}

#[cfg(test)]
mod tests {
    use sightline_core::transfer::KeptNames;

    use super::*;

    const ROOM: &str = "https://example.org/room/team-7";

    fn seat(folder: &Path, address: &str) -> Seat {
        let mut seat = Seat::of_folder(folder, &RoomAddress::parse(address).unwrap());
        seat.set_resume("token".to_owned());
        seat
    }

    fn records() -> Records {
        Records { waiting: KeptNames { count: 1, names: vec!["a".to_owned()] }, ..Records::default() }
    }

    #[test]
    fn only_the_same_room_with_the_same_secret_on_the_same_server_gets_the_seat_again() {
        let folder = tempfile::tempdir().unwrap();
        let protected = format!("{ROOM}#c2VjcmV0c2VjcmV0c2Vjcg");
        seat(folder.path(), &protected).store(&records(), Timestamp::ZERO).unwrap();
        let kept = seat(folder.path(), &protected).load();
        assert_eq!(kept, Some(("token".to_owned(), records())));
        let others =
            [ROOM, "https://example.org/room/team-7#d2VjcmV0c2VjcmV0c2Vjcg", "https://b.example/room/team-7"];
        for other in others {
            assert_eq!(seat(folder.path(), other).load(), None, "{other}");
        }
        let text = fs::read_to_string(folder.path().join(".sightline-peer-team-7.json")).unwrap();
        assert!(!text.contains("c2VjcmV0"), "{text}");
    }

    #[test]
    fn a_command_that_sends_the_standard_input_keeps_no_seat_also_with_a_new_link() {
        let address = RoomAddress::parse(ROOM).unwrap();
        let paths = ["report.pdf", "-"].map(PathBuf::from);
        assert!(Seat::of_paths(&paths[..1], &address).path.is_some());
        let mut seat = Seat::of_paths(&paths, &address);
        assert_eq!(seat.path, None);
        seat.move_to(Seat::of_paths(&paths, &RoomAddress::parse("https://b.example/room/team-7").unwrap()));
        assert_eq!(seat.path, None);
    }

    #[test]
    fn a_seat_that_cannot_be_stored_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".sightline-peer-team-7.json")).unwrap();
        let mut seat = seat(folder.path(), ROOM);
        assert!(seat.store(&records(), Timestamp::ZERO).is_err());
        seat.note_change();
        assert!(seat.store(&records(), Timestamp::ZERO).is_ok());
        assert!(!seat.end(&Err(Failure::interrupted()), &records()), "another process cannot go on");
    }
}
