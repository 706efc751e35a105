//! `cargo xtask measure`: a matrix of runs between two real browsers, and a table of the results.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{browsers, matrix, process, test, workspace};

/// Options of a matrix.
#[derive(Args)]
pub(crate) struct Options {
    /// The profile set: browsers, length of a run, links.
    #[arg(long, default_value = "tests/profiles/everyday.toml")]
    profiles: PathBuf,
    /// How often each profile is measured, in place of what the set says.
    #[arg(long)]
    repetitions: Option<u32>,
    /// The folder for the reports.
    #[arg(long, default_value = "target/reports")]
    reports: PathBuf,
    /// Keep the runs whose reports are in the folder, and do only the missing and the failed ones.
    #[arg(long)]
    resume: bool,
}

/// Runs the matrix with the harness of the end-to-end tests.
///
/// # Errors
/// Where something does not build or run.
pub(crate) fn run(options: &Options) -> Result<()> {
    let here = std::env::current_dir()?;
    let profiles = [here.join(&options.profiles), workspace::root().join(&options.profiles)];
    let profiles = profiles.into_iter().find(|path| path.exists());
    let profiles = profiles.with_context(|| format!("there is no {}", options.profiles.display()))?;
    let mut measurement = test::end_to_end_one_by_one(&browsers::test_tools()?, "measure::")?;
    let folder = workspace::root().join(&options.reports);
    measurement.env("SIGHTLINE_MEASURE", profiles).env("SIGHTLINE_REPORTS", &folder).arg("--nocapture");
    if let Some(repetitions) = options.repetitions {
        measurement.env("SIGHTLINE_REPETITIONS", repetitions.to_string());
    }
    if options.resume {
        measurement.env("SIGHTLINE_RESUME", "1");
    } else if folder.join(matrix::RUNS).exists() {
        // The runs of an earlier matrix are not part of this one.
        fs::remove_file(folder.join(matrix::RUNS))?;
    }
    // The runs that were done have a result even if the harness ends early.
    let ended = process::run(&mut measurement);
    let failed = matrix::write(&folder)?;
    println!("matrix.csv, matrix.json and the plots are in {}", folder.display());
    ended?;
    if failed > 0 {
        bail!("{failed} runs failed; `cargo xtask measure --resume` does them again");
    }
    Ok(())
}
