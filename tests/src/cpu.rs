//! What processes have used of the processor, by `/proc`.

use std::{collections::HashMap, fs, time::Duration};

use anyhow::{Context, Result};

/// The time that Chromium's renderers below this process have used since they were started.
///
/// # Errors
/// Where there is no `/proc`.
pub fn of_renderers_below(root: i32) -> Result<Duration> {
    let mut parents = HashMap::new();
    let mut renderers = Vec::new();
    for entry in fs::read_dir("/proc").context("no /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // A process may end between two looks.
        let (Ok(stat), Ok(command)) =
            (fs::read_to_string(format!("/proc/{pid}/stat")), fs::read(format!("/proc/{pid}/cmdline")))
        else {
            continue;
        };
        // The name in parentheses may have anything in it.
        let Some((_, fields)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<_> = fields.split(' ').collect();
        let field =
            |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or_default();
        parents.insert(pid, i32::try_from(field(1)).unwrap_or_default());
        if String::from_utf8_lossy(&command).contains("--type=renderer") {
            renderers.push((pid, field(11) + field(12)));
        }
    }
    let is_below = |pid: i32| {
        let mut at = pid;
        while let Some(parent) = parents.get(&at) {
            if *parent == root {
                return true;
            }
            at = *parent;
        }
        false
    };
    let ticks: u64 = renderers.iter().filter(|(pid, _)| is_below(*pid)).map(|(_, ticks)| ticks).sum();
    Ok(Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second())?)
}
