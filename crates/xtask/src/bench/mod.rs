//! `cargo xtask bench`: measurements, each beside something else measured in the same run.

mod peers;
mod running;
mod signalling;
mod start;
mod turn;

use anyhow::Result;
use clap::Subcommand;

use self::running::{Running, start_program, start_server};
use crate::{browsers, process, test, workspace};

/// The measurements of `cargo xtask bench`.
#[derive(Subcommand)]
pub(crate) enum Bench {
    /// The server's signaling beside a relay in Node: signals per CPU-second, latency, memory of a socket.
    Signalling(signalling::Options),
    /// The server's relay beside coturn: packets per CPU-second, added delay.
    Turn(turn::Options),
    /// Bots of `sightline-peer` in one room or several: CPU, memory, and what the server needs beside them. Linux.
    Peers(peers::Options),
    /// The time from the click on join to the first remote frame, beside PeerJS and a page of plain JavaScript.
    Start(start::Options),
    /// The figures in Chromium for 1, 4 and 8 peers: processor time with the panel open, closed, and of bare connections.
    Panel,
    /// Known stalls in both browsers: precision, recall, F1 and error of the ledger and of the browsers' own freezes; cost.
    Quality(Quality),
    /// Files beside bare data channels and beside stop-and-wait, at round trips of 0, 20 and 100 ms; or those of `sightline-peer`
    /// beside scp; or the effect of a file on a call; or the memory that a large file needs. Over an emulated link: Linux, as root.
    Transfer(Transfer),
}

/// Options of `quality`.
#[derive(clap::Args)]
pub(crate) struct Quality {
    /// Only the parts whose name contains this, such as `stops::firefox`, `stops::chromium_30`, `link::loss`, `painter`, `cost`,
    /// `causes::chromium` (the confusion matrix of injected causes), `plain_file` (needs ffmpeg).
    part: Option<String>,
    /// How often each of ten stops is injected, in each browser at each rate; a quarter of the injections of each cause.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Determines the strengths of the injected causes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Options of `transfer`.
#[derive(clap::Args)]
pub(crate) struct Transfer {
    /// A call at 3 Mbit/s and 50 ms, alone and with a file beside it.
    #[arg(long, conflicts_with = "memory_mib")]
    call: bool,
    /// How long each of the two is watched, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Send a file of this many MiB, and print how much more memory the browsers' processes have meanwhile.
    #[arg(long)]
    memory_mib: Option<u32>,
    /// Between `sightline-peer` and itself, and between it and the browser, beside scp if there is an sshd.
    #[arg(long, conflicts_with_all = ["call", "memory_mib"])]
    native: bool,
    /// Only the path with this round trip, in milliseconds: 0, 20 or 100.
    #[arg(long)]
    round_trip_ms: Option<u64>,
    /// With `--native`: lose this part of the packets in either direction, in percent, on a path of 20 ms.
    #[arg(long, requires = "native", conflicts_with = "round_trip_ms")]
    loss_percent: Option<u32>,
    /// How often each is measured, in turns.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// The browser: chromium or firefox.
    #[arg(long, default_value = "chromium")]
    browser: String,
}

/// Runs a measurement and prints the result.
///
/// # Errors
/// If a program does not build or run.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Signalling(options) => signalling::run(options),
        Bench::Turn(options) => turn::run(options),
        Bench::Peers(options) => peers::run(options),
        Bench::Start(options) => start::run(options),
        Bench::Panel => panel(),
        Bench::Quality(options) => quality(options),
        Bench::Transfer(options) => transfer(options),
    }
}

/// Runs with the harness of the end-to-end tests.
fn transfer(options: &Transfer) -> Result<()> {
    let mut measurement = test::end_to_end_one_by_one(&browsers::test_tools()?, "bench_transfer")?;
    let mode = match options {
        Transfer { call: true, .. } => "transfer-call",
        Transfer { memory_mib: Some(_), .. } => "transfer-memory",
        Transfer { native: true, .. } => "transfer-native",
        _ => "transfer",
    };
    measurement
        .env("SIGHTLINE_BENCH", mode)
        .env("SIGHTLINE_BENCH_BROWSER", &options.browser)
        .env("SIGHTLINE_BENCH_ROUNDS", options.rounds.to_string())
        .env("SIGHTLINE_BENCH_SECONDS", options.seconds.to_string());
    if options.native {
        process::run(&mut process::cargo(["build", "--release", "--package=sightline-cli", "--bins"]))?;
        measurement.env("SIGHTLINE_PEER", workspace::release_binary("sightline-peer"));
    }
    if let Some(round_trip_ms) = options.round_trip_ms {
        measurement.env("SIGHTLINE_BENCH_ROUND_TRIP_MS", round_trip_ms.to_string());
    }
    if let Some(percent) = options.loss_percent {
        measurement.env("SIGHTLINE_BENCH_LOSS_PERCENT", percent.to_string());
    }
    if let Some(mib) = options.memory_mib {
        measurement.env("SIGHTLINE_BENCH_MIB", mib.to_string());
    }
    process::run(measurement.arg("--nocapture"))
}

/// Runs with the harness of the end-to-end tests.
fn panel() -> Result<()> {
    let mut measurement = test::end_to_end(&browsers::test_tools()?, Some("bench_panel"))?;
    // The table is printed by a test that passes.
    process::run(measurement.env("SIGHTLINE_BENCH", "panel").arg("--nocapture"))
}

/// Runs with the harness of the end-to-end tests.
fn quality(options: &Quality) -> Result<()> {
    let part = format!("bench_quality::{}", options.part.as_deref().unwrap_or_default());
    let mut measurement = test::end_to_end_one_by_one(&browsers::test_tools()?, &part)?;
    let rounds = options.rounds.to_string();
    process::run(
        measurement
            .env("SIGHTLINE_BENCH", "quality")
            .env("SIGHTLINE_REPORTS", workspace::root().join("target/reports"))
            .env("SIGHTLINE_BENCH_ROUNDS", rounds)
            .env("SIGHTLINE_BENCH_SEED", options.seed.to_string())
            .arg("--nocapture"),
    )
}
