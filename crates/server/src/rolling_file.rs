//! A log file that begins anew when it is long, and keeps a few old ones.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file that is renamed to `name.1`, `name.1` to `name.2` and so on, once it is longer than its limit.
#[derive(Debug)]
pub(crate) struct RollingFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    max_bytes: u64,
    kept: usize,
}

impl RollingFile {
    /// Opens the file to append to it. At most `kept` old files stay.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub(crate) fn open(path: &Path, max_bytes: u64, kept: usize) -> io::Result<Self> {
        let file = append_to(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, max_bytes, kept })
    }

    fn roll(&mut self) -> io::Result<()> {
        for number in (1..self.kept).rev() {
            rename_if_there(&self.old(number), &self.old(number + 1))?;
        }
        // Somebody may have moved or removed the file, or it could not be made the last time.
        rename_if_there(&self.path, &self.old(1))?;
        self.file = append_to(&self.path)?;
        Ok(())
    }

    fn old(&self, number: usize) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Write for RollingFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.bytes > self.max_bytes {
            // A full log is better than none: where renaming fails, it is tried again after as many bytes.
            self.bytes = 0;
            let _ = self.roll();
        }
        let written = self.file.write(line)?;
        self.bytes = self.bytes.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_becomes_the_first_of_the_old_ones_and_the_oldest_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let mut file = RollingFile::open(&path, 5, 2).unwrap();
        for line in ["first\n", "second\n", "third\n", "fourth\n"] {
            file.write_all(line.as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("server.log"), "fourth\n");
        assert_eq!(read("server.log.1"), "third\n");
        assert_eq!(read("server.log.2"), "second\n");
        assert!(!folder.path().join("server.log.3").exists());
    }

    #[test]
    fn a_file_that_is_there_is_continued_and_its_length_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        fs::write(&path, "before\n").unwrap();
        let mut file = RollingFile::open(&path, 10, 1).unwrap();
        file.write_all(b"one\n").unwrap();
        file.write_all(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("server.log.1")).unwrap(), "before\none\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    }

    #[test]
    fn a_file_that_cannot_be_renamed_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        // No file can take the place of a folder.
        fs::create_dir(folder.path().join("server.log.1")).unwrap();
        let mut file = RollingFile::open(&path, 5, 1).unwrap();
        for line in ["first\n", "second\n", "third\n"] {
            file.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "first\nsecond\nthird\n");
    }

    #[test]
    fn a_file_that_somebody_removed_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let mut file = RollingFile::open(&path, 5, 1).unwrap();
        file.write_all(b"removed\n").unwrap();
        fs::remove_file(&path).unwrap();
        file.write_all(b"after\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after\n");
        assert!(!folder.path().join("server.log.1").exists());
    }
}
