//! A worker: a separate program, which the page starts by its file name.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use super::{
    bindgen::{self, Exports},
    compile,
};
use crate::{process, tools::ClientTools};

/// The attributes of a `<link data-trunk rel="rust" data-type="worker">`.
pub(super) struct Worker {
    pub(super) bin: String,
    /// The optimization level for wasm-opt: `z` or `3`.
    pub(super) optimisation: String,
}

impl Worker {
    /// Writes the compiled worker into `dist`, under the names that trunk uses: `<bin>.js` and `<bin>_bg.wasm`.
    ///
    /// # Errors
    /// Where a step fails.
    pub(super) fn build(&self, tools: &ClientTools, work: &Path, dist: &Path) -> Result<()> {
        let bound = work.join(&self.bin);
        bindgen::generate(&compile::compiled(&self.bin)?, &bound, &self.bin, Exports::Script)?;
        let script = fs::read_to_string(bound.join(format!("{}.js", self.bin)))?;
        // Its exports are used by the program that starts it.
        fs::write(dist.join(format!("{}.js", self.bin)), tools.minify(&script, "js")?)?;
        let wasm = format!("{}_bg.wasm", self.bin);
        let mut shrink = tools.wasm_opt();
        shrink.arg(format!("-O{}", self.optimisation)).arg(bound.join(&wasm)).arg("-o").arg(dist.join(&wasm));
        process::run(&mut shrink).with_context(|| format!("the worker {} cannot be built", self.bin))
    }
}
