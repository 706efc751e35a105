//! Bots of `sightline-peer` in one room: what they cost, and the server beside them.

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use super::{Running, start_server};
use crate::{process, stages::now, workspace};

/// Clock ticks of a CPU time in `/proc` (`USER_HZ`, the same on all architectures of Linux).
const TICKS_PER_SECOND: f64 = 100.0;
/// How long all bots together may take to connect.
const PATIENCE: Duration = Duration::from_secs(300);

/// The bots.
#[derive(Args)]
pub(crate) struct Options {
    /// Numbers of bots, one run for each
    #[arg(long, value_delimiter = ',', default_value = "8,16,32")]
    bots: Vec<usize>,
    /// Rooms at the same time, each with as many bots in a process of its own
    #[arg(long, default_value_t = 1)]
    rooms: usize,
    /// How long they stay once all are connected, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How often each bot writes a message, in seconds
    #[arg(long, default_value_t = 10)]
    every: u64,
}

/// Builds, runs, prints a table.
///
/// # Errors
/// Where something does not build or run.
pub(crate) fn run(options: &Options) -> Result<()> {
    process::run(&mut process::cargo([
        "build",
        "--release",
        "--package=sightline-server",
        "--package=sightline-cli",
        "--bins",
    ]))?;
    println!(
        "\n{:>5} {:>6} {:>11} {:>7} {:>10} {:>11} {:>9} {:>13} {:>14}",
        "bots",
        "ends",
        "CPU until",
        "cores",
        "memory",
        "an end",
        "received",
        "reconnections",
        "server: cores"
    );
    for bots in &options.bots {
        measure(*bots, options)?;
    }
    println!(
        "\nEach bot connects to each of its room, so N bots are N x (N - 1) ends of peer connections. \"CPU until\" all pairs of all rooms were\n\
         connected; \"cores\" is the CPU time a second over {} s afterwards, in which each bot wrote every {} s.",
        options.seconds, options.every
    );
    Ok(())
}

/// The bots of one room.
struct Room {
    peers: Running,
    events: Lines<BufReader<ChildStdout>>,
}

fn measure(bots: usize, options: &Options) -> Result<()> {
    let server = start_server(&["--no-turn", "--room-limit", "100"])?;
    let mut rooms = Vec::new();
    for number in 1..=options.rooms {
        rooms.push(start_bots(
            bots,
            &format!("http://127.0.0.1:{}/room/bench-{number}", server.port),
            options,
        )?);
    }
    let began = now();
    for room in &mut rooms {
        wait_for_totals(&mut room.events, |totals| {
            if began.elapsed() > PATIENCE {
                bail!("{} of {} pairs are connected", totals["connected_pairs"], totals["pairs"]);
            }
            Ok(totals["connected_pairs"] == totals["pairs"])
        })?;
    }
    let cpu =
        |rooms: &[Room]| -> Result<f64> { rooms.iter().map(|room| cpu_seconds(&room.peers.child)).sum() };
    let (until, server_until, from) = (cpu(&rooms)?, cpu_seconds(&server.child)?, now());
    let is_over = |_: &Value| Ok(from.elapsed() >= Duration::from_secs(options.seconds));
    let (mut received, mut reconnections) = (0, 0);
    for room in &mut rooms {
        let totals = wait_for_totals(&mut room.events, is_over)?;
        received += totals["messages_received"].as_u64().context("no messages")?;
        reconnections += totals["peer_reconnections"].as_u64().context("no reconnections")?;
    }
    let seconds = from.elapsed().as_secs_f64();
    let cores = (cpu(&rooms)? - until) / seconds;
    let server_cores = (cpu_seconds(&server.child)? - server_until) / seconds;
    let memory_kib: f64 = rooms.iter().map(|room| memory_kib(&room.peers.child)).sum::<Result<_>>()?;
    let ends = options.rooms * bots * bots.saturating_sub(1);
    println!(
        "{:>5} {ends:>6} {until:>9.1} s {cores:>7.2} {:>6.0} MiB {:>7.0} KiB {received:>9} {reconnections:>13} {server_cores:>14.2}",
        options.rooms * bots,
        memory_kib / 1024.0,
        memory_kib / ends.max(1) as f64,
    );
    Ok(())
}

fn start_bots(bots: usize, room: &str, options: &Options) -> Result<Room> {
    let mut command = process::command(workspace::release_binary("sightline-peer"));
    command.args(["bots", &bots.to_string(), room, "--json", "--every", &options.every.to_string()]);
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start the bots")?;
    let output = child.stdout.take().context("no output")?;
    Ok(Room { peers: Running { child, port: String::new() }, events: BufReader::new(output).lines() })
}

/// Reads events up to the totals that are wanted.
fn wait_for_totals(
    events: &mut Lines<BufReader<ChildStdout>>,
    is_wanted: impl Fn(&Value) -> Result<bool>,
) -> Result<Value> {
    for line in events {
        let event: Value = serde_json::from_str(&line?).context("what the bots say")?;
        if event["event"] == "failed" {
            bail!("the bots failed: {}", event["sentence"]);
        }
        if event["event"] == "totals" && is_wanted(&event)? {
            return Ok(event);
        }
    }
    bail!("the bots ended")
}

/// The CPU time of a process so far.
fn cpu_seconds(child: &Child) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id()))?;
    // The name of the program, in parentheses, may contain spaces.
    let fields = stat.rsplit(") ").next().context("no fields")?;
    let ticks = |at: usize| fields.split(' ').nth(at).and_then(|text| text.parse::<f64>().ok());
    // Times in user mode and in the kernel are the fields 14 and 15; the first one here is the third.
    Ok((ticks(11).zip(ticks(12)).map(|(user, kernel)| user + kernel)).context("no times")? / TICKS_PER_SECOND)
}

/// The memory of a process now.
fn memory_kib(child: &Child) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    line.split_whitespace().next().and_then(|text| text.parse().ok()).context("no memory")
}
