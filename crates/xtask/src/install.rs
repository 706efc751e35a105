//! Installs missing tools, and never replaces one of the user's.
//!
//! Compiled tools go to a folder in the user's cache that all clones share. System packages are installed only as root on Debian,
//! where there is no other user to ask.

use std::{env, path::PathBuf, sync::OnceLock};

use anyhow::{Context, Result};
use etcetera::BaseStrategy;

use crate::{
    process,
    system::{Needed, System},
};

/// The folder that holds the tools installed here: `<user cache>/sightline/tools`.
///
/// # Errors
/// Where the system names no cache folder for the user.
pub(crate) fn tools_dir() -> Result<PathBuf> {
    let folders = etcetera::choose_base_strategy()
        .context("this system names no home folder for the user; set HOME or XDG_CACHE_HOME")?;
    Ok(folders.cache_dir().join("sightline").join("tools"))
}

/// The folder in [`tools_dir`] with the executables that cargo installed.
///
/// # Errors
/// As [`tools_dir`].
pub(crate) fn bin_dir() -> Result<PathBuf> {
    Ok(tools_dir()?.join("bin"))
}

/// The folder with the executables that npm installed.
///
/// # Errors
/// As [`tools_dir`].
pub(crate) fn npm_bin_dir() -> Result<PathBuf> {
    Ok(tools_dir()?.join("npm").join("node_modules").join(".bin"))
}

/// The folder with a package that npm installed.
///
/// # Errors
/// As [`tools_dir`].
pub(crate) fn npm_package_dir(package: &str) -> Result<PathBuf> {
    Ok(tools_dir()?.join("npm").join("node_modules").join(package))
}

/// How a tool is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For a tool that works for long.
    Release,
    /// For a tool that reads megabytes: compiled faster than for release, and fast enough.
    LittleOptimized,
    /// For a tool that mostly waits.
    Unoptimized,
}

/// Installs a crate's executables into [`bin_dir`]: downloaded where the person has `cargo binstall`, else compiled.
///
/// # Errors
/// Where cargo fails.
pub(crate) fn from_crates_io(name: &str, version: &str, locked: bool, profile: Profile) -> Result<()> {
    if which::which("cargo-binstall").is_ok() {
        let mut binstall =
            process::cargo(["binstall", "--no-confirm", "--disable-strategies", "compile", "--root"]);
        match process::run(binstall.arg(tools_dir()?).arg(format!("{name}@{version}"))) {
            Ok(()) => return Ok(()),
            Err(error) => println!("{error:#}; compiling {name} instead"),
        }
    }
    let mut cargo = process::cargo(["install", "--version", version, "--root"]);
    cargo.arg(tools_dir()?).arg(name);
    match profile {
        Profile::Release => {}
        Profile::LittleOptimized => {
            for setting in ["opt-level=1", "lto=false", "codegen-units=16", "debug=false"] {
                cargo.args(["--config", &format!("profile.release.{setting}")]);
            }
        }
        Profile::Unoptimized => {
            cargo.args(["--debug", "--config", "profile.dev.debug=false"]);
        }
    }
    if locked {
        cargo.arg("--locked");
    }
    // Flags for this workspace must not apply to its tools.
    cargo.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
    process::run(&mut cargo)
}

/// Whether apt may be used without asking: root on Debian. (Ubuntu's packages of browsers only install snaps.)
pub(crate) fn apt_is_ours() -> bool {
    static OURS: OnceLock<bool> = OnceLock::new();
    *OURS.get_or_init(|| {
        System::of_this_machine() == System::Debian
            && which::which("apt-get").is_ok()
            && process::output(process::command("id").arg("-u")).as_deref() == Some("0")
    })
}

/// Installs Debian packages.
///
/// # Errors
/// Where apt fails.
pub(crate) fn from_apt(packages: &[&str]) -> Result<()> {
    let apt = || {
        let mut apt = process::command("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y", "-o", "Acquire::Retries=3"]);
        apt
    };
    // The update fails if one mirror is away, and the lists that are there may be enough.
    if let Err(error) = process::run(apt().arg("update")) {
        println!("{error:#}");
    }
    process::run(apt().args(["install", "--no-install-recommends"]).args(packages))
}

/// Installs an npm package beside the compiled tools.
///
/// # Errors
/// Where npm fails.
pub(crate) fn from_npm(package: &str, version: &str) -> Result<()> {
    let npm = which::which("npm").with_context(|| {
        format!("npm is not installed: {}", System::of_this_machine().advice(Needed::Npm))
    })?;
    let mut npm = process::command(npm);
    npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(tools_dir()?.join("npm"));
    process::run(npm.arg(format!("{package}@{version}")))
}

/// The user's PATH, preceded by the folders of the installed tools.
///
/// # Errors
/// As [`tools_dir`].
pub(crate) fn search_path() -> Result<std::ffi::OsString> {
    let user = env::var_os("PATH").unwrap_or_default();
    let folders = [bin_dir()?, npm_bin_dir()?].into_iter().chain(env::split_paths(&user));
    env::join_paths(folders).context("PATH cannot be extended")
}
