//! Paths in this clone.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).unwrap_or(Path::new("."))
}

/// Cargo's target folder.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The folder of the built client.
pub(crate) fn dist_dir() -> PathBuf {
    root().join("dist")
}

/// The release build of one of the workspace's binaries.
pub(crate) fn release_binary(name: &str) -> PathBuf {
    target_dir().join("release").join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// The debug build of one of the workspace's binaries.
pub(crate) fn debug_binary(name: &str) -> PathBuf {
    target_dir().join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// The cargo executable that runs this task.
pub(crate) fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Copies a folder with everything below it into `to`, which is made where it is missing.
///
/// # Errors
/// Where a file cannot be read or written.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
