//! Secrets on disk, such as the key of the resume tokens, which have to survive a restart.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom, SystemRandom};

use crate::rooms::{CreateKey, ResumeKey};

const FILE_NAME: &str = "resume.key";
const BYTES: usize = ResumeKey::BYTES;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file or its directory cannot be read or written.
    #[error("{path}: {source}. Choose another place with --data-dir or --create-token-file.")]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file does not have the length of a key.
    #[error("{path} is damaged. Delete it; {consequence}.")]
    Damaged {
        /// The key file.
        path: PathBuf,
        /// What deleting it means.
        consequence: &'static str,
    },
    /// Other users of this machine can read or write the file.
    #[error(
        "{path} can be read or changed by everyone on this machine (mode {mode:o}), so it is no secret. Delete it; {consequence}."
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// The file's permission bits.
        mode: u32,
        /// What deleting it means.
        consequence: &'static str,
    },
    /// The system gave no random bytes.
    #[error("the system has no random numbers")]
    NoRandomness,
}

/// Reads the key of the resume tokens in `data_dir`. Makes the directory and the key if they do not exist.
///
/// # Errors
/// [`KeyFileError`] where that is not possible.
pub(crate) fn resume_key(data_dir: &Path) -> Result<ResumeKey, KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    secret(&path, "members that reconnect then join as newcomers once").map(|secret| ResumeKey::new(&secret))
}

/// Reads the key of the tokens that allow to open a room. Makes its directory and the key if they do not exist.
///
/// # Errors
/// [`KeyFileError`] where that is not possible.
pub(crate) fn create_key(path: &Path) -> Result<CreateKey, KeyFileError> {
    secret(path, "the tokens that were given out then open no room any more")
        .map(|secret| CreateKey::new(&secret))
}

fn secret(path: &Path, consequence: &'static str) -> Result<[u8; BYTES], KeyFileError> {
    let unusable = |source| KeyFileError::Unusable { path: path.to_owned(), source };
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        create_private_dir(dir).map_err(unusable)?;
    }
    // If another process creates the key at the same time, both use that key.
    if !path.try_exists().map_err(unusable)? {
        let mut secret = [0; BYTES];
        SystemRandom::new().fill(&mut secret).map_err(|_| KeyFileError::NoRandomness)?;
        match create_whole(path, &secret) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unusable(error)),
            _ => {}
        }
    }
    read(path, consequence)
}

fn read(path: &Path, consequence: &'static str) -> Result<[u8; BYTES], KeyFileError> {
    let unusable = |source| KeyFileError::Unusable { path: path.to_owned(), source };
    let damaged = || KeyFileError::Damaged { path: path.to_owned(), consequence };
    let mut file = File::open(path).map_err(unusable)?;
    if let Some(mode) = exposed_mode(&file.metadata().map_err(unusable)?) {
        return Err(KeyFileError::Exposed { path: path.to_owned(), mode, consequence });
    }
    let (mut secret, mut rest) = ([0; BYTES], [0; 1]);
    match file.read_exact(&mut secret).and_then(|()| file.read(&mut rest)) {
        Ok(0) => Ok(secret),
        Ok(_) => Err(damaged()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(damaged()),
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
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
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
            [&here, &here, &there].map(|dir| resume_key(&dir.path().join("a/b")).unwrap());
        assert!(second.verify(&token(&first), UnixTime::default()).is_some());
        assert!(other.verify(&token(&first), UnixTime::default()).is_none());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        resume_key(dir.path()).unwrap();
        let mode = fs::metadata(dir.path().join(FILE_NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_of_another_length_is_damaged() {
        for length in [0, ResumeKey::BYTES - 1, ResumeKey::BYTES + 1] {
            let dir = tempfile::tempdir().unwrap();
            write_private(&dir.path().join(FILE_NAME), &vec![7; length]).unwrap();
            let error = resume_key(dir.path()).unwrap_err();
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
        resume_key(dir.path()).unwrap();
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
            match resume_key(dir.path()) {
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
        let key = resume_key(dir.path()).unwrap();
        let names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [FILE_NAME]);
        assert!(resume_key(dir.path()).unwrap().verify(&token(&key), UnixTime::default()).is_some());
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
        assert_eq!(read(&path, "").unwrap(), [1; ResumeKey::BYTES]);
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(resume_key(&file.join("x")), Err(KeyFileError::Unusable { .. })));
    }
}
