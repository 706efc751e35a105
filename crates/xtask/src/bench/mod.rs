//! `cargo xtask bench`: measurements, each beside something else measured in the same run.

mod signalling;

use anyhow::Result;
use clap::Subcommand;

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The server's signalling beside a relay in Node: signals per CPU-second, latency, memory of a socket.
    Signalling(signalling::Options),
}

/// Measures, and prints the result.
///
/// # Errors
/// Where something does not build or run.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Signalling(options) => signalling::run(options),
    }
}
