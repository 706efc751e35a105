//! A program that runs during a measurement.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{process, workspace};

/// A process that is stopped when this is dropped.
pub(super) struct Running {
    pub(super) child: Child,
    /// Where it listens, if it does.
    pub(super) port: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A process that has ended needs no signal.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the release build of the server on a free port, with these options.
pub(super) fn start_server(options: &[&str]) -> Result<Running> {
    let mut server = process::command(workspace::release_binary("sightline-server"));
    server
        .args(["--port", "0", "--bind", "127.0.0.1", "--log", "error", "--data-dir"])
        .arg(workspace::target_dir().join("bench"))
        .args(options);
    start_program(server, |line| {
        Some(line.trim().strip_prefix("http://localhost:")?.trim_end_matches('/').to_owned())
    })
}

/// Starts a program, and reads its output up to the line that has the port.
pub(super) fn start_program(mut command: Command, port: impl Fn(&str) -> Option<String>) -> Result<Running> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start a server")?;
    let output = child.stdout.take().context("no output")?;
    let mut running = Running { child, port: String::new() };
    for line in BufReader::new(output).lines() {
        if let Some(port) = port(&line?) {
            running.port = port;
            return Ok(running);
        }
    }
    bail!("the server ended at once")
}
