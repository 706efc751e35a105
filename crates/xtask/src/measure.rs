//! `cargo xtask measure`: a matrix of runs between two real browsers, and a table of the results.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::{browsers, process, test, workspace};

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
    let mut measurement = test::end_to_end(&browsers::test_tools()?, Some("measure::"))?;
    measurement
        .env("SIGHTLINE_MEASURE", profiles)
        .env("SIGHTLINE_REPORTS", workspace::root().join(&options.reports))
        .arg("--nocapture");
    if let Some(repetitions) = options.repetitions {
        measurement.env("SIGHTLINE_REPETITIONS", repetitions.to_string());
    }
    process::run(&mut measurement)
}
