//! Decides whether the client has to be built again.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use anyhow::{Context, Result};

use crate::workspace;

/// All inputs of the client build, except the tools and the options. Folders called `tests` below them are left out.
const INPUTS: [&str; 15] = [
    "Cargo.toml",
    "Cargo.lock",
    "Trunk.toml",
    "build.rs",
    "index.html",
    "assets",
    ".cargo",
    "src",
    "style",
    "locales",
    "crates/protocol",
    "crates/core",
    "crates/browser",
    "crates/file-worker",
    "crates/xtask/src/release",
];

/// A hash of all inputs and of `choices` (options and tool versions). Call it before a build, so that changes during the build
/// are not included.
///
/// # Errors
/// Where an input cannot be read.
pub(crate) fn of_inputs(choices: &[&str]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    choices.hash(&mut hasher);
    for input in INPUTS {
        hash_tree(&workspace::root().join(input), &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// That hash, and a hash of `index.html` in the built client, which names every other file by its hash. The second one is needed
/// because `trunk serve` writes to the same folder.
///
/// # Errors
/// Where the page cannot be read.
pub(crate) fn of_client(inputs: &str) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    hash_tree(&workspace::dist_dir().join("index.html"), &mut hasher)?;
    Ok(format!("{inputs} {:016x}", hasher.finish()))
}

fn hash_tree(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    path.hash(hasher);
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        entries.retain(|entry| !entry.ends_with("tests"));
        entries.sort();
        entries.iter().try_for_each(|entry| hash_tree(entry, hasher))
    } else if path.exists() {
        fs::read(path).with_context(|| format!("cannot read {}", path.display()))?.hash(hasher);
        Ok(())
    } else {
        Ok(())
    }
}
