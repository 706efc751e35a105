//! Compiles Rust to WebAssembly: the client, which will be split, and the workers.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::paths;
use crate::{process, workspace};

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "client";

/// Each program with its package.
const PROGRAMS: [(&str, &str); 2] = [("sightline", "sightline"), ("sightline-file-worker", "file-worker")];

/// Compiles all programs in one call of cargo: apart, each would compile the same dependencies with other features. The feature
/// `split` makes the linker of the client write what the splitter needs (`build.rs`).
///
/// # Errors
/// Where cargo fails.
pub(super) fn compile() -> Result<()> {
    let mut build = process::cargo(["build", "--profile", PROFILE, "--target", TARGET]);
    for (package, program) in PROGRAMS {
        build.args(["--package", package, "--bin", program]);
    }
    build.args(["--features", "sightline/split"]);
    process::run(build.args(paths::without_those_of_this_machine()))
}

/// The compiled program.
///
/// # Errors
/// If `compile` does not compile it.
pub(super) fn compiled(program: &str) -> Result<PathBuf> {
    let is_known = PROGRAMS.iter().any(|(_, known)| *known == program);
    ensure!(
        is_known,
        "index.html names the program {program}, which crates/xtask/src/release/compile.rs does not compile"
    );
    Ok(workspace::target_dir().join(TARGET).join(PROFILE).join(format!("{program}.wasm")))
}
