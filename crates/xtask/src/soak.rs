//! `cargo xtask soak`: what takes long, with real times. Driven by the end-to-end tests' own harness.

use anyhow::Result;
use clap::Args;

use crate::{browsers, process, test};

/// What runs.
#[derive(Args)]
pub(crate) struct Options {
    /// A filter for the names: cuts, messages, renegotiations, server_kill, chromium_firefox, ...
    filter: Option<String>,
}

/// Runs it and prints its tables.
///
/// # Errors
/// Where something does not build, does not run, or does not come back.
pub(crate) fn run(options: &Options) -> Result<()> {
    let filter = options.filter.as_deref().unwrap_or("soak::");
    let mut soak = test::end_to_end_one_by_one(&browsers::test_tools()?, filter)?;
    // The tables are printed by tests that pass.
    process::run(soak.env("SIGHTLINE_SOAK", "1").arg("--nocapture"))
}
