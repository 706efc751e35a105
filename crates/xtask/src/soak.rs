//! `cargo xtask soak`: long tests with real times. They run with the harness of the end-to-end tests.

use anyhow::Result;
use clap::Args;

use crate::{browsers, process, test};

/// The tests to run.
#[derive(Args)]
pub(crate) struct Options {
    /// A filter for the names: cuts, messages, renegotiations, server_kill, chromium_firefox, ...
    filter: Option<String>,
}

/// Runs the tests and prints their tables.
///
/// # Errors
/// Where something does not build, does not run, or does not come back.
pub(crate) fn run(options: &Options) -> Result<()> {
    let filter = options.filter.as_deref().unwrap_or("soak::");
    let mut soak = test::end_to_end_one_by_one(&browsers::test_tools()?, filter)?;
    // The tables are printed by tests that pass.
    process::run(soak.env("SIGHTLINE_SOAK", "1").arg("--nocapture"))
}
