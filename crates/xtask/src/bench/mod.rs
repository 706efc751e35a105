//! `cargo xtask bench`: measurements, each beside something else measured in the same run.

mod signalling;
mod turn;

use anyhow::Result;
use clap::Subcommand;

use crate::{browsers, process, test};

/// What is measured.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The server's signalling beside a relay in Node: signals per CPU-second, latency, memory of a socket.
    Signalling(signalling::Options),
    /// The server's relay beside coturn: packets per CPU-second, added delay.
    Turn(turn::Options),
    /// The figures in Chromium for 1, 4 and 8 peers: processor time with the panel open, closed, and of bare connections.
    Panel,
    /// Known stalls in both browsers: precision, recall, F1 and error of the ledger and of the browsers' own freezes; cost.
    Quality(Quality),
    /// Files beside bare data channels and beside stop-and-wait, at 0, 20 and 100 ms round trip; or what a call feels of a file;
    /// or what a large file needs of the memory. Across an emulated link: Linux, as root.
    Transfer(Transfer),
}

/// How often, and what.
#[derive(clap::Args)]
pub(crate) struct Quality {
    /// Only the parts whose name has this in it, as `stops::firefox`, `stops::chromium_30`, `link::loss`, `painter`, `cost`.
    part: Option<String>,
    /// How often each of ten stops is injected, in each browser at each rate.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
}

/// Of files.
#[derive(clap::Args)]
pub(crate) struct Transfer {
    /// A call at 3 Mbit/s and 50 ms, alone and with a file beside it.
    #[arg(long, conflicts_with = "memory_mib")]
    call: bool,
    /// How long each of the two is watched.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Send a file of so many MiB, and print what the browsers' processes have more of the memory meanwhile.
    #[arg(long)]
    memory_mib: Option<u32>,
    /// Only the path with this round trip: 0, 20 or 100.
    #[arg(long)]
    round_trip_ms: Option<u64>,
    /// How often each is measured, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// chromium or firefox
    #[arg(long, default_value = "chromium")]
    browser: String,
}

/// Measures, and prints the result.
///
/// # Errors
/// Where something does not build or run.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Signalling(options) => signalling::run(options),
        Bench::Turn(options) => turn::run(options),
        Bench::Panel => panel(),
        Bench::Quality(options) => quality(options),
        Bench::Transfer(options) => transfer(options),
    }
}

/// And this.
fn transfer(options: &Transfer) -> Result<()> {
    let mut measurement = test::end_to_end_one_by_one(&browsers::test_tools()?, "bench_transfer")?;
    let mode = match options {
        Transfer { call: true, .. } => "transfer-call",
        Transfer { memory_mib: Some(_), .. } => "transfer-memory",
        _ => "transfer",
    };
    measurement
        .env("SIGHTLINE_BENCH", mode)
        .env("SIGHTLINE_BENCH_BROWSER", &options.browser)
        .env("SIGHTLINE_BENCH_ROUNDS", options.rounds.to_string())
        .env("SIGHTLINE_BENCH_SECONDS", options.seconds.to_string());
    if let Some(round_trip_ms) = options.round_trip_ms {
        measurement.env("SIGHTLINE_BENCH_ROUND_TRIP_MS", round_trip_ms.to_string());
    }
    if let Some(mib) = options.memory_mib {
        measurement.env("SIGHTLINE_BENCH_MIB", mib.to_string());
    }
    process::run(measurement.arg("--nocapture"))
}

/// Driven by the end-to-end tests' own harness.
fn panel() -> Result<()> {
    let mut measurement = test::end_to_end(&browsers::test_tools()?, Some("bench_panel"))?;
    // Its table is printed by a test that passes.
    process::run(measurement.env("SIGHTLINE_BENCH", "panel").arg("--nocapture"))
}

/// Driven by the end-to-end tests' own harness too.
fn quality(options: &Quality) -> Result<()> {
    let part = format!("bench_quality::{}", options.part.as_deref().unwrap_or_default());
    let mut measurement = test::end_to_end_one_by_one(&browsers::test_tools()?, &part)?;
    let rounds = options.rounds.to_string();
    process::run(
        measurement
            .env("SIGHTLINE_BENCH", "quality")
            .env("SIGHTLINE_BENCH_ROUNDS", rounds)
            .arg("--nocapture"),
    )
}
