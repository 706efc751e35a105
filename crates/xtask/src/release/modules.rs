//! Splits one WebAssembly file into the shipped modules, with the script that loads them.

use std::{
    cmp::Reverse,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use rayon::iter::{ParallelBridge, ParallelIterator};

use super::{
    Module,
    bindgen::{self, Exports},
    compile_ahead, names, script,
};
use crate::{process, tools::ClientTools};

/// The module that the page loads first.
const MAIN: &str = "sightline";

/// The parts of the client that a call begins with.
const NEEDED_AT_ONCE: [&str; 2] = ["engine", "room"];

/// The result of [`build`].
pub(super) struct Built {
    /// All modules, the main one first.
    pub(super) modules: Vec<Module>,
    /// The script, which refers to the modules by [`Module::name`] and `.wasm`.
    pub(super) script: String,
}

/// Splits the client and generates the script.
///
/// # Errors
/// Where a step fails.
pub(super) fn build(tools: &ClientTools, compiled: &Path, work: &Path) -> Result<Built> {
    let (main, chunks) = split(compiled, work)?;
    bindgen::generate(&main, work, MAIN, Exports::SplitModules)?;
    let glue = fs::read_to_string(work.join("sightline.js"))?;
    let loader = fs::read_to_string(work.join(script::LOADER))?;
    let script = tools.minify(&script::merge(&glue, &loader)?, "js")?;

    let main = work.join("sightline_bg.wasm");
    let (wasm, script) = names::shorten(&fs::read(&main)?, &script)?;
    fs::write(&main, wasm)?;
    let mut modules = vec![Module { name: MAIN.to_owned(), title: MAIN.to_owned(), file: main }];
    modules.extend(chunks);
    Ok(Built { modules, script })
}

/// Minimizes all modules.
///
/// # Errors
/// Where wasm-opt fails.
pub(super) fn shrink(tools: &ClientTools, modules: &mut [Module], work: &Path) -> Result<()> {
    let mut largest_first: Vec<_> = modules.iter_mut().collect();
    largest_first
        .sort_by_cached_key(|module| Reverse(fs::metadata(&module.file).map_or(0, |found| found.len())));
    largest_first.into_iter().par_bridge().try_for_each(|module| {
        let shrunk = work.join(format!("{}.shrunk.wasm", module.name));
        // Control flow that is built anew makes the first visit 0.7 KiB smaller, and takes twice as long.
        let passes: &[&str] =
            if module.name == MAIN { &["--flatten", "--rereloop", "-Oz", "-Oz"] } else { &["-Oz"] };
        process::run(tools.wasm_opt().args(passes).arg(&module.file).arg("-o").arg(&shrunk))?;
        if is_needed_at_once(&module.title) {
            let compilable = compile_ahead::compilable(&fs::read(&shrunk)?)?;
            fs::write(&shrunk, compilable).with_context(|| format!("cannot write {}", shrunk.display()))?;
        }
        module.file = shrunk;
        Ok(())
    })
}

/// Whether a person waits for the code of this module when a call begins. The main module is used before anything could be compiled ahead.
fn is_needed_at_once(title: &str) -> bool {
    title.split('-').any(|part| NEEDED_AT_ONCE.contains(&part))
}

/// The main module and the split modules.
fn split(compiled: &Path, work: &Path) -> Result<(PathBuf, Vec<Module>)> {
    let input = fs::read(compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    let main = work.join("sightline.wasm");
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = work;
    options.main_out_path = &main;
    options.link_name = script::LOADER_IMPORT;
    options.main_module = script::GLUE_IMPORT;
    let split = wasm_split_cli_support::transform(options)
        .map_err(|error| anyhow!("the client cannot be split: {error:#}"))?;
    let mut files = split.split_modules;
    files.sort();
    let chunks = files.into_iter().map(|file| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Module { title: title(&name, &split.prefetch_map), name, file }
    });
    Ok((main, chunks.collect()))
}

/// The parts that load a split module, joined to a title.
fn title(chunk: &str, loaded_by: &HashMap<String, Vec<String>>) -> String {
    let mut parts: Vec<&str> = loaded_by
        .iter()
        .filter(|(_, chunks)| chunks.iter().any(|other| other == chunk))
        .map(|(part, _)| part.as_str())
        .collect();
    parts.sort_unstable();
    if parts.is_empty() { chunk.to_owned() } else { parts.join("-") }
}
