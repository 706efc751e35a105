//! The priority of processes.

use std::fs;

use anyhow::Result;
use rustix::process::{Pid, setpriority_process};

use crate::descendants::below;

/// Gives this process and its descendants the lowest priority; what they start inherits it.
///
/// # Errors
/// Where there is no `/proc`.
pub(crate) fn lower_below(root: i32) -> Result<()> {
    let processes = below(root)?;
    for pid in processes.iter().map(|(pid, _)| *pid).chain([root]) {
        // Linux has a priority for each thread. A process or thread may end between two calls.
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for thread in threads.flatten() {
            let thread = thread.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(thread) = thread.and_then(Pid::from_raw) {
                let _ = setpriority_process(Some(thread), 19);
            }
        }
    }
    Ok(())
}
