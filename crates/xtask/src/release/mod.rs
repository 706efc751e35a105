//! The release build of the client: its WebAssembly split into what the page needs first and what loads later, minimized, with
//! file names that contain a hash.
//!
//! Trunk, which serves the client during development and builds with `--debug`, cannot split. So this module runs cargo, the
//! splitter, wasm-bindgen and wasm-opt, one after the other, and assembles the page from the same `index.html`. Splitter and
//! wasm-bindgen are libraries of this program.

mod bindgen;
mod compile;
mod compile_ahead;
mod modules;
mod names;
mod page;
mod paths;
mod script;
mod worker;

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use modules::Built;

use crate::{stages::Stages, tools::ClientTools, workspace};

/// Builds the client into `dist`, for the root of its host.
///
/// # Errors
/// Where a tool is missing or fails.
pub(crate) fn build(tools: &ClientTools, dist: &Path, stages: &mut Stages) -> Result<()> {
    stages.run("compile the client", 180, compile::compile)?;
    let work = workspace::target_dir().join("xtask").join("release");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let compiled = compile::compiled("sightline")?;
    let mut built = stages.run("split the client", 20, || modules::build(tools, &compiled, &work))?;
    stages.run("shrink the parts of the client", 40, || modules::shrink(tools, &mut built.modules, &work))?;
    stages.run("assemble the page", 10, || assemble(tools, &built, &work, dist))
}

fn assemble(tools: &ClientTools, built: &Built, work: &Path, dist: &Path) -> Result<()> {
    // Only a complete build replaces the served one. (A rename does not work, since `target` may be on another disk.)
    let staged = work.join("dist");
    fs::create_dir_all(&staged)?;
    let names = built
        .modules
        .iter()
        .map(|module| {
            let bytes = fs::read(&module.file)?;
            Ok((module.name.clone(), place(&staged, &module.title, "wasm", &bytes)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let styles = page::styles(tools, &staged)?;
    let script = script::with_file_names(&built.script, &styles.later, &names);
    let script = place(&staged, "sightline", "js", script.as_bytes())?;
    page::assemble(tools, work, &staged, &script, &styles, &names)?;

    if dist.exists() {
        fs::remove_dir_all(dist).context("cannot clear dist/")?;
    }
    workspace::copy_folder(&staged, dist).context("cannot write dist/")
}

/// A WebAssembly module on its way to `dist/`.
pub(crate) struct Module {
    /// `sightline` for the main module, else the splitter's name of the split module.
    pub(crate) name: String,
    /// The part that it belongs to, for its file name: `engine`, or `engine-panels` for the code that both need.
    pub(crate) title: String,
    pub(crate) file: PathBuf,
}

/// Writes a file under a name with a hash of its content, as in `chat-0123456789abcdef.css`, and returns that name.
fn place(dir: &Path, stem: &str, extension: &str, content: &[u8]) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let name = format!("{stem}-{:016x}.{extension}", hasher.finish());
    fs::write(dir.join(&name), content).with_context(|| format!("cannot write {name}"))?;
    Ok(name)
}
