//! A worker: a separate program, which the page starts by its file name.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::paths;
use crate::{process, tools::ClientTools, workspace};

/// The attributes of a `<link data-trunk rel="rust" data-type="worker">`.
pub(super) struct Worker {
    /// The path of its `Cargo.toml`, from the root of the workspace.
    pub(super) manifest: String,
    pub(super) bin: String,
    /// The optimization level for wasm-opt: `z` or `3`.
    pub(super) optimisation: String,
}

impl Worker {
    /// Builds the worker into `dist`, under the names that trunk uses: `<bin>.js` and `<bin>_bg.wasm`.
    ///
    /// # Errors
    /// Where a step fails.
    pub(super) fn build(&self, tools: &ClientTools, work: &Path, dist: &Path) -> Result<()> {
        let mut cargo =
            process::cargo(["build", "--profile", "client", "--target", "wasm32-unknown-unknown"]);
        cargo.args(["--manifest-path", &self.manifest, "--bin", &self.bin]);
        process::run(cargo.args(paths::without_those_of_this_machine()))?;
        let compiled =
            workspace::target_dir().join("wasm32-unknown-unknown/client").join(format!("{}.wasm", self.bin));
        let bound = work.join(&self.bin);
        process::run(
            tools
                .wasm_bindgen()?
                .args(["--target", "web", "--no-typescript", "--out-name", &self.bin, "--out-dir"])
                .arg(&bound)
                .arg(compiled),
        )?;
        let script = fs::read_to_string(bound.join(format!("{}.js", self.bin)))?;
        // Its exports are used by the program that starts it.
        fs::write(dist.join(format!("{}.js", self.bin)), tools.minify(&script, "js")?)?;
        let wasm = format!("{}_bg.wasm", self.bin);
        let mut shrink = tools.wasm_opt();
        shrink.arg(format!("-O{}", self.optimisation)).arg(bound.join(&wasm)).arg("-o").arg(dist.join(&wasm));
        process::run(&mut shrink).with_context(|| format!("the worker {} cannot be built", self.bin))
    }
}
