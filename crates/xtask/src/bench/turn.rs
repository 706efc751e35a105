//! The server's relay and coturn under the same load, one after the other; or the packets of a bystander while the server's relay
//! is attacked.

use std::{
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::Value;

use crate::{process, workspace};

const SECRET: &str = "known to both";
/// Attempts until a server listens.
const START_TRIES: usize = 100;
const START_PAUSE: Duration = Duration::from_millis(100);

/// The load on both relays.
#[derive(Args)]
pub(crate) struct Options {
    /// How long each shape of traffic lasts, in seconds
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How often everything is measured
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Attack the server's relay instead, and count a bystander's packets with and without
    #[arg(long)]
    attack: bool,
    /// Attack this server instead of the one that is built here
    #[arg(long, requires = "attack")]
    server: Option<PathBuf>,
}

/// Builds, runs, prints a table.
///
/// # Errors
/// Where something does not build or run.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut build = process::cargo(["build", "--release", "--package", "sightline-server", "--bins"]);
    process::run(build.args(["--example", "turn_load", "--example", "turn_attack"]))?;
    if options.attack {
        return attack(options);
    }
    let coturn = which::which("turnserver").is_ok();
    if !coturn {
        println!("coturn (turnserver) is not installed: this server alone");
    }
    println!(
        "\n{:<18} {:<12} {:>20} {:>12} {:>14} {:>14} {:>8}",
        "", "", "packets/CPU-second", "packets/s", "added p50 us", "added p99 us", "lost"
    );
    for _ in 0..options.rounds {
        measure("sightline", start_own(None)?, options.seconds)?;
        if coturn {
            measure("coturn", start_coturn()?, options.seconds)?;
        }
    }
    println!(
        "\nOver UDP on loopback, in both directions of each stream. voice: 64 streams, 160 bytes every 20 ms. video: 16 streams of\n\
         2 Mbit/s, 8 packets of 1,100 bytes every 33 ms, to a peer without a relay, or to one with an allocation of its own. flood: 8\n\
         streams, 32 packets on their way in each direction. CPU of the server's process alone; the load runs on the same machine.\n\
         Delays are beyond those of the same traffic between the same sockets without a relay."
    );
    Ok(())
}

/// A server that is stopped when this is dropped.
struct Running {
    child: Child,
    port: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has ended needs no signal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start_own(binary: Option<&Path>) -> Result<Running> {
    let (port, tls_port) = (free_port()?, free_port()?);
    let own = workspace::release_binary("sightline-server");
    let mut server = process::command(binary.unwrap_or(own.as_path()));
    server
        .args(["--port", "0", "--bind", "127.0.0.1", "--log", "error", "--turn-allow", "127.0.0.0/8"])
        .args(["--turn-port", &port.to_string(), "--turn-tls-port", &tls_port.to_string()])
        .args(["--turn-secret", SECRET, "--turn-max-bitrate", "10000000000", "--data-dir"])
        .arg(workspace::target_dir().join("bench"));
    start(server, port)
}

fn start_coturn() -> Result<Running> {
    let port = free_port()?;
    let folder = workspace::target_dir().join("bench");
    fs::create_dir_all(&folder)?;
    let config = folder.join("turnserver.conf");
    let text = format!(
        "listening-port={port}\nlistening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nallow-loopback-peers\n\
         use-auth-secret\nstatic-auth-secret={SECRET}\nrealm=bench\nno-tls\nno-dtls\nno-cli\ncli-password={SECRET}\n\
         no-stdout-log\nlog-file=/dev/null\nsimple-log\npidfile={}\nuserdb={}\n",
        folder.join("turnserver.pid").display(),
        folder.join("turndb").display(),
    );
    fs::write(&config, text)?;
    let mut server = process::command("turnserver");
    server.arg("-c").arg(&config);
    start(server, port)
}

fn start(mut command: Command, port: u16) -> Result<Running> {
    let child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start a server")?;
    let mut running = Running { child, port };
    for _ in 0..START_TRIES {
        if let Some(status) = running.child.try_wait()? {
            bail!("the server ended at once: {status}");
        }
        // The port is taken, so the server listens.
        if UdpSocket::bind(("127.0.0.1", port)).is_err() {
            return Ok(running);
        }
        sleep(START_PAUSE);
    }
    bail!("the server does not listen")
}

fn measure(name: &str, server: Running, seconds: u64) -> Result<()> {
    let mut load = process::command(workspace::target_dir().join("release/examples/turn_load"));
    load.args(["--port", &server.port.to_string(), "--pid", &server.child.id().to_string()]);
    load.args(["--secret", SECRET, "--seconds", &seconds.to_string()]);
    let output = process::output(load.stderr(Stdio::inherit())).context("the load failed")?;
    for line in output.lines() {
        let measured: Value = serde_json::from_str(line).context("what the load says")?;
        let number = |field: &str| measured[field].as_f64().with_context(|| format!("no {field}"));
        println!(
            "{:<18} {name:<12} {:>20.0} {:>12.0} {:>14.0} {:>14.0} {:>7.2}%",
            measured["shape"].as_str().unwrap_or_default(),
            number("relayed_per_cpu_s")?,
            number("relayed_per_s")?,
            number("added_p50_us")?,
            number("added_p99_us")?,
            number("lost")? / number("sent")? * 100.0,
        );
    }
    Ok(())
}

fn attack(options: &Options) -> Result<()> {
    let server = start_own(options.server.as_deref())?;
    let mut attack = process::command(workspace::target_dir().join("release/examples/turn_attack"));
    attack.args(["--port", &server.port.to_string(), "--secret", SECRET]);
    attack.args(["--seconds", &options.seconds.to_string(), "--rounds", &options.rounds.to_string()]);
    let output = process::output(attack.stderr(Stdio::inherit())).context("the attack failed")?;
    println!("\n{:<42} {:>18} {:>18} {:>8}", "a bystander's packets", "without", "during it", "share");
    for line in output.lines() {
        let measured: Value = serde_json::from_str(line).context("what the attack says")?;
        let number = |field: &str| measured[field].as_u64().with_context(|| format!("no {field}"));
        println!(
            "{:<42} {:>9} of {:>5} {:>9} of {:>5} {:>8.3}",
            measured["attack"].as_str().unwrap_or_default(),
            number("delivered_without")?,
            number("sent_without")?,
            number("delivered_with")?,
            number("sent_with")?,
            measured["share"].as_f64().context("no share")?,
        );
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(UdpSocket::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
