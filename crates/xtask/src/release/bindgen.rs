//! Generates the JavaScript for a WebAssembly file, with wasm-bindgen as a library: its command-line tool takes minutes to compile.

use std::path::Path;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

/// What uses the exports of the module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Exports {
    /// Only wasm-bindgen's script.
    Script,
    /// The split modules too: they use the linker's exports, and demangling would lose the table of names.
    SplitModules,
}

/// Writes `<name>.js` and `<name>_bg.wasm` for the file `compiled` into `folder`.
///
/// # Errors
/// Where the file is not of the version of wasm-bindgen that is linked here, or nothing can be written.
pub(super) fn generate(compiled: &Path, folder: &Path, name: &str, exports: Exports) -> Result<()> {
    let is_split = exports == Exports::SplitModules;
    let mut bindgen = Bindgen::new();
    bindgen.web(true)?.input_path(compiled).out_name(name).typescript(false);
    bindgen.omit_default_module_path(false).keep_lld_exports(is_split).demangle(!is_split);
    bindgen.generate(folder).with_context(|| format!("wasm-bindgen cannot read {}", compiled.display()))
}
