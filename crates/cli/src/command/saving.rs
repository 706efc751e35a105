//! Gives a received file its name.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use sightline_core::transfer::{TransferView, numbered};

use crate::files::part_path;

/// Moves the whole file to its name in `folder`, or to the first free name like it, and returns where it is. No file is replaced.
///
/// # Errors
/// Where a folder cannot be made or the file cannot be moved.
pub(super) fn save(folder: &Path, view: &TransferView) -> io::Result<PathBuf> {
    // Name and folder are safe: see `sightline_core::transfer::safe_name`.
    let target_folder = folder.join(&view.folder);
    fs::create_dir_all(&target_folder)?;
    let taken: Vec<String> = fs::read_dir(&target_folder)?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().to_lowercase()))
        .collect();
    let path = target_folder.join(numbered(&view.name, |name| taken.iter().any(|taken| taken == name)));
    // Reserves the name, so that another process cannot take it before the move.
    match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(_) => {}
        // Another process took it after the folder was read.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return save(folder, view),
        Err(error) => return Err(error),
    }
    let moved = fs::rename(part_path(folder, &view.id), &path);
    if moved.is_err() {
        let _ = fs::remove_file(&path);
    }
    moved.map(|()| path)
}
