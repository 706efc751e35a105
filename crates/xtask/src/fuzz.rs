//! `cargo xtask fuzz`: looks for inputs that break a parser, with each target for a while.

use std::fs;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{process, stages, tools, workspace};

/// Longest input, in bytes: a little more than the longest frame.
const MAX_INPUT_BYTES: u32 = 65_536;

/// What to fuzz and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// Targets with this in their names; all if not given.
    filter: Option<String>,
    /// Time for each target, in seconds. An hour is 3600.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Runs the targets one after the other, and names those that failed at the end.
///
/// # Errors
/// Where the tool is missing, or a target found an input that breaks a property.
pub(crate) fn run(options: &Options) -> Result<()> {
    let targets = targets(options.filter.as_deref().unwrap_or_default())?;
    let fuzz = tools::cargo_fuzz()?;
    let mut rows = Vec::new();
    for target in targets {
        println!("\n==== {target} ====");
        let corpus = format!("fuzz/corpus/{target}");
        fs::create_dir_all(workspace::root().join(&corpus))?;
        // Stable Rust has no sanitizers, and safe code needs none.
        let mut command = process::command(&fuzz);
        command.args([
            "fuzz",
            "run",
            "--sanitizer",
            "none",
            &target,
            &corpus,
            &format!("fuzz/seeds/{target}"),
        ]);
        command.args(["--", "-timeout=1", &format!("-max_len={MAX_INPUT_BYTES}")]);
        command.arg(format!("-max_total_time={}", options.seconds));
        let started = stages::now();
        let outcome = process::run(&mut command);
        if let Err(error) = &outcome {
            eprintln!("error: {error:#}");
        }
        rows.push((target, started.elapsed(), outcome.is_ok()));
    }
    println!("\n==== summary ====");
    for (target, took, is_sound) in &rows {
        stages::print_row(target, *took, if *is_sound { "nothing found" } else { "FAILED" });
    }
    if rows.iter().any(|(.., is_sound)| !is_sound) {
        bail!("a target failed; the input is in fuzz/artifacts");
    }
    Ok(())
}

/// The names of the targets that contain `filter`, in order.
fn targets(filter: &str) -> Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for file in files {
        let path = file?.path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "rs") && name.contains(filter) {
            names.push(name);
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("no fuzz target has {filter:?} in its name");
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_a_program_of_the_package_and_has_seeds() {
        workspace::load().expect("the workspace");
        let manifest = fs::read_to_string(workspace::root().join("fuzz/Cargo.toml")).expect("the package");
        for target in targets("").expect("targets") {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
            assert!(workspace::root().join("fuzz/seeds").join(&target).is_dir(), "{target}");
        }
    }
}
