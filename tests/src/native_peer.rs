//! `sightline-peer`: a member without a browser, which prints JSON.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

#[cfg(target_os = "linux")]
use crate::netlab::Room;

/// The time limit of one event on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lines that wait for the test: a few a second, for longer than any test.
const MAX_LINES: usize = 10_000;

/// A running `sightline-peer`. Dropping it ends the process.
#[derive(Debug)]
pub struct NativePeer {
    child: Child,
    events: mpsc::Receiver<String>,
    /// The lines of the standard error.
    notes: mpsc::Receiver<String>,
    _states: TempDir,
}

impl NativePeer {
    /// Starts a command in a room of the server with this address.
    ///
    /// # Errors
    /// Where it is not built or does not start.
    pub fn start<S: AsRef<OsStr>>(
        command: &str,
        origin: &str,
        room: &str,
        name: &str,
        arguments: &[S],
    ) -> Result<Self> {
        Self::enter(Command::new(program()?), command, origin, room, name, arguments)
    }

    /// Starts this number of bots in a room of the server with this address.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn bots<S: AsRef<OsStr>>(count: usize, origin: &str, room: &str, arguments: &[S]) -> Result<Self> {
        let mut process = Command::new(program()?);
        process
            .args(["bots", &count.to_string(), &format!("{origin}/room/{room}"), "--json"])
            .args(arguments);
        Self::spawn(process)
    }

    /// Starts a command in a network namespace.
    ///
    /// # Errors
    /// As [`Self::start`].
    #[cfg(target_os = "linux")]
    pub(crate) fn start_in<S: AsRef<OsStr>>(
        place: &Room,
        command: &str,
        origin: &str,
        room: &str,
        name: &str,
        arguments: &[S],
    ) -> Result<Self> {
        let process = place.command(&program()?.to_string_lossy());
        Self::enter(process, command, origin, room, name, arguments)
    }

    /// Starts the connection doctor in a network namespace.
    ///
    /// # Errors
    /// As [`Self::start`].
    #[cfg(target_os = "linux")]
    pub(crate) fn check_in(place: &Room, origin: &str) -> Result<Self> {
        let mut process = place.command(&program()?.to_string_lossy());
        process.args(["check", origin, "--json"]);
        Self::spawn(process)
    }

    fn enter<S: AsRef<OsStr>>(
        mut process: Command,
        command: &str,
        origin: &str,
        room: &str,
        name: &str,
        arguments: &[S],
    ) -> Result<Self> {
        process.args([command, &format!("{origin}/room/{room}"), "--name", name, "--json"]).args(arguments);
        Self::spawn(process)
    }

    fn spawn(mut process: Command) -> Result<Self> {
        let states = TempDir::new()?;
        let mut child = process
            .env("XDG_STATE_HOME", states.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("sightline-peer does not start")?;
        let events = lines_of(child.stdout.take().context("no output")?);
        let notes = lines_of(child.stderr.take().context("no error output")?);
        Ok(Self { child, events, notes, _states: states })
    }

    /// Writes a line to the standard input.
    ///
    /// # Errors
    /// Where the process has ended.
    pub async fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("the input has ended")?;
        Ok(stdin.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// Ends the standard input.
    pub fn end_input(&mut self) {
        self.child.stdin = None;
    }

    /// All further events, until the process ends.
    ///
    /// # Errors
    /// Where it does not end.
    pub async fn rest(&mut self) -> Result<Vec<Value>> {
        let all = async {
            let mut events = Vec::new();
            while let Some(line) = self.events.recv().await {
                events.push(serde_json::from_str(&line)?);
            }
            anyhow::Ok(events)
        };
        timeout(PATIENCE, all).await.context("sightline-peer does not end")?
    }

    /// The events that were printed since the last call.
    ///
    /// # Errors
    /// Where a line is no event.
    pub fn arrived(&mut self) -> Result<Vec<Value>> {
        let lines = std::iter::from_fn(|| self.events.try_recv().ok());
        lines.map(|line| Ok(serde_json::from_str(&line)?)).collect()
    }

    /// Waits for an event of this kind that `is_wanted`, and passes over others.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn event(&mut self, kind: &str, is_wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        self.event_within(PATIENCE, kind, is_wanted).await
    }

    /// The same with another time limit.
    ///
    /// # Errors
    /// As [`Self::event`].
    pub async fn event_within(
        &mut self,
        patience: Duration,
        kind: &str,
        is_wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let mut passed = Vec::new();
        let found = async {
            while let Some(line) = self.events.recv().await {
                let event: Value = serde_json::from_str(&line)?;
                if event["event"] == kind && is_wanted(&event) {
                    return anyhow::Ok(Some(event));
                }
                passed.push(line);
            }
            Ok(None)
        };
        match timeout(patience, found).await {
            Ok(Ok(Some(event))) => Ok(event),
            Ok(Err(error)) => Err(error),
            Ok(Ok(None)) => bail!("sightline-peer ended without {kind}: {passed:?} {:?}", self.notes()),
            Err(_) => bail!("sightline-peer printed no {kind}: {passed:?} {:?}", self.notes()),
        }
    }

    /// Ends the standard input and waits until the process has ended without an error.
    ///
    /// # Errors
    /// Where it does not end, or fails.
    pub async fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status = status.with_context(|| format!("sightline-peer does not end: {:?}", self.notes()))??;
        ensure!(status.success(), "sightline-peer failed: {status} {:?}", self.notes());
        Ok(())
    }

    /// What the process has written to the standard error since the last call.
    fn notes(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.notes.try_recv().ok()).collect()
    }
}

/// Reads all lines at once: a full pipe would stop the process while a test waits for another one.
fn lines_of(pipe: impl AsyncRead + Send + Unpin + 'static) -> mpsc::Receiver<String> {
    let (to_test, lines) = mpsc::channel(MAX_LINES);
    let mut pipe = BufReader::new(pipe).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = pipe.next_line().await {
            if to_test.send(line).await.is_err() {
                return;
            }
        }
    });
    lines
}

fn program() -> Result<OsString> {
    env::var_os("SIGHTLINE_PEER").context("SIGHTLINE_PEER is not set: use cargo xtask test")
}
