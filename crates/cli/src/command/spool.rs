//! The standard input as a file: an offer states the size, so the input is stored until it ends.
//!
//! A temporary file on the disk keeps the memory small, and the transfer continues after a lost connection.

use std::{
    env, io,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{interrupts::Interrupts, output::Output};
use crate::failure::{Exit, Failure};

/// Temporary files that may be large: `/tmp` is in memory on many systems.
const LARGE_FILES: &str = "/var/tmp";

/// Stores the standard input until it ends. The file is deleted when it is dropped.
pub(super) async fn spool(output: &Output) -> Result<NamedTempFile, Failure> {
    let mut interrupts = Interrupts::new()?;
    let folder = temporary_folder();
    output.note("Reading the standard input until it ends.");
    let file = tempfile::Builder::new().prefix(".sightline-peer-").tempfile_in(&folder);
    let file = file.map_err(|error| unwritable(&folder, &error))?;
    let mut written = file.reopen().map_err(|error| unwritable(&folder, &error))?;
    // A read cannot be given up: the thread ends with the process, and the file is deleted all the same.
    let copy = tokio::task::spawn_blocking(move || copy(&mut io::stdin().lock(), &mut written));
    tokio::select! {
        copied = copy => match copied {
            Ok(Ok(())) => Ok(file),
            Ok(Err(CopyError::Read(error))) => Err(Failure::of_input(&error)),
            Ok(Err(CopyError::Write(error))) => Err(unwritable(&folder, &error)),
            Err(error) => Err(Failure::of_input(&io::Error::other(error))),
        },
        () = interrupts.next() => Err(Failure::interrupted()),
    }
}

#[derive(Debug)]
enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

fn copy(from: &mut impl io::Read, to: &mut impl io::Write) -> Result<(), CopyError> {
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return to.flush().map_err(CopyError::Write),
            Ok(length) => to.write_all(&buffer[..length]).map_err(CopyError::Write)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::Read(error)),
        }
    }
}

fn temporary_folder() -> PathBuf {
    let large = Path::new(LARGE_FILES);
    if env::var_os("TMPDIR").is_none() && large.is_dir() { large.to_owned() } else { env::temp_dir() }
}

fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    let sentence = format!(
        "The standard input cannot be stored in {}, which is needed to know its size: {error}. The variable TMPDIR names another directory.",
        folder.display()
    );
    Failure::new(Exit::Local, "file-unwritable", sentence)
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read, Write};

    use super::*;

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_input_that_breaks_is_not_taken_for_its_end() {
        let mut stored = Vec::new();
        let mut input = Cursor::new(b"abc").chain(Broken);
        assert!(matches!(copy(&mut input, &mut stored), Err(CopyError::Read(_))));
        copy(&mut Cursor::new(b"abc"), &mut stored).unwrap();
        assert_eq!(stored, b"abcabc");
    }

    #[test]
    fn a_full_disk_is_told_apart_from_an_input_that_breaks() {
        assert!(matches!(copy(&mut Cursor::new(b"abc"), &mut Broken), Err(CopyError::Write(_))));
    }
}
