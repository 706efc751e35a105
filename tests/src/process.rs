//! Child processes that never outlive the test.

use std::{
    collections::BTreeSet,
    fs,
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

const START_PATIENCE: Duration = Duration::from_secs(30);
const LINES_KEPT: usize = 200;

/// Every living process group, for [`kill_everything`].
static ALIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A process in its own group. Dropping it ends the process, its group and all descendants.
#[derive(Debug)]
pub struct ProcessTree {
    child: Child,
    pid: Pid,
    lines: mpsc::Receiver<String>,
}

impl ProcessTree {
    /// Starts a process.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(mut command: Command) -> Result<Self> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let pid = pid.with_context(|| format!("{name} ended at once"))?;
        alive().insert(pid.as_raw_nonzero().get());
        let (sender, lines) = mpsc::channel(LINES_KEPT);
        if let Some(stdout) = child.stdout.take() {
            forward(stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            forward(stderr, sender);
        }
        Ok(Self { child, pid, lines })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Waits for a line of output for which `find` returns a value.
    ///
    /// # Errors
    /// Where it ends or stays silent; the message has its output.
    pub async fn line<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let mut seen = Vec::new();
        let found = timeout(START_PATIENCE, async {
            while let Some(line) = self.lines.recv().await {
                if let Some(found) = find(&line) {
                    return Some(found);
                }
                seen.push(line);
            }
            None
        });
        match found.await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => bail!("it ended; it said:\n{}", seen.join("\n")),
            Err(_) => bail!("it did not say that it is ready; it said:\n{}", seen.join("\n")),
        }
    }

    /// The last lines that no call waited for, for a failure message.
    pub fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.try_recv().ok()).collect()
    }

    /// Sends SIGTERM, as a service manager does. Returns whether the process ended with success.
    ///
    /// # Errors
    /// Where it cannot be asked or does not end.
    pub async fn terminate(&mut self) -> Result<bool> {
        kill_process(self.pid, Signal::TERM)?;
        let status = timeout(START_PATIENCE, self.child.wait()).await.context("it does not end")??;
        Ok(status.success())
    }

    /// Kills the process and its descendants, as a loss of power does, and waits for the end.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    pub async fn kill(&mut self) -> Result<()> {
        kill_tree(self.pid);
        self.child.wait().await?;
        Ok(())
    }
}

impl Drop for ProcessTree {
    fn drop(&mut self) {
        kill_tree(self.pid);
        alive().remove(&self.pid.as_raw_nonzero().get());
    }
}

/// Kills every process that a [`ProcessTree`] holds, when a test run is interrupted.
pub fn kill_everything() {
    let groups: Vec<_> = alive().iter().copied().collect();
    groups.into_iter().filter_map(Pid::from_raw).for_each(kill_tree);
}

/// Kills a tree of processes. Browsers leave their driver's group, so it is not enough to signal the group.
fn kill_tree(root: Pid) {
    let mut pids = vec![root];
    let mut next = 0;
    while let Some(pid) = pids.get(next).copied() {
        pids.extend(children(pid));
        next += 1;
    }
    // A process that is gone needs no signal.
    let _ = kill_process_group(root, Signal::KILL);
    for pid in pids {
        let _ = kill_process(pid, Signal::KILL);
    }
}

fn children(pid: Pid) -> Vec<Pid> {
    let tasks = fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()));
    let lists = tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>())
        .filter_map(Pid::from_raw)
        .collect()
}

fn forward(output: impl AsyncRead + Unpin + Send + 'static, lines: mpsc::Sender<String>) {
    tokio::spawn(async move {
        let mut reader = BufReader::new(output).lines();
        // Read to the end even if nobody listens, since a full pipe would stop the process.
        while let Ok(Some(line)) = reader.next_line().await {
            let _ = lines.try_send(line);
        }
    });
}

fn alive() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
