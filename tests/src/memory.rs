//! The memory of processes, from `/proc`.

use std::{collections::BTreeMap, fs};

use anyhow::Result;

use crate::descendants::below;

/// The proportional set size of this process and its descendants in kB, by the role of each process: shared memory is divided
/// among its users.
///
/// # Errors
/// Where there is no `/proc`.
pub fn pss_kb_by_role(root: i32) -> Result<BTreeMap<String, u64>> {
    let mut roles = BTreeMap::new();
    for pid in below(root)?.into_iter().map(|(pid, _)| pid).chain([root]) {
        // A process may end between two reads.
        let Ok(maps) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else { continue };
        let Ok(arguments) = fs::read_to_string(format!("/proc/{pid}/cmdline")) else { continue };
        *roles.entry(role(&arguments)).or_default() += pss_kb(&maps).unwrap_or(0);
    }
    Ok(roles)
}

/// The role of a browser's process, from its arguments: Chromium has `--type` and for services their name, Firefox has the role
/// at the end.
fn role(arguments: &str) -> String {
    let arguments: Vec<&str> = arguments.split(['\0', ' ']).filter(|part| !part.is_empty()).collect();
    let option = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name));
    let role = option("--utility-sub-type=").or_else(|| option("--type=")).or_else(|| {
        let is_child = arguments.contains(&"-contentproc");
        arguments.last().filter(|_| is_child).copied()
    });
    role.unwrap_or("browser").to_owned()
}

fn pss_kb(maps: &str) -> Option<u64> {
    maps.lines().find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::role;

    #[test]
    fn the_role_of_a_process_follows_from_its_arguments() {
        assert_eq!(role("/usr/bin/chromium\0--headless\0"), "browser");
        assert_eq!(role("chromium --type=renderer --lang=en"), "renderer");
        let network = "chromium --type=utility --utility-sub-type=network.mojom.NetworkService";
        assert_eq!(role(network), "network.mojom.NetworkService");
        assert_eq!(role("firefox\0-contentproc\0-isForBrowser\0{5}\0tab\0"), "tab");
        assert_eq!(role("firefox\0--marionette\0"), "browser");
    }
}
