//! A worker: a program of its own, which the page starts by its name.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{process, tools::ClientTools, workspace};

/// What a `<link data-trunk rel="rust" data-type="worker">` says.
pub(super) struct Worker {
    /// Its `Cargo.toml`, from the root of the workspace.
    pub(super) manifest: String,
    pub(super) bin: String,
    /// The level that wasm-opt is told: `z`, `3`.
    pub(super) optimisation: String,
}

impl Worker {
    /// Builds it into `dist`, under the names that trunk gives: `<bin>.js` and `<bin>_bg.wasm`.
    ///
    /// # Errors
    /// Where a step fails.
    pub(super) fn build(&self, tools: &ClientTools, work: &Path, dist: &Path) -> Result<()> {
        let mut cargo =
            process::cargo(["build", "--profile", "client", "--target", "wasm32-unknown-unknown"]);
        process::run(cargo.args(["--manifest-path", &self.manifest, "--bin", &self.bin]))?;
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
        // Its exports are for whoever starts it.
        fs::write(dist.join(format!("{}.js", self.bin)), tools.minify(&script, "js")?)?;
        let wasm = format!("{}_bg.wasm", self.bin);
        let mut shrink = tools.wasm_opt();
        shrink.arg(format!("-O{}", self.optimisation)).arg(bound.join(&wasm)).arg("-o").arg(dist.join(&wasm));
        process::run(&mut shrink).with_context(|| format!("the worker {} cannot be built", self.bin))
    }
}
