//! The tools that build the client, at their pinned versions.

use std::{path::PathBuf, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    install::{self, Profile},
    process,
    system::{Needed, System},
    workspace,
};

/// Version 0.22 needs a newer Rust than this workspace.
const TRUNK_VERSION: &str = "0.21.14";
const CARGO_DENY_VERSION: &str = "0.20.2";
const CARGO_FUZZ_VERSION: &str = "0.13.2";
const MDBOOK_VERSION: &str = "0.5.4";
const GECKODRIVER_VERSION: &str = "0.37.0";
/// Used if PATH has no `wasm-opt` that is new enough.
const NPM_BINARYEN_VERSION: &str = "132.0.0";
/// Used if there is no npm either.
const CRATE_WASM_OPT_VERSION: &str = "0.116.1";
const NPM_ESBUILD_VERSION: &str = "0.28.2";
/// Version 108 (Debian 12) exports the wrong one of two tables, and the client stops at its first callback.
const OLDEST_WASM_OPT: u32 = 116;
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The result of [`client_tools`].
pub(crate) struct ClientTools {
    wasm_opt: PathBuf,
    /// In the form that trunk compares: `version_108`.
    wasm_opt_version: String,
    /// Present if there is npm.
    esbuild: Option<PathBuf>,
}

impl ClientTools {
    /// Trunk, configured to use exactly these tools and to download none. It is installed here, with the wasm-bindgen that it calls,
    /// because only a debug build needs them, and compiling them takes longer than the rest of a first build.
    ///
    /// # Errors
    /// Where one of them is missing and cannot be installed.
    pub(crate) fn trunk(&self) -> Result<Command> {
        let mut trunk = process::command(trunk()?);
        trunk
            .env("PATH", install::search_path()?)
            .env("TRUNK_TOOLS_WASM_BINDGEN", wasm_bindgen_version())
            .env("TRUNK_TOOLS_WASM_OPT", &self.wasm_opt_version)
            .env("TRUNK_SKIP_VERSION_CHECK", "true")
            // Trunk takes this variable for its own `--no-color` flag and refuses the customary value, 1.
            .env_remove("NO_COLOR");
        Ok(trunk)
    }

    /// The versions of the tools that change what is built. (Those that are libraries of this program are in `Cargo.lock`.)
    pub(crate) fn versions(&self) -> String {
        let esbuild = self.esbuild.as_ref().map_or("none", |_| NPM_ESBUILD_VERSION);
        format!("wasm-opt {}, esbuild {esbuild}", self.wasm_opt_version)
    }

    /// The command that minimizes WebAssembly.
    pub(crate) fn wasm_opt(&self) -> Command {
        process::command(&self.wasm_opt)
    }

    /// Minifies a script (`js`) or a style sheet (`css`); without npm the text is unchanged.
    ///
    /// # Errors
    /// If the text cannot be parsed.
    pub(crate) fn minify(&self, text: &str, language: &str) -> Result<String> {
        let Some(esbuild) = &self.esbuild else { return Ok(text.to_owned()) };
        let mut esbuild = process::command(esbuild);
        esbuild.args(["--minify", "--log-level=warning", &format!("--loader={language}")]);
        if language == "js" {
            esbuild.args(["--format=esm", "--tree-shaking=true"]);
        }
        process::filter(&mut esbuild, text)
    }

    /// Prints the tools in use.
    pub(crate) fn print(&self) {
        println!("wasm-bindgen {}: a library of xtask", wasm_bindgen_version());
        println!("wasm-opt {}: {}", self.wasm_opt_version, self.wasm_opt.display());
        match &self.esbuild {
            Some(path) => println!("esbuild {NPM_ESBUILD_VERSION}: {}", path.display()),
            None => {
                println!("esbuild: not without npm; script and styles stay as they are, 4 KiB more to load");
            }
        }
    }
}

/// Finds the tools that build the client and installs the missing ones.
///
/// # Errors
/// Where one is missing and cannot be installed; the message says how to get it.
pub(crate) fn client_tools() -> Result<ClientTools> {
    wasm_target()?;
    let (wasm_opt, wasm_opt_version) = wasm_opt()?;
    Ok(ClientTools { wasm_opt, wasm_opt_version, esbuild: esbuild()? })
}

const TRUNK: CompiledTool<'_> = CompiledTool {
    executable: "trunk",
    package: "trunk",
    version: TRUNK_VERSION,
    locked: true,
    profile: Profile::LittleOptimized,
    purpose: "serves the client while you work on it",
    duration: "5 to 14 minutes on two cores",
};

/// Trunk, which builds and serves the client while a developer works on it, with the wasm-bindgen that it calls.
///
/// # Errors
/// Where one of them is missing and cannot be installed.
pub(crate) fn trunk() -> Result<PathBuf> {
    wasm_bindgen("wasm-bindgen")?;
    compiled_tool(&TRUNK)
}

/// Whether trunk is installed.
pub(crate) fn has_trunk() -> bool {
    find(&TRUNK).is_ok_and(|trunk| trunk.is_some())
}

/// The runner of the browser crate's tests.
///
/// # Errors
/// Where it is missing and cannot be installed.
pub(crate) fn wasm_bindgen_test_runner() -> Result<PathBuf> {
    wasm_bindgen("wasm-bindgen-test-runner")
}

/// Firefox's driver.
///
/// # Errors
/// Where it is missing and cannot be installed.
pub(crate) fn geckodriver() -> Result<PathBuf> {
    compiled_tool(&CompiledTool {
        executable: "geckodriver",
        package: "geckodriver",
        version: GECKODRIVER_VERSION,
        locked: true,
        profile: Profile::Unoptimized,
        purpose: "drives Firefox in the tests",
        duration: "1 to 3 minutes on two cores",
    })
}

/// The program that checks licenses, sources and bans of the dependencies.
///
/// # Errors
/// Where it is missing and cannot be installed.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    compiled_tool(&CompiledTool {
        executable: "cargo-deny",
        package: "cargo-deny",
        version: CARGO_DENY_VERSION,
        locked: true,
        profile: Profile::Unoptimized,
        purpose: "checks the licenses of the dependencies",
        duration: "2 to 5 minutes on two cores",
    })
}

/// The program that runs the fuzz targets.
///
/// # Errors
/// Where it is missing and cannot be installed.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    compiled_tool(&CompiledTool {
        executable: "cargo-fuzz",
        package: "cargo-fuzz",
        version: CARGO_FUZZ_VERSION,
        locked: true,
        profile: Profile::Unoptimized,
        purpose: "runs the fuzz targets",
        duration: "1 to 2 minutes on two cores",
    })
}

/// The program that makes a book of the documents.
///
/// # Errors
/// Where it is missing and cannot be installed.
pub(crate) fn mdbook() -> Result<PathBuf> {
    compiled_tool(&CompiledTool {
        executable: "mdbook",
        package: "mdbook",
        version: MDBOOK_VERSION,
        locked: true,
        profile: Profile::Unoptimized,
        purpose: "makes a book of the documents",
        duration: "2 to 5 minutes on two cores",
    })
}

struct CompiledTool<'a> {
    executable: &'a str,
    package: &'a str,
    version: &'a str,
    /// Whether to install with the locked dependencies that its authors tested.
    locked: bool,
    profile: Profile,
    purpose: &'a str,
    duration: &'a str,
}

fn compiled_tool(tool: &CompiledTool<'_>) -> Result<PathBuf> {
    if let Some(path) = find(tool)? {
        return Ok(path);
    }
    println!(
        "installing {} {}, which {}: compiled from crates.io into {}, once, {}",
        tool.package,
        tool.version,
        tool.purpose,
        install::bin_dir()?.display(),
        tool.duration
    );
    install::from_crates_io(tool.package, tool.version, tool.locked, tool.profile)?;
    find(tool)?.with_context(|| format!("{} was installed but does not print its version", tool.executable))
}

/// The tool in the right version: ours, or the user's if we have none. If ours has another version, the user's is not used,
/// because ours comes first on the PATH that trunk gets.
fn find(tool: &CompiledTool<'_>) -> Result<Option<PathBuf>> {
    let is_right = |path: &PathBuf| {
        let said = process::output(process::command(path).arg("--version"));
        said.is_some_and(|said| names_version(&said, tool.version))
    };
    let ours = which::which_in(tool.executable, Some(install::bin_dir()?), workspace::root()).ok();
    let candidate = ours.or_else(|| which::which(tool.executable).ok());
    Ok(candidate.filter(is_right))
}

/// Whether a tool that said this has the version: `trunk 0.21.14`, `mdbook v0.5.4`.
fn names_version(said: &str, version: &str) -> bool {
    said.split_whitespace().any(|word| word.strip_prefix('v').unwrap_or(word) == version)
}

/// The version of the client's wasm-bindgen. The library that this program links is pinned to the same one (`Cargo.toml`).
fn wasm_bindgen_version() -> String {
    wasm_bindgen_shared::version()
}

fn wasm_bindgen(executable: &str) -> Result<PathBuf> {
    compiled_tool(&CompiledTool {
        executable,
        package: "wasm-bindgen-cli",
        version: &wasm_bindgen_version(),
        // Its lock file names a crate that was yanked.
        locked: false,
        profile: Profile::LittleOptimized,
        purpose: "makes the client's JavaScript (the version is Cargo.lock's)",
        duration: "3 to 6 minutes on two cores",
    })
}

/// Installs the standard library that the client is compiled with, where it is missing.
///
/// # Errors
/// Where it cannot be installed; the message says how to get it.
pub(crate) fn wasm_target() -> Result<()> {
    let mut rustc = process::command("rustc");
    let libdir = process::output(rustc.args(["--print", "target-libdir", "--target", WASM_TARGET]));
    if libdir.is_some_and(|dir| PathBuf::from(dir).exists()) {
        return Ok(());
    }
    if which::which("rustup").is_err() {
        bail!(
            "Rust's standard library for {WASM_TARGET} is missing and there is no rustup to install it with: \
             install the package of your system (rust-std-wasm32, libstd-rust-dev-wasm32 or similar), or rustup"
        );
    }
    println!("installing Rust's {WASM_TARGET} target, which the client is compiled for: under a minute");
    process::run(process::command("rustup").args(["target", "add", WASM_TARGET]))
}

fn wasm_opt() -> Result<(PathBuf, String)> {
    if let Some(found) = find_wasm_opt()? {
        return Ok(found);
    }
    if which::which("npm").is_ok() {
        println!("installing the npm package binaryen (wasm-opt), which shrinks the client: under a minute");
        install::from_npm("binaryen", NPM_BINARYEN_VERSION)?;
    } else {
        println!(
            "installing wasm-opt {CRATE_WASM_OPT_VERSION}, which shrinks the client: compiled from crates.io into {}, \
             once, 7 to 13 minutes on two cores, and it needs a C++ compiler (with npm it would take seconds: {})",
            install::bin_dir()?.display(),
            System::of_this_machine().advice(Needed::Npm)
        );
        install::from_crates_io("wasm-opt", CRATE_WASM_OPT_VERSION, true, Profile::Release).context(
            "wasm-opt could not be compiled: install npm, or binaryen by another way than Debian 12's, which is too old",
        )?;
    }
    find_wasm_opt()?.context("wasm-opt was installed but does not work")
}

/// The program that minifies scripts and style sheets; `None` without npm.
fn esbuild() -> Result<Option<PathBuf>> {
    let find = || -> Result<Option<PathBuf>> {
        // On Windows npm makes `esbuild.cmd`, which only a search finds.
        let Ok(path) = which::which_in("esbuild", Some(install::npm_bin_dir()?), workspace::root()) else {
            return Ok(None);
        };
        let said = process::output(process::command(&path).arg("--version"));
        Ok((said.as_deref() == Some(NPM_ESBUILD_VERSION)).then_some(path))
    };
    if let Some(found) = find()? {
        return Ok(Some(found));
    }
    if which::which("npm").is_err() {
        return Ok(None);
    }
    println!("installing the npm package esbuild, which minifies script and styles: under a minute");
    install::from_npm("esbuild", NPM_ESBUILD_VERSION)?;
    find()
}

/// The first `wasm-opt` on trunk's PATH, if it is new enough.
fn find_wasm_opt() -> Result<Option<(PathBuf, String)>> {
    let Ok(path) = which::which_in("wasm-opt", Some(install::search_path()?), workspace::root()) else {
        return Ok(None);
    };
    // "wasm-opt version 116", "wasm-opt version 132 (version_132)"
    let said = process::output(process::command(&path).arg("--version")).unwrap_or_default();
    let number = said.split_whitespace().nth(2).and_then(|number| number.parse::<u32>().ok());
    let is_recent = |number: &u32| *number >= OLDEST_WASM_OPT;
    Ok(number.filter(is_recent).map(|number| (path, format!("version_{number}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_with_and_without_a_v() {
        assert!(names_version("mdbook v0.5.4", "0.5.4"));
        assert!(names_version("geckodriver 0.37.0 (a44e7a4 2026-02-01 10:00 +0000)\n\nThe source", "0.37.0"));
        assert!(!names_version("trunk 0.21.14", "0.21.1"));
    }
}
