//! Secrets on disk: that of the resume tokens, which are to survive a restart.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::rooms::ResumeKey;

const FILE_NAME: &str = "resume.key";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file or its directory cannot be read or written.
    #[error("{path}: {source}. Choose another directory with --data-dir.")]
    Unusable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not one that the server wrote.
    #[error("{path} is damaged. Delete it: members who reconnect will be newcomers once.")]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system has no random numbers")]
    NoRandomness,
}

/// Reads the key in `data_dir`; makes both if they do not exist.
///
/// # Errors
/// [`KeyFileError`] where that is not possible.
pub(crate) fn load_or_create(data_dir: &Path) -> Result<ResumeKey, KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    let unusable = |source| KeyFileError::Unusable { path: path.clone(), source };
    create_private_dir(data_dir).map_err(unusable)?;
    let mut secret = [0; ResumeKey::BYTES];
    match create_private_file(&path) {
        Ok(mut file) => {
            SystemRandom::new().fill(&mut secret).map_err(|_| KeyFileError::NoRandomness)?;
            file.write_all(&secret).and_then(|()| file.sync_all()).map_err(unusable)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut file = File::open(&path).map_err(unusable)?;
            let mut rest = [0; 1];
            match file.read_exact(&mut secret).and_then(|()| file.read(&mut rest)) {
                Ok(0) => {}
                Ok(_) => return Err(KeyFileError::Damaged { path }),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(KeyFileError::Damaged { path });
                }
                Err(error) => return Err(unusable(error)),
            }
        }
        Err(error) => return Err(unusable(error)),
    }
    Ok(ResumeKey::new(&secret))
}

/// Writes a file that nobody else can read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        create_private_dir(dir)?;
    }
    let partial = path.with_extension("partial");
    match fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_private_file(&partial)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&partial, path)
}

fn create_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn create_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{rooms::ResumeClaims, time::UnixTime};

    fn token(key: &ResumeKey) -> String {
        key.sign(&ResumeClaims {
            room: sightline_protocol::RoomName::new("team-7").unwrap(),
            id: sightline_protocol::MemberId::new("m1").unwrap(),
            instance: sightline_protocol::InstanceId::new("i1").unwrap(),
            arrival: sightline_protocol::Arrival(1),
            expires_s: 1,
        })
    }

    #[test]
    fn the_second_start_has_the_key_of_the_first_and_another_directory_another() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [first, second, other] =
            [&here, &here, &there].map(|dir| load_or_create(&dir.path().join("a/b")).unwrap());
        assert!(second.verify(&token(&first), UnixTime::default()).is_some());
        assert!(other.verify(&token(&first), UnixTime::default()).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        load_or_create(dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_of_another_length_is_damaged() {
        for length in [0, ResumeKey::BYTES - 1, ResumeKey::BYTES + 1] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(FILE_NAME), vec![7; length]).unwrap();
            assert!(matches!(load_or_create(dir.path()), Err(KeyFileError::Damaged { .. })), "{length}");
        }
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_said_to_be_so() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(load_or_create(&file.join("x")), Err(KeyFileError::Unusable { .. })));
    }
}
