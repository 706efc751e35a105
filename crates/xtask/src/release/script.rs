//! Merges the scripts: wasm-bindgen's, the loader of the split modules, and the start.

use anyhow::{Result, ensure};

use super::page::LATER_STYLES;

/// The splitter's script as wasm-bindgen's script imports it.
pub(super) const LOADER_IMPORT: &str = "./__wasm_split.js";
/// The splitter's script in its output folder.
pub(super) const LOADER: &str = "__wasm_split.js";
/// wasm-bindgen's script as the splitter's script imports it.
pub(super) const GLUE_IMPORT: &str = "./sightline.js";

/// The file that wasm-bindgen's script loads.
const MAIN_FILE: &str = "sightline_bg.wasm";

/// The list of modules that a split module needs, in the splitter's script.
const CHUNKS: &str = ", [";

/// Split modules that show nothing and so need no styles: the texts of a language.
const WITHOUT_STYLES: [&str; 1] = ["__wasm_split_load_chinese"];

/// Loads the second style sheet together with a split module; the module waits for it, so that nothing is shown without styles.
const LOAD_STYLES: &str = "const __laterStyles = makeLoad(() => {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = new URL('./sightline-later.css', import.meta.url).href;
    const loaded = new Promise((resolve, reject) => {
        link.onload = resolve;
        link.onerror = () => {
            link.remove();
            reject(new Error('no styles'));
        };
    });
    loaded.catch(() => {});
    document.head.append(link);
    return () => loaded;
}, []);
";

/// How the splitter's script makes the instance of a module.
const INSTANTIATE: &str = "(WebAssembly.instantiateStreaming(src, imports))";
/// The same, and then its functions are compiled.
const INSTANTIATE_AND_COMPILE: &str =
    "(WebAssembly.instantiateStreaming(src, imports).then((made) => (__compileAhead(made), made)))";

/// Has the functions of a module compiled while the page has nothing to do (see [`compile_ahead`](super::compile_ahead)). Nothing is done
/// where the browser has no `requestIdleCallback`.
const COMPILE_AHEAD: &str = "async function __compileAhead({ instance }) {
    if (!self.requestIdleCallback) return;
    const idle = () => new Promise((resolve) => requestIdleCallback(resolve));
    let deadline = await idle();
    for (const [name, compile] of Object.entries(instance.exports)) {
        if (!name.startsWith('ahead')) continue;
        while (deadline.timeRemaining() < 2) deadline = await idle();
        compile();
    }
}
";

/// Merges the two scripts, which import each other, into one module that starts the client.
///
/// # Errors
/// If the scripts do not have the form that these versions of the tools produce.
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
            // A class that is never used must be removable by the minifier.
            script.push_str(
                &line.replace(": new FinalizationRegistry(", ": /* @__PURE__ */ new FinalizationRegistry("),
            );
            script.push('\n');
        }
    }
    let (mut exported, mut has_styles) = (Vec::new(), false);
    // The page itself reports a module that did not load; a page that is left while one loads would log an error too.
    let is_report = |line: &str| line.trim_start().starts_with("console.error(");
    for line in loader.lines().filter(|line| !is_import_of(line, GLUE_IMPORT) && !is_report(line)) {
        if let Some(declared) = line.strip_prefix("export const ") {
            if exported.is_empty() {
                script.push_str(LOAD_STYLES);
                script.push_str(COMPILE_AHEAD);
            }
            exported.extend(declared.split_whitespace().next());
            has_styles = !exported.last().is_some_and(|last| WITHOUT_STYLES.contains(last));
            script.push_str("const ");
            script.push_str(declared);
        } else if let (true, Some(chunks)) = (has_styles, line.strip_prefix(CHUNKS)) {
            // , [__chunk_5, __chunk_6]));
            script.push_str(CHUNKS);
            script.push_str("__laterStyles, ");
            script.push_str(chunks);
        } else if line.contains(INSTANTIATE) {
            script.push_str(&line.replace(INSTANTIATE, INSTANTIATE_AND_COMPILE));
        } else {
            script.push_str(line);
        }
        script.push('\n');
    }
    ensure_merged(&script, &namespaces, &exported)?;
    if let Some(namespace) = namespaces.first() {
        script.push_str(&format!("const {namespace} = {{ {} }};\n", exported.join(", ")));
    }
    script.push_str("__wbg_init();\n");
    Ok(script)
}

/// Every step above that depends on how the tools write their scripts has an effect that is visible here.
fn ensure_merged(script: &str, namespaces: &[&str], exported: &[&str]) -> Result<()> {
    let has_line = |start: &str| script.lines().any(|line| line.starts_with(start));
    ensure!(!has_line("import "), "wasm-bindgen's script imports what is not known here");
    ensure!(!has_line("export "), "a script exports in a form that is not known here");
    ensure!(script.contains(MAIN_FILE), "wasm-bindgen's script does not load {MAIN_FILE}");
    ensure!(script.contains("function __wbg_init("), "wasm-bindgen's script does not begin with __wbg_init");
    ensure!(script.contains("function makeLoad("), "the splitter's script does not load with makeLoad");
    ensure!(!exported.is_empty(), "the splitter's script exports nothing that loads a split module");
    let imported = script.matches(&format!("\"{LOADER_IMPORT}\": ")).count();
    ensure!(
        !namespaces.is_empty() && imported == 1,
        "wasm-bindgen's script names the splitter's {imported} times where its imports are, and not once"
    );
    let with_styles = exported.iter().filter(|name| !WITHOUT_STYLES.contains(name)).count();
    let found = script.matches(&format!("{CHUNKS}__laterStyles, ")).count();
    ensure!(
        found == with_styles,
        "{found} of {with_styles} split modules wait for their styles: the splitter lists what a module needs in another form"
    );
    let instances = script.matches("instantiateStreaming(src").count();
    let compiled = script.matches(INSTANTIATE_AND_COMPILE).count();
    ensure!(
        compiled > 0 && compiled == instances,
        "the functions of {compiled} of {instances} split modules are compiled ahead: the splitter makes instances in another form"
    );
    Ok(())
}

/// The script with the file names of styles and modules in `dist/`. `names` has pairs of a module's name and its file's name.
pub(super) fn with_file_names(script: &str, later_styles: &str, names: &[(String, String)]) -> String {
    let mut named = script.replace(MAIN_FILE, "sightline.wasm");
    named = named.replace(&format!("{LATER_STYLES}.css"), later_styles);
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
function __wbg_init() {}
new URL('sightline_bg.wasm', import.meta.url);
export { initSync, __wbg_init as default };
"#;
    const LOADER: &str = r#"import { initSync } from "./sightline.js";
    console.error(e);
function makeLoad(fetcher, deps) {}
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports));
export const __wasm_split_load_figures = load("./split_figures.wasm"
, [__chunk_5]);
export const __wasm_split_load_chinese = load("./split_chinese.wasm"
, []);
"#;

    #[test]
    fn two_scripts_that_import_each_other_become_one_that_imports_nothing() {
        let merged = merge(GLUE, LOADER).unwrap();
        let merged = merged.replace(LOAD_STYLES, "(styles)\n").replace(COMPILE_AHEAD, "(ahead)\n");
        assert_eq!(
            merged,
            r#"class Unused {}
    return {
        "./__wasm_split.js": import1,
    };
function __wbg_init() {}
new URL('sightline_bg.wasm', import.meta.url);
function makeLoad(fetcher, deps) {}
    return async (imports) => (WebAssembly.instantiateStreaming(src, imports).then((made) => (__compileAhead(made), made)));
(styles)
(ahead)
const __wasm_split_load_figures = load("./split_figures.wasm"
, [__laterStyles, __chunk_5]);
const __wasm_split_load_chinese = load("./split_chinese.wasm"
, []);
const import1 = { __wasm_split_load_figures, __wasm_split_load_chinese };
__wbg_init();
"#
        );
    }

    #[test]
    fn a_script_of_another_form_is_refused_with_a_sentence() {
        let refused = |glue: &str, loader: &str| merge(glue, loader).unwrap_err().to_string();
        let changed = |old, new| {
            let (glue, loader) = (GLUE.replace(old, new), LOADER.replace(old, new));
            refused(&glue, &loader)
        };
        assert!(
            changed("import * as import1 from \"./__w", "import x from \"./w")
                .contains("imports what is not known")
        );
        assert!(changed("sightline_bg.wasm", "sightline.wasm").contains("does not load"));
        assert!(changed("function __wbg_init()", "const __wbg_init = ()").contains("does not begin"));
        assert!(changed("function makeLoad", "const makeLoad =").contains("does not load with makeLoad"));
        assert!(changed("export const ", "export let ").contains("exports in a form"));
        assert!(changed("export const __wasm_split", "const __wasm_split").contains("exports nothing"));
        assert!(
            changed("        \"./__wasm_split.js\": import1,", "        ...import1,").contains("0 times")
        );
        assert!(changed("\n, [__chunk_5]", ", [__chunk_5]").contains("0 of 1 split modules"));
        assert!(changed("(src, imports)", "(src, shared)").contains("0 of 1 split modules are compiled"));
    }

    #[test]
    fn the_script_knows_the_functions_that_have_others_compiled() {
        assert!(COMPILE_AHEAD.contains(&format!("startsWith('{}')", super::super::compile_ahead::EXPORT)));
    }

    // The scripts are changed line by line. Whoever updates a tool has to look at what it writes now.
    #[test]
    fn the_tools_have_the_versions_whose_scripts_are_known() {
        const KNOWN: [(&str, &str); 2] =
            [("wasm-bindgen-cli-support", "0.2.130"), ("wasm_split_cli_support", "0.2.4")];
        let lock = include_str!("../../../../Cargo.lock");
        for (name, version) in KNOWN {
            assert!(
                lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")),
                "{name} is not {version} any more: build the client, compare target/xtask/release/*.js with GLUE and LOADER \
                 above, open the page, and write the new version here"
            );
        }
    }

    #[test]
    fn styles_and_modules_are_requested_by_their_file_names() {
        let names = [("sightline", "sightline-01.wasm"), ("split_figures", "split_figures-02.wasm")]
            .map(|(module, file)| (module.to_owned(), file.to_owned()));
        let script = "'sightline_bg.wasm' './split_figures.wasm' './sightline-later.css'";
        let named = with_file_names(script, "sightline-later-03.css", &names);
        assert_eq!(named, "'sightline-01.wasm' './split_figures-02.wasm' './sightline-later-03.css'");
    }
}
