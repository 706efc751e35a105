//! `sightline-peer`: a member without a browser, which prints JSON.

use std::{env, ffi::OsStr, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// The time limit of one event on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `sightline-peer`. Dropping it ends the process.
#[derive(Debug)]
pub struct NativePeer {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
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
        let program =
            env::var_os("SIGHTLINE_PEER").context("SIGHTLINE_PEER is not set: use cargo xtask test")?;
        let states = TempDir::new()?;
        let mut child = Command::new(program)
            .args([command, &format!("{origin}/room/{room}"), "--name", name, "--json"])
            .args(arguments)
            .env("XDG_STATE_HOME", states.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("sightline-peer does not start")?;
        let stdout = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { child, stdout, _states: states })
    }

    /// Writes a line to the standard input.
    ///
    /// # Errors
    /// Where the process has ended.
    pub async fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("the input has ended")?;
        Ok(stdin.write_all(format!("{line}\n").as_bytes()).await?)
    }

    /// Waits for an event of this kind that `is_wanted`, and passes over others.
    ///
    /// # Errors
    /// Where none comes.
    pub async fn event(&mut self, kind: &str, is_wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let mut passed = Vec::new();
        let found = async {
            while let Some(line) = self.stdout.next_line().await? {
                let event: Value = serde_json::from_str(&line)?;
                if event["event"] == kind && is_wanted(&event) {
                    return anyhow::Ok(Some(event));
                }
                passed.push(line);
            }
            Ok(None)
        };
        match timeout(PATIENCE, found).await {
            Ok(found) => found?.with_context(|| format!("sightline-peer ended without {kind}: {passed:?}")),
            Err(_) => bail!("sightline-peer printed no {kind}: {passed:?}"),
        }
    }

    /// Ends the standard input and waits until the process has ended without an error.
    ///
    /// # Errors
    /// Where it does not end, or fails.
    pub async fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().context("no error output")?;
        let ended = async {
            pipe.read_to_string(&mut stderr).await?;
            self.child.wait().await
        };
        let status = timeout(PATIENCE, ended).await.context("sightline-peer does not end")??;
        ensure!(status.success(), "sightline-peer failed: {status} {stderr}");
        Ok(())
    }
}
