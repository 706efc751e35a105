//! The time from the click on join to the first remote frame, beside PeerJS and plain JavaScript.

use anyhow::Result;
use clap::Args;

use crate::{browsers, install, process, test};

const PEERJS_VERSION: &str = "1.5.5";
const PEER_VERSION: &str = super::signalling::NPM_PEER_VERSION;
/// Of the relay beside which the page of plain JavaScript is; `peer` depends on it anyway.
const WS_VERSION: &str = super::signalling::NPM_WS_VERSION;

/// What is measured, and how often.
#[derive(Args)]
pub(crate) struct Options {
    /// Calls of each system
    #[arg(long, default_value_t = 20)]
    repetitions: u32,
    /// Only these networks: loopback, 4g (needs Linux and root)
    #[arg(long, value_delimiter = ',')]
    networks: Vec<String>,
    /// Only these visits: warm, cold (a fresh profile for each call)
    #[arg(long, value_delimiter = ',')]
    visits: Vec<String>,
    /// Only these systems: sightline, peerjs, raw, raw-ahead
    #[arg(long, value_delimiter = ',')]
    systems: Vec<String>,
    /// How long a person is in the lobby once the camera's picture moves, in milliseconds
    #[arg(long, default_value_t = 1000)]
    lobby_ms: u32,
    /// The browser: chromium or firefox
    #[arg(long, default_value = "chromium")]
    browser: String,
}

/// Runs with the harness of the end-to-end tests.
///
/// # Errors
/// Where something does not build or run.
pub(super) fn run(options: &Options) -> Result<()> {
    for (package, version) in [("peerjs", PEERJS_VERSION), ("peer", PEER_VERSION), ("ws", WS_VERSION)] {
        install::from_npm(package, version)?;
    }
    let mut measurement = test::end_to_end_one_by_one(&browsers::test_tools()?, "bench_start")?;
    process::run(
        measurement
            .env("SIGHTLINE_BENCH", "start")
            .env("SIGHTLINE_BENCH_NPM", install::tools_dir()?.join("npm"))
            .env("SIGHTLINE_BENCH_REPETITIONS", options.repetitions.to_string())
            .env("SIGHTLINE_BENCH_NETWORKS", options.networks.join(","))
            .env("SIGHTLINE_BENCH_VISITS", options.visits.join(","))
            .env("SIGHTLINE_BENCH_SYSTEMS", options.systems.join(","))
            .env("SIGHTLINE_BENCH_LOBBY_MS", options.lobby_ms.to_string())
            .env("SIGHTLINE_BENCH_BROWSER", &options.browser)
            .arg("--nocapture"),
    )
}
