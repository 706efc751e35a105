//! The stages of a build: says which one runs and how long it will take, and prints a table of all of them at the end.
//!
//! How long a stage takes is known from its last run in this clone, and before that from a machine with two processors.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::workspace;

/// A stage that takes less than this long is not written to the list of durations: it found its work done.
const WORTH_KEEPING_S: f64 = 5.0;

/// The stages that were run so far.
pub(crate) struct Stages {
    began: Instant,
    done: Vec<(&'static str, Duration)>,
    /// In seconds, from earlier runs.
    known_s: BTreeMap<String, f64>,
}

impl Stages {
    pub(crate) fn new() -> Self {
        let known = fs::read_to_string(durations_file()).ok();
        let known_s = known.and_then(|known| serde_json::from_str(&known).ok()).unwrap_or_default();
        Self { began: now(), done: Vec::new(), known_s }
    }

    /// Runs a stage. `first_s` is how long it takes the first time on two processors, in seconds.
    ///
    /// # Errors
    /// That of `work`.
    pub(crate) fn run<T>(
        &mut self,
        name: &'static str,
        first_s: u32,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let estimate = match self.known_s.get(name) {
            Some(last_s) => format!("about {}, as last time", spoken(*last_s)),
            None => format!("about {} the first time, on two processors", spoken(f64::from(first_s))),
        };
        println!("==> {name}: {estimate}");
        let began = now();
        let outcome = work()?;
        self.record(name, began.elapsed());
        Ok(outcome)
    }

    fn record(&mut self, name: &'static str, took: Duration) {
        self.done.push((name, took));
        if took.as_secs_f64() < WORTH_KEEPING_S {
            return;
        }
        self.known_s.insert(name.to_owned(), took.as_secs_f64().round());
        // Only estimates depend on it.
        let _ = serde_json::to_string(&self.known_s).map(|known| fs::write(durations_file(), known));
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        println!();
        for (name, took) in &self.done {
            print_row(name, *took, "");
        }
        print_row("together", self.began.elapsed(), "");
    }
}

/// Prints a row of a table of stages.
pub(crate) fn print_row(name: &str, took: Duration, remark: &str) {
    let row = format!("{name:<44} {:>7.1} s  {remark}", took.as_secs_f64());
    println!("{}", row.trim_end());
}

fn durations_file() -> PathBuf {
    workspace::target_dir().join("xtask").join("durations.json")
}

fn spoken(seconds: f64) -> String {
    if seconds < 90.0 {
        format!("{seconds:.0} seconds")
    } else {
        format!("{:.0} minutes", (seconds / 60.0).ceil())
    }
}

#[allow(clippy::disallowed_methods, reason = "a native program that says how long something took")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_in_seconds_or_in_whole_minutes() {
        assert_eq!(spoken(45.2), "45 seconds");
        assert_eq!(spoken(89.0), "89 seconds");
        assert_eq!(spoken(121.0), "3 minutes");
    }
}
