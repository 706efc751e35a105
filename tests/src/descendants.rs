//! The descendants of a process, from `/proc`.

use std::{collections::HashMap, fs};

use anyhow::{Context, Result};

/// The fields of `/proc/<pid>/stat` after the name: the first is the state, the second the parent.
pub(crate) type Stat = Vec<String>;

/// Every process below this one, with its `stat`.
///
/// # Errors
/// Where there is no `/proc`.
pub(crate) fn below(root: i32) -> Result<Vec<(i32, Stat)>> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").context("no /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        // A process may end between two reads.
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name in parentheses may contain any character.
        let Some((_, fields)) = stat.rsplit_once(") ") else { continue };
        all.insert(pid, fields.split(' ').map(str::to_owned).collect::<Stat>());
    }
    let parent = |pid: i32| all.get(&pid)?.get(1)?.parse::<i32>().ok();
    let is_below =
        |pid: i32| std::iter::successors(parent(pid), |at| parent(*at)).any(|ancestor| ancestor == root);
    let found: Vec<_> = all.keys().copied().filter(|pid| is_below(*pid)).collect();
    Ok(found.into_iter().filter_map(|pid| all.remove_entry(&pid)).collect())
}
