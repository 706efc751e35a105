//! The signaling server beside a Node relay and PeerServer, each under the same load, one after the other.

use std::process::Stdio;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use super::{Running, start_program, start_server};
use crate::{install, process, workspace};

pub(super) const NPM_WS_VERSION: &str = "8.23.0";

pub(super) const NPM_PEER_VERSION: &str = "1.0.2";

/// Sockets in the measurement of signals that go back and forth.
const SPREAD_SOCKETS: usize = 1000;

/// What the server has to allow for the load.
const MANY: [&str; 8] = [
    "--max-sockets",
    "100000",
    "--max-rooms",
    "100000",
    "--max-frames-per-second",
    "1000000",
    "--max-bytes-per-second",
    "1000000000",
];

/// The load on both servers.
#[derive(Args)]
pub(crate) struct Options {
    /// Sockets, one run for each number
    #[arg(long, value_delimiter = ',', default_value = "1000,10000")]
    sockets: Vec<usize>,
    /// How long signals are relayed, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Only the server, without Node
    #[arg(long)]
    alone: bool,
}

/// Builds, runs, prints a table.
///
/// # Errors
/// Where something does not build or run.
pub(crate) fn run(options: &Options) -> Result<()> {
    process::run(&mut process::cargo([
        "build",
        "--release",
        "--package",
        "sightline-server",
        "--bins",
        "--example",
        "signalling_load",
    ]))?;
    if !options.alone {
        install::from_npm("ws", NPM_WS_VERSION)?;
        install::from_npm("peer", NPM_PEER_VERSION)?;
    }
    println!(
        "\n{:<12} {:>8} {:>20} {:>14} {:>10} {:>10} {:>12}",
        "", "sockets", "signals/CPU-second", "signals/s", "p50 ms", "p99 ms", "KB/socket"
    );
    for sockets in &options.sockets {
        measure("sightline", start_server(&MANY)?, *sockets, options.seconds, &[])?;
        if !options.alone {
            measure("node ws", start_relay()?, *sockets, options.seconds, &[])?;
        }
    }
    println!("signals that go back and forth in {} rooms", SPREAD_SOCKETS / 2);
    measure("sightline", start_server(&MANY)?, SPREAD_SOCKETS, options.seconds, &["--spread"])?;
    if !options.alone {
        measure("node ws", start_relay()?, SPREAD_SOCKETS, options.seconds, &["--spread"])?;
        measure(
            "peerserver",
            start_peer_server()?,
            SPREAD_SOCKETS,
            options.seconds,
            &["--spread", "--peerjs"],
        )?;
    }
    println!(
        "\n600-byte signals in bursts of 16 from 64 rooms of two, the other sockets idle; latency of one signal at a time. Below, four signals\n\
         in each room go back and forth all the time; latency of each of them;\n\
         CPU and memory (VmRSS, beyond that with 32 sockets) of the server's process alone. The load runs on the same machine."
    );
    Ok(())
}

fn start_relay() -> Result<Running> {
    let mut relay = process::command("node");
    relay.arg("crates/xtask/src/bench/relay.mjs").arg(install::tools_dir()?.join("npm"));
    start_program(relay, |line| Some(line.strip_prefix("listening on ")?.to_owned()))
}

/// PeerServer, in a process of Node.
fn start_peer_server() -> Result<Running> {
    let mut server = process::command("node");
    server.arg("crates/xtask/src/bench/peerserver.mjs").arg(install::tools_dir()?.join("npm"));
    start_program(server, |line| Some(line.strip_prefix("listening on ")?.to_owned()))
}

fn measure(name: &str, server: Running, sockets: usize, seconds: u64, more: &[&str]) -> Result<()> {
    let load = workspace::target_dir().join("release/examples/signalling_load");
    let mut load = process::command(load);
    load.args(["--port", &server.port, "--pid", &server.child.id().to_string()]);
    load.args(["--sockets", &sockets.to_string(), "--seconds", &seconds.to_string()]).args(more);
    let output = process::output(load.stderr(Stdio::inherit())).context("the load failed")?;
    let measured: Value = serde_json::from_str(&output).context("what the load says")?;
    let number = |field: &str| measured[field].as_f64().with_context(|| format!("no {field}"));
    println!(
        "{name:<12} {sockets:>8} {:>20.0} {:>14.0} {:>10.2} {:>10.2} {:>12.1}",
        number("relayed_per_cpu_s")?,
        number("relayed_per_s")?,
        number("p50_us")? / 1e3,
        number("p99_us")? / 1e3,
        number("bytes_per_socket")? / 1e3,
    );
    Ok(())
}
