//! Processes that get little processor time, or none for a while.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

/// The controller in which a group of threads can be limited (cgroup v1).
const CONTROLLER: &str = "/sys/fs/cgroup/cpu";
/// Within each period the threads run for their share of it. A short one slows them down evenly.
const PERIOD_US: f64 = 20_000.0;

/// The part of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The threads of Chromium's pool, which encode and decode.
    Workers,
    /// All threads.
    All,
}

/// Limits the processor time of threads until it is dropped.
#[derive(Debug)]
pub struct Slowed {
    group: PathBuf,
}

impl Slowed {
    /// Limits the threads of these processes to a share of one core in all.
    ///
    /// # Errors
    /// Where threads cannot be limited: without root, or without cgroup v1.
    pub fn new(processes: &[i32], part: Part, share: f64) -> Result<Self> {
        let group = PathBuf::from(CONTROLLER).join(format!("sightline-{}", std::process::id()));
        fs::create_dir_all(&group).context("threads cannot be slowed down here")?;
        let slowed = Self { group };
        let set = |name: &str, value: f64| fs::write(slowed.group.join(name), format!("{value:.0}"));
        set("cpu.cfs_period_us", PERIOD_US)?;
        set("cpu.cfs_quota_us", (PERIOD_US * share).max(1000.0))?;
        for process in processes {
            let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { continue };
            for thread in threads.filter_map(Result::ok) {
                let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
                if part == Part::All || name.starts_with("ThreadPool") {
                    // A thread may have ended.
                    let _ =
                        fs::write(slowed.group.join("tasks"), thread.file_name().to_string_lossy().as_ref());
                }
            }
        }
        Ok(slowed)
    }
}

impl Drop for Slowed {
    fn drop(&mut self) {
        let _ = fs::write(self.group.join("cpu.cfs_quota_us"), "-1");
        for thread in fs::read_to_string(self.group.join("tasks")).unwrap_or_default().lines() {
            let _ = fs::write(PathBuf::from(CONTROLLER).join("tasks"), thread);
        }
        let _ = fs::remove_dir(&self.group);
    }
}

/// Stops processes for a while.
pub async fn paused(processes: &[i32], duration: Duration) {
    let send = |signal: Signal| {
        for process in processes.iter().filter_map(|process| Pid::from_raw(*process)) {
            // A process may have ended.
            let _ = kill_process(process, signal);
        }
    };
    send(Signal::STOP);
    sleep(duration).await;
    send(Signal::CONT);
}
