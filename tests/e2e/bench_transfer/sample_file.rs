//! A temporary file to send.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::Result;
use tempfile::TempDir;

/// A file of this computer. Most of it is a hole; hashing and encryption treat it like any other file.
pub(super) struct SampleFile {
    path: PathBuf,
    _folder: TempDir,
}

impl SampleFile {
    pub(super) fn new(name: &str, bytes: usize) -> Result<Self> {
        let folder = TempDir::new()?;
        let path = folder.path().join(name);
        let mut file = File::create(&path)?;
        file.set_len(bytes as u64)?;
        for at in (0..bytes).step_by(1 << 20) {
            file.seek(SeekFrom::Start(at as u64))?;
            file.write_all(&at.to_be_bytes()[..8.min(bytes - at)])?;
        }
        Ok(Self { path, _folder: folder })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
