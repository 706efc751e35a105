//! Gives a received file its name.
//!
//! A member chooses the name and the folder, and may not reach anything outside of the target directory nor a file of this program
//! with them. The core makes both safe as texts; here links and files that are in the way are avoided.

use std::{
    collections::HashSet,
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use sightline_core::transfer::{TransferView, numbered};

use super::seat::SEAT_PREFIX;
use crate::files::part_path;

/// Most names that are tried for one file or folder, where others take the names at the same time.
const MAX_ATTEMPTS: usize = 100;

/// Moves the whole file to its name in `folder`, or to the first free name like it, and returns where it is. No file is replaced,
/// and no symbolic link is followed.
///
/// # Errors
/// Where a folder cannot be made or the file cannot be moved.
pub(super) fn save(folder: &Path, view: &TransferView) -> io::Result<PathBuf> {
    let mut target_folder = folder.to_owned();
    for name in view.folder.split('/').filter(|name| !name.is_empty()) {
        let make = |path: &Path| match fs::create_dir(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && is_real_folder(path) => Ok(()),
            made => made,
        };
        target_folder = first_free(&target_folder, &foreign_name(name), make, |path| !is_real_folder(path))?;
    }
    // Reserves the name, so that another process cannot take it before the move.
    let reserve = |path: &Path| OpenOptions::new().write(true).create_new(true).open(path).map(drop);
    let path = first_free(&target_folder, &foreign_name(&view.name), reserve, |_| true)?;
    let moved = fs::rename(part_path(folder, &view.id), &path);
    if moved.is_err() {
        let _ = fs::remove_file(&path);
    }
    moved.map(|()| path)
}

/// Takes the first of `name`, `name (2)` ... that is free. `take` fails with [`ErrorKind::AlreadyExists`] for a name that is not;
/// `is_in_the_way` says which of the existing ones to pass over.
fn first_free(
    folder: &Path,
    name: &str,
    take: impl Fn(&Path) -> io::Result<()>,
    is_in_the_way: impl Fn(&Path) -> bool,
) -> io::Result<PathBuf> {
    let mut taken = HashSet::new();
    for _ in 0..MAX_ATTEMPTS {
        let candidate = numbered(name, |name| taken.contains(name));
        let path = folder.join(&candidate);
        match take(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                for entry in fs::read_dir(folder)? {
                    let entry = entry?;
                    if is_in_the_way(&entry.path()) {
                        taken.insert(entry.file_name().to_string_lossy().to_lowercase());
                    }
                }
                // A file system may take two names for the same in other ways than by case.
                taken.insert(candidate.to_lowercase());
            }
            result => return result.map(|()| path),
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "no free name was found"))
}

/// Whether there is a directory, and not a symbolic link, which may lead out of the target directory.
fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// The name of a received file or folder. A name like those of the files that this program keeps in the directory gets a `_` before
/// it: another process would read the file as its own.
fn foreign_name(name: &str) -> String {
    let lower = name.to_lowercase();
    let is_part = lower.starts_with('.') && (lower.ends_with(".part") || lower.ends_with(".part.journal"));
    if is_part || lower.starts_with(SEAT_PREFIX) { format!("_{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use sightline_core::transfer::{Direction, Reach, TransferState};
    use sightline_protocol::{MemberId, TransferId};

    use super::*;

    /// Saves a file with these names, and returns its path in the folder.
    fn saved(into: &Path, folder: &str, name: &str) -> String {
        let id = TransferId::from_random(7);
        fs::write(part_path(into, &id), "new").unwrap();
        let view = TransferView {
            id,
            member: MemberId::from_random(1),
            direction: Direction::Receiving,
            name: name.to_owned(),
            folder: folder.to_owned(),
            size_bytes: 3,
            media_type: String::new(),
            bytes: 3,
            state: TransferState::Done,
            end: None,
            reach: Reach::Connected,
            is_paused_here: false,
            needs_file: false,
            sha256: None,
            bytes_per_second: None,
            time_left: None,
        };
        let path = save(into, &view).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        path.strip_prefix(into).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn no_file_is_replaced() {
        let into = tempfile::tempdir().unwrap();
        fs::write(into.path().join("a.txt"), "old").unwrap();
        assert_eq!(saved(into.path(), "", "a.txt"), "a (2).txt");
        assert_eq!(saved(into.path(), "", "a.txt"), "a (3).txt");
        assert_eq!(fs::read_to_string(into.path().join("a.txt")).unwrap(), "old");
    }

    #[test]
    fn a_file_in_place_of_a_folder_does_not_stop_later_files() {
        let into = tempfile::tempdir().unwrap();
        assert_eq!(saved(into.path(), "", "a"), "a");
        assert_eq!(saved(into.path(), "a/b", "1.txt"), "a (2)/b/1.txt");
        assert_eq!(saved(into.path(), "a/b", "2.txt"), "a (2)/b/2.txt");
        assert_eq!(saved(into.path(), "", "a (2)"), "a (2) (2)");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_neither_followed_nor_replaced() {
        let (into, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, into.path().join(name)).unwrap();
        };
        link(elsewhere.path(), "docs");
        link(&elsewhere.path().join("nothing"), "report.pdf");
        assert_eq!(saved(into.path(), "docs", "1.txt"), "docs (2)/1.txt");
        assert_eq!(saved(into.path(), "docs", "2.txt"), "docs (2)/2.txt");
        assert_eq!(saved(into.path(), "", "report.pdf"), "report (2).pdf");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_received_file_never_becomes_a_file_of_this_program() {
        let into = tempfile::tempdir().unwrap();
        for name in [".sightline-peer-team-7.json", ".Sightline-Peer-x.JSON", ".0abc.part", ".x.part.journal"]
        {
            assert_eq!(saved(into.path(), "", name), format!("_{name}"));
        }
        assert_eq!(saved(into.path(), ".sightline-peer-x.json", "a"), "_.sightline-peer-x.json/a");
        assert_eq!(saved(into.path(), "", ".env"), ".env");
        assert_eq!(saved(into.path(), "", "a.part"), "a.part");
    }
}
