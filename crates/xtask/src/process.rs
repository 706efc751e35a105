//! Running other programs.

use std::{ffi::OsStr, process::Command};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A command in the root of the workspace.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    command
}

/// This workspace's cargo.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = command(workspace::cargo());
    command.args(args);
    command
}

/// Runs it with its output on the terminal.
///
/// # Errors
/// Where it cannot be started or does not end with success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        let args: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        bail!("`{name} {}` ended with {status}", args.join(" "));
    }
    Ok(())
}

/// What it prints, or nothing where it cannot be started or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
