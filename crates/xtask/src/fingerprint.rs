//! Decides whether the client has to be built again.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use anyhow::{Context, Result};

use crate::{process, workspace};

/// The inputs of the client build that are not in a package, except the tools and the options.
const INPUTS: [&str; 16] = [
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "build.rs",
    "index.html",
    "assets",
    ".cargo",
    "src",
    "style",
    "locales",
    // What assembles the client.
    "crates/xtask/src/release",
    "crates/xtask/src/build.rs",
    "crates/xtask/src/placement.rs",
    "crates/xtask/src/policy.rs",
    "crates/xtask/src/sizes.rs",
    "crates/xtask/src/tools.rs",
];

/// The packages that the build compiles, and the one that writes the policy into a page. What they depend on in this workspace
/// counts too.
const PACKAGES: [&str; 3] = ["sightline", "sightline-file-worker", "sightline-page-policy"];

/// Variables that change what the compiler makes.
const VARIABLES: [&str; 3] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTUP_TOOLCHAIN"];

/// A hash of all inputs, the compiler, and `choices` (options and tool versions). Call it before a build, so that changes during
/// the build are not included. Folders called `tests` are left out.
///
/// # Errors
/// Where an input cannot be read.
pub(crate) fn of_inputs(choices: &[&str]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    choices.hash(&mut hasher);
    process::output(process::command("rustc").arg("-vV")).hash(&mut hasher);
    VARIABLES.map(std::env::var_os).hash(&mut hasher);
    for input in INPUTS {
        hash_tree(&workspace::root().join(input), &mut hasher)?;
    }
    // The root is the folder of the package `sightline`; its inputs are listed above.
    for folder in workspace::sources_of(&PACKAGES).iter().filter(|folder| *folder != workspace::root()) {
        hash_tree(folder, &mut hasher)?;
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
