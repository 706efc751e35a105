//! Other implementations of WebRTC, with which the tests of the native peer enter rooms.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{install, process, workspace};

/// Its packages are listed, each with its version, in the file below.
const AIORTC: &str = "aiortc==1.16.0";
const PYTHON_PACKAGES: &str = "crates/cli/tests/foreign/requirements.txt";
const NPM_PACKAGES: [(&str, &str); 2] = [("werift", "0.25.2"), ("ws", "8.23.0")];

/// Names the implementations to the tests. Those that cannot be installed are not named, and their tests are reported as ignored.
pub(crate) fn name_implementations(tests: &mut Command) {
    let installed = [("SIGHTLINE_AIORTC", "aiortc", aiortc()), ("SIGHTLINE_WERIFT", "werift", werift())];
    for (variable, name, path) in installed {
        match path {
            Ok(path) => drop(tests.env(variable, path)),
            Err(error) => println!("{name} not installed, its tests are reported as ignored: {error:#}"),
        }
    }
}

/// The Python that has aiortc.
fn aiortc() -> Result<PathBuf> {
    let folder = install::tools_dir()?.join("aiortc");
    let python = folder.join("bin").join("python");
    let has_packages = || {
        let freeze = process::output(process::command(&python).args(["-m", "pip", "freeze"]));
        freeze.is_some_and(|packages| packages.lines().any(|package| package == AIORTC))
    };
    if !has_packages() {
        let system = which::which("python3").context("there is no python3")?;
        println!("installing {AIORTC}, a foreign member of rooms in the tests: under a minute");
        process::run(process::command(system).args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = process::command(&python);
        // Packages are compiled nowhere, which would take minutes and a C compiler.
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--only-binary",
            ":all:",
            "--requirement",
        ]);
        process::run(pip.arg(workspace::root().join(PYTHON_PACKAGES)))?;
    }
    if has_packages() { Ok(python) } else { bail!("pip does not list {AIORTC}") }
}

/// The folder of npm packages that has werift.
fn werift() -> Result<PathBuf> {
    which::which("node").context("there is no node")?;
    for (package, version) in NPM_PACKAGES {
        let manifest = install::npm_package_dir(package)?.join("package.json");
        let is_there = std::fs::read_to_string(manifest)
            .is_ok_and(|manifest| manifest.contains(&format!("\"version\": \"{version}\"")));
        if !is_there {
            println!(
                "installing the npm package {package}, for a foreign member of rooms in the tests: under a minute"
            );
            install::from_npm(package, version)?;
        }
    }
    let package = install::npm_package_dir("werift")?;
    package.parent().map(PathBuf::from).context("the package is in no folder")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listed_packages_contain_the_version_that_is_looked_for() {
        let packages = std::fs::read_to_string(workspace::root().join(PYTHON_PACKAGES)).expect("the list");
        assert!(packages.lines().any(|package| package == AIORTC), "{packages}");
        assert!(packages.lines().all(|package| package.contains("==")), "{packages}");
    }
}
