//! The one script: what wasm-bindgen made, what loads the chunks, and the start.

use anyhow::{Result, ensure};

/// As wasm-bindgen's script names the splitter's.
pub(super) const LOADER_IMPORT: &str = "./__wasm_split.js";
/// The splitter's script, in the folder it was told.
pub(super) const LOADER: &str = "__wasm_split.js";
/// As the splitter's script names wasm-bindgen's.
pub(super) const GLUE_IMPORT: &str = "./sightline.js";

/// The file that wasm-bindgen's script loads.
const MAIN_FILE: &str = "sightline_bg.wasm";

/// Puts the two scripts, which import each other, into one module that starts the client.
///
/// # Errors
/// Where they are not of the form that these versions of the tools give them.
pub(super) fn merge(glue: &str, loader: &str) -> Result<String> {
    let is_import_of = |line: &str, module: &str| line.starts_with("import ") && line.contains(module);
    let mut script = String::new();
    let mut namespaces = Vec::new();
    for line in glue.lines() {
        if is_import_of(line, LOADER_IMPORT) {
            // import * as import1 from "./__wasm_split.js", once for each function
            namespaces.extend(line.split_whitespace().nth(3));
        } else if line.trim_start().starts_with(&format!("\"{LOADER_IMPORT}\":")) {
            // "./__wasm_split.js": import1,
            if line.contains(&format!(" {},", namespaces.first().copied().unwrap_or_default())) {
                script.push_str(line);
                script.push('\n');
            }
        } else if let Some(declared) = line.strip_prefix("export ") {
            if !declared.starts_with('{') {
                script.push_str(declared);
                script.push('\n');
            }
        } else if !line.starts_with("if (Symbol.dispose)") {
            // Of a class that nobody uses nothing is to be left by the minifier.
            script.push_str(
                &line.replace(": new FinalizationRegistry(", ": /* @__PURE__ */ new FinalizationRegistry("),
            );
            script.push('\n');
        }
    }
    let mut exported = Vec::new();
    // The page says itself that a part did not come; a page that is left while one loads would log it too.
    let is_report = |line: &str| line.trim_start().starts_with("console.error(");
    for line in loader.lines().filter(|line| !is_import_of(line, GLUE_IMPORT) && !is_report(line)) {
        if let Some(declared) = line.strip_prefix("export const ") {
            exported.extend(declared.split_whitespace().next());
            script.push_str("const ");
            script.push_str(declared);
        } else {
            script.push_str(line);
        }
        script.push('\n');
    }
    ensure!(
        !script.lines().any(|line| line.starts_with("import ")),
        "wasm-bindgen's script imports what is not known here"
    );
    ensure!(script.contains(MAIN_FILE), "wasm-bindgen's script does not load {MAIN_FILE}");
    if let Some(namespace) = namespaces.first() {
        script.push_str(&format!("const {namespace} = {{ {} }};\n", exported.join(", ")));
    }
    script.push_str("__wbg_init();\n");
    Ok(script)
}

/// The script with the names that the modules have in `dist/`: pairs of a module's name and its file's.
pub(super) fn with_file_names(script: &str, names: &[(String, String)]) -> String {
    let mut named = script.replace(MAIN_FILE, "sightline.wasm");
    for (module, file) in names {
        named = named.replace(&format!("{module}.wasm"), file);
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = r#"import * as import1 from "./__wasm_split.js"
import * as import2 from "./__wasm_split.js"
export class Unused {}
if (Symbol.dispose) Unused.prototype[Symbol.dispose] = Unused.prototype.free;
    return {
        "./__wasm_split.js": import1,
        "./__wasm_split.js": import2,
    };
new URL('sightline_bg.wasm', import.meta.url);
export { initSync, __wbg_init as default };
"#;
    const LOADER: &str = r#"import { initSync } from "./sightline.js";
    console.error(e);
export const __wasm_split_load_figures = load("./split_figures.wasm");
"#;

    #[test]
    fn two_scripts_that_import_each_other_become_one_that_imports_nothing() {
        let merged = merge(GLUE, LOADER).unwrap();
        assert_eq!(
            merged,
            r#"class Unused {}
    return {
        "./__wasm_split.js": import1,
    };
new URL('sightline_bg.wasm', import.meta.url);
const __wasm_split_load_figures = load("./split_figures.wasm");
const import1 = { __wasm_split_load_figures };
__wbg_init();
"#
        );
    }

    #[test]
    fn a_script_of_another_form_is_refused() {
        assert!(merge("import x from './elsewhere.js';\n", LOADER).is_err());
        assert!(merge("\nimport x from './elsewhere.js';\n'sightline_bg.wasm'", LOADER).is_err());
    }

    #[test]
    fn the_modules_are_asked_for_by_the_names_that_their_files_have() {
        let names = [("sightline", "sightline-01.wasm"), ("split_figures", "split_figures-02.wasm")]
            .map(|(module, file)| (module.to_owned(), file.to_owned()));
        let named = with_file_names("'sightline_bg.wasm' './split_figures.wasm'", &names);
        assert_eq!(named, "'sightline-01.wasm' './split_figures-02.wasm'");
    }
}
