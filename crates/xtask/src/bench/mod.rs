//! `cargo xtask bench`: measurements, each beside something else measured in the same run.

mod signalling;

use anyhow::Result;
use clap::Subcommand;

use crate::{browsers, process, test};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The server's signalling beside a relay in Node: signals per CPU-second, latency, memory of a socket.
    Signalling(signalling::Options),
    /// The figures in Chromium for 1, 4 and 8 peers: processor time with the panel open, closed, and of bare connections.
    Panel,
}

/// Measures, and prints the result.
///
/// # Errors
/// Where something does not build or run.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Signalling(options) => signalling::run(options),
        Bench::Panel => panel(),
    }
}

/// Driven by the end-to-end tests' own harness.
fn panel() -> Result<()> {
    let mut measurement = test::end_to_end(&browsers::test_tools()?, Some("bench_panel"))?;
    // Its table is printed by a test that passes.
    process::run(measurement.env("SIGHTLINE_BENCH", "panel").arg("--nocapture"))
}
