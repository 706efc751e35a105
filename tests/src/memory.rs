//! What processes have of the memory, by `/proc`.

use std::fs;

use anyhow::Result;

use crate::descendants::below;

/// The proportional set size of this process and everything below it, in kB: what is shared counts in parts.
///
/// # Errors
/// Where there is no `/proc`.
pub fn pss_kb_of(root: i32) -> Result<u64> {
    let all = below(root)?.into_iter().map(|(pid, _)| pid).chain([root]);
    // A process may end between two looks.
    let maps = all.filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok());
    Ok(maps.filter_map(|maps| pss_kb(&maps)).sum())
}

fn pss_kb(maps: &str) -> Option<u64> {
    maps.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}
