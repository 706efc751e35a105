//! A file that must not exist yet, and that is not left behind empty.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use crate::failure::{Exit, Failure};

/// The path of a file that was made. The file is removed on drop unless [`Self::keep`] was called.
pub(super) struct NewFile {
    path: PathBuf,
    is_kept: bool,
}

impl NewFile {
    pub(super) fn create(path: &Path) -> Result<(Self, File), Failure> {
        // Before there is a `NewFile`, which would remove a file that is there already.
        let created = File::options().read(true).write(true).create_new(true).open(path);
        let file = created.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let sentence = format!("{} is there already, and no file is replaced.", path.display());
                Failure::new(Exit::Usage, "file-exists", sentence)
            }
            _ => cannot_write(path, &error),
        })?;
        Ok((Self { path: path.to_owned(), is_kept: false }, file))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}

pub(super) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let sentence = format!("{} cannot be written: {error}.", path.display());
    Failure::new(Exit::Local, "file-unwritable", sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_removed_unless_it_is_kept_and_an_old_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        drop(NewFile::create(&path).unwrap());
        assert!(!path.exists());
        let (mut new, file) = NewFile::create(&path).unwrap();
        new.keep();
        drop((new, file));
        assert_eq!(NewFile::create(&path).err().unwrap().code, "file-exists");
        assert!(path.exists());
    }
}
