//! Secrets on disk, such as the key of the resume tokens, which have to survive a restart.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::rooms::ResumeKey;

const FILE_NAME: &str = "resume.key";

/// Why the key of the resume tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file or its directory cannot be read or written.
    #[error("{path}: {source}. Choose another directory with --data-dir.")]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file does not have the length of a key.
    #[error("{path} is damaged. Delete it; members that reconnect then join as newcomers once.")]
    Damaged {
        /// The key file.
        path: PathBuf,
    },
    /// Other users of this machine can read or write the file.
    #[error(
        "{path} can be read or changed by everyone on this machine (mode {mode:o}), so it is no secret. Delete it: members who \
         reconnect will be newcomers once."
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// The file's permission bits.
        mode: u32,
    },
    /// The system gave no random bytes.
    #[error("the system has no random numbers")]
    NoRandomness,
}

/// Reads the key in `data_dir`. Makes the directory and the key if they do not exist.
///
/// # Errors
/// [`KeyFileError`] where that is not possible.
pub(crate) fn load_or_create(data_dir: &Path) -> Result<ResumeKey, KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    let unusable = |source| KeyFileError::Unusable { path: path.clone(), source };
    create_private_dir(data_dir).map_err(unusable)?;
    // If another server creates the key at the same time, both use that key.
    if !path.try_exists().map_err(unusable)? {
        let mut secret = [0; ResumeKey::BYTES];
        SystemRandom::new().fill(&mut secret).map_err(|_| KeyFileError::NoRandomness)?;
        match create_whole(&path, &secret) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(error)),
            _ => {}
        }
    }
    read(&path).map(|secret| ResumeKey::new(&secret))
}

fn read(path: &Path) -> Result<[u8; ResumeKey::BYTES], KeyFileError> {
    let unusable = |source| KeyFileError::Unusable { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(unusable)?;
    if let Some(mode) = exposed_mode(&file.metadata().map_err(unusable)?) {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
    }
    let (mut secret, mut rest) = ([0; ResumeKey::BYTES], [0; 1]);
    match file.read_exact(&mut secret).and_then(|()| file.read(&mut rest)) {
        Ok(0) => Ok(secret),
        Ok(_) => Err(KeyFileError::Damaged { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(KeyFileError::Damaged { path: path.to_owned() })
        }
        Err(error) => Err(unusable(error)),
    }
}

/// The permission bits of a file that others than its owner can write, or others than its owner and group can read.
#[cfg(unix)]
pub(crate) fn exposed_mode(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;

    const OTHERS_OR_GROUP_WRITES: u32 = 0o027;
    let mode = metadata.permissions().mode() & 0o777;
    (mode & OTHERS_OR_GROUP_WRITES != 0).then_some(mode)
}

/// Systems other than Unix have no permission bits.
#[cfg(not(unix))]
pub(crate) fn exposed_mode(_: &fs::Metadata) -> Option<u32> {
    None
}

/// Makes a file that nobody else can read, whole or not at all. Never replaces an existing file.
fn create_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    write_new(&partial, content)?;
    let placed = match fs::hard_link(&partial, path) {
        // Some file systems have no hard links.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&partial, path),
        linked => fs::remove_file(&partial).and(linked),
    };
    placed.and_then(|()| sync_dir(path))
}

/// Writes a file that nobody else can read, whole or not at all.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        create_private_dir(dir)?;
    }
    let partial = path.with_extension("partial");
    write_new(&partial, content)?;
    fs::rename(&partial, path)?;
    sync_dir(path)
}

/// Writes a file that nobody else can read. Replaces a file that was left unfinished.
fn write_new(partial: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_private_file(partial)?;
    file.write_all(content)?;
    file.sync_all()
}

/// A file's name is on the disk once its directory has been synced.
#[cfg(unix)]
fn sync_dir(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// Elsewhere a directory cannot be opened as a file.
#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
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
    use crate::{
        rooms::{ResumeClaims, RoomRules},
        time::UnixTime,
    };

    fn token(key: &ResumeKey) -> String {
        key.sign(&ResumeClaims {
            room: crate::rooms::RoomKey::new(sightline_protocol::RoomName::new("team-7").unwrap(), None),
            id: sightline_protocol::MemberId::new("m1").unwrap(),
            instance: sightline_protocol::InstanceId::new("i1").unwrap(),
            arrival: sightline_protocol::Arrival(1),
            expires_s: 1,
            rules: RoomRules::default(),
            is_host: false,
        })
    }

    #[test]
    fn the_key_survives_a_restart_and_differs_between_directories() {
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
            write_private(&dir.path().join(FILE_NAME), &vec![7; length]).unwrap();
            let error = load_or_create(dir.path()).unwrap_err();
            assert!(matches!(error, KeyFileError::Damaged { .. }), "{length}");
            assert!(
                error.to_string().ends_with("Delete it; members that reconnect then join as newcomers once."),
                "{error}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_or_change_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        load_or_create(dir.path()).unwrap();
        for (mode, is_taken) in [
            (0o400, true),
            (0o600, true),
            (0o640, true),
            (0o604, false),
            (0o644, false),
            (0o660, false),
            (0o602, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match load_or_create(dir.path()) {
                Ok(_) => assert!(is_taken, "{mode:o}"),
                Err(error) => {
                    assert!(!is_taken && error.to_string().contains(&format!("(mode {mode:o})")), "{error}");
                }
            }
        }
    }

    #[test]
    fn no_file_is_left_beside_the_key_and_a_leftover_of_a_crash_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(format!("resume.{}.partial", std::process::id())), "half").unwrap();
        let key = load_or_create(dir.path()).unwrap();
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FILE_NAME]);
        assert!(load_or_create(dir.path()).unwrap().verify(&token(&key), UnixTime::default()).is_some());
    }

    #[test]
    fn a_key_that_another_server_made_meanwhile_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        create_whole(&path, &[1; ResumeKey::BYTES]).unwrap();
        assert_eq!(
            create_whole(&path, &[2; ResumeKey::BYTES]).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(read(&path).unwrap(), [1; ResumeKey::BYTES]);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(load_or_create(&file.join("x")), Err(KeyFileError::Unusable { .. })));
    }
}
