//! What a command keeps for the same command of another process: its seat in the room, and its transfers.
//!
//! The file contains the token of the seat, so only its owner may read it.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sightline_core::{
    Timestamp,
    transfer::{PrefixHasher, Records},
};

use crate::{
    address::RoomAddress,
    failure::{Exit, Failure},
};

/// Up to this number of transfers are stored at each change; more are stored at this interval.
const FEW: usize = 50;
const STORE_INTERVAL: Duration = Duration::from_secs(1);

/// The version of the file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u32,
    server: String,
    room: String,
    resume: String,
    records: Records,
}

/// Where a command keeps its seat.
pub(super) struct Seat {
    /// `None` where the system names no directory for it.
    path: Option<PathBuf>,
    server: String,
    room: String,
    resume: Option<String>,
    is_outdated: bool,
    stored_at: Timestamp,
}

impl Seat {
    /// The seat of a command that receives files in this folder.
    pub(super) fn of_folder(folder: &Path, address: &RoomAddress) -> Self {
        Self::at(Some(folder.join(format!(".sightline-peer-{}.json", address.room()))), address)
    }

    /// The seat of a command that sends these paths, in the user's directory of states.
    pub(super) fn of_paths(paths: &[PathBuf], address: &RoomAddress) -> Self {
        let mut hasher = PrefixHasher::default();
        for part in [address.server().shown(), address.room().to_string()] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        for path in paths {
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            hasher.update(path.as_os_str().as_encoded_bytes());
            hasher.update(&[0]);
        }
        let name = format!("send-{}.json", hasher.digest());
        Self::at(state_dir().map(|states| states.join("sightline-peer").join(name)), address)
    }

    fn at(path: Option<PathBuf>, address: &RoomAddress) -> Self {
        Self {
            path,
            server: address.server().shown(),
            room: address.room().to_string(),
            resume: None,
            is_outdated: false,
            stored_at: Timestamp::ZERO,
        }
    }

    /// What an earlier process kept.
    pub(super) fn load(&self) -> Option<(String, Records)> {
        let kept: Kept = serde_json::from_str(&fs::read_to_string(self.path.as_ref()?).ok()?).ok()?;
        let is_here = kept.version == VERSION && kept.server == self.server && kept.room == self.room;
        is_here.then_some((kept.resume, kept.records))
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
    pub(super) fn store(&mut self, records: &Records, now: Timestamp) {
        let is_due = records.sending.len() + records.receiving.len() <= FEW
            || now.since(self.stored_at) >= STORE_INTERVAL;
        if self.is_outdated && is_due {
            if !self.store_now(records) {
                self.remove();
            }
            (self.is_outdated, self.stored_at) = (false, now);
        }
    }

    /// Stores the seat. Returns false if there is nothing to go on with.
    pub(super) fn store_now(&self, records: &Records) -> bool {
        let (Some(path), Some(resume)) = (&self.path, &self.resume) else { return false };
        let mut records = records.clone();
        // A file that arrived has its name already.
        records.receiving.retain(|file| file.sha256.is_none());
        if records.is_empty() {
            return false;
        }
        let kept = Kept {
            version: VERSION,
            server: self.server.clone(),
            room: self.room.clone(),
            resume: resume.clone(),
            records,
        };
        // Where it cannot be stored, another process begins again.
        let _ = serde_json::to_vec(&kept).map_err(std::io::Error::from).and_then(|text| replace(path, &text));
        true
    }

    /// Ends the command: keeps the seat where the failure lets another process go on, and returns whether it does.
    pub(super) fn end(&self, result: &Result<(), Failure>, records: &Records) -> bool {
        let may_go_on = result.as_ref().is_err_and(|failure| {
            matches!(failure.exit, Exit::Interrupted | Exit::Unreachable | Exit::Local)
        });
        let goes_on = may_go_on && self.store_now(records);
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

/// Replaces a file as a whole, so that the end of the program leaves the old or the new one.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&new)?.write_all(text)?;
    fs::rename(new, path)
}

fn state_dir() -> Option<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .or_else(|| absolute("LOCALAPPDATA"))
}
