//! The processor time of processes, from `/proc`.

use std::{fs, time::Duration};

use anyhow::Result;

use crate::descendants::below;

/// The processor time that Chromium's renderers below this process have used since their start.
///
/// # Errors
/// Where there is no `/proc`.
pub fn of_renderers_below(root: i32) -> Result<Duration> {
    let field = |stat: &[String], at: usize| -> u64 {
        stat.get(at).and_then(|field| field.parse().ok()).unwrap_or_default()
    };
    let ticks: u64 = below(root)?
        .iter()
        .filter(|(pid, _)| is_renderer(*pid))
        .map(|(_, stat)| field(stat, 11) + field(stat, 12))
        .sum();
    Ok(Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second())?)
}

/// Chromium's renderers below this process.
///
/// # Errors
/// Where there is no `/proc`.
pub(crate) fn renderers_below(root: i32) -> Result<Vec<i32>> {
    Ok(below(root)?.into_iter().map(|(pid, _)| pid).filter(|pid| is_renderer(*pid)).collect())
}

/// Whether a process is a renderer of Chromium, or one of Firefox for web pages.
fn is_renderer(pid: i32) -> bool {
    // A process may end between two reads.
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|command| {
        let command = String::from_utf8_lossy(&command);
        command.contains("--type=renderer") || command.contains("-contentproc")
    })
}
