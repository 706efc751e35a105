//! Runs other programs.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// A command that runs in the root of the workspace.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace::root());
    command
}

/// This workspace's cargo, without the variables that say which package runs here: build scripts (ring's) that depend on them
/// would run again, and with them half of the dependencies compile again, whenever a person calls cargo in between.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Command {
    let mut command = command(workspace::cargo());
    for (name, _) in env::vars_os() {
        if is_about_this_package(&name.to_string_lossy()) {
            command.env_remove(name);
        }
    }
    command.args(args);
    command
}

fn is_about_this_package(variable: &str) -> bool {
    let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    starts.iter().any(|start| variable.starts_with(start))
}

/// Runs a command with its output on the terminal.
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

/// The command at a low priority, where the system has `nice`: what runs beside the longest work must not slow it.
pub(crate) fn yielding(command: &Command) -> Command {
    let Ok(nice) = which::which("nice") else {
        return with_settings_of(command, Command::new(command.get_program()));
    };
    let mut yielding = Command::new(nice);
    yielding.args(["-n", "10"]).arg(command.get_program());
    with_settings_of(command, yielding)
}

fn with_settings_of(command: &Command, mut other: Command) -> Command {
    other.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

/// A command that runs beside others. Its output goes to a file, because the output of two programs on one terminal is read by
/// nobody. It ends with this value.
pub(crate) struct Beside {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Beside {
    /// Starts the command with its output in the file `log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Result<Self> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let output = File::create(&log)?;
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, name, log })
    }

    /// Waits for its end, and prints its output where it failed.
    ///
    /// # Errors
    /// Where it does not end with success.
    pub(crate) fn wait(mut self) -> Result<()> {
        let status = self.child.wait()?;
        if !status.success() {
            eprintln!("{}", fs::read_to_string(&self.log).unwrap_or_default());
            bail!("{} ended with {status}", self.name);
        }
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Both fail where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a filter and returns its output for `input`.
///
/// # Errors
/// Where it cannot be started or does not end with success.
pub(crate) fn filter(command: &mut Command, input: &str) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let output = thread::scope(|scope| {
        // If it does not read to the end, its exit code says so.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    })?;
    if !output.status.success() {
        bail!("{name} ended with {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The output of a command; `None` if it cannot be started or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_yielding_command_is_the_same_command_at_a_low_priority() {
        let mut shell = command("sh");
        shell.args(["-c", "nice; pwd; echo $A$B"]).env("A", "a").env_remove("B");
        let plain = output(&mut shell).unwrap();
        let said = output(&mut yielding(&shell)).unwrap();
        let (plain, said): (Vec<_>, Vec<_>) = (plain.lines().collect(), said.lines().collect());
        assert_eq!(plain[1..], said[1..]);
        let [before, after] = [plain[0], said[0]].map(|nice| nice.parse::<i32>().unwrap());
        assert_eq!(after, (before + 10).min(19));
    }

    #[test]
    fn cargo_is_not_told_which_package_runs_it() {
        assert!(env::var_os("CARGO_PKG_NAME").is_some(), "cargo names the package of a test");
        let removed: Vec<_> = cargo(["build"])
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_owned())
            .collect();
        assert!(removed.iter().any(|name| name == "CARGO_PKG_NAME"));
        assert!(!removed.iter().any(|name| name == "CARGO_TARGET_DIR" || name == "CARGO_HOME"));
    }
}
