//! Compiles Rust to one WebAssembly file that can be split.

use std::path::PathBuf;

use anyhow::Result;

use super::paths;
use crate::{process, workspace};

/// Compiles the client with what the splitter needs: the feature `split`, and the linker's relocations, which say what
/// refers to what.
///
/// # Errors
/// Where cargo fails.
pub(super) fn compile() -> Result<PathBuf> {
    let build = [
        "rustc",
        "--package",
        "sightline",
        "--bin",
        "sightline",
        "--profile",
        "client",
        "--target",
        "wasm32-unknown-unknown",
        "--features",
        "split",
    ];
    process::run(
        process::cargo(build)
            .args(paths::without_those_of_this_machine())
            .args(["--", "-Clink-args=--emit-relocs"]),
    )?;
    Ok(workspace::target_dir().join("wasm32-unknown-unknown/client/sightline.wasm"))
}
