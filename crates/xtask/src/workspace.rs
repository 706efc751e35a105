//! Paths in this clone.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};

static METADATA: OnceLock<Metadata> = OnceLock::new();

/// Asks cargo about this workspace. The other functions of this module use the answer.
///
/// # Errors
/// Where cargo cannot read the workspace.
pub(crate) fn load() -> Result<()> {
    let mut command = MetadataCommand::new();
    let metadata = command.cargo_path(cargo()).manifest_path(root().join("Cargo.toml")).no_deps().exec();
    let metadata = metadata.context("cargo cannot read this workspace")?;
    let _ = METADATA.set(metadata);
    Ok(())
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).unwrap_or(Path::new("."))
}

/// Cargo's target folder, wherever the environment or a configuration puts it.
pub(crate) fn target_dir() -> PathBuf {
    METADATA.get().map_or_else(|| root().join("target"), |known| known.target_directory.clone().into())
}

/// The folders of the packages called `names` and of the packages of this workspace that they depend on.
pub(crate) fn sources_of(names: &[&str]) -> Vec<PathBuf> {
    let Some(metadata) = METADATA.get() else { return Vec::new() };
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut open: Vec<&str> = names.to_vec();
    while let Some(name) = open.pop() {
        let package = metadata.packages.iter().find(|package| package.name.as_str() == name);
        let Some(package) = package else { continue };
        let folder = package.manifest_path.parent().map(|folder| folder.as_std_path().to_owned());
        let Some(folder) = folder.filter(|folder| !folders.contains(folder)) else { continue };
        folders.push(folder);
        let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
        open.extend(ours.map(|dependency| dependency.name.as_str()));
    }
    folders.sort();
    folders
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
