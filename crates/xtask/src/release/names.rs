//! Shortens the names between the main module and its script.
//!
//! wasm-bindgen gives every import a name with a hash, which does not compress, in the module and again in the script; and it
//! exports functions that the minified script no longer calls.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use wasm_encoder::{
    ExportSection, ImportSection, RawSection,
    reencode::{Reencode, RoundtripReencoder},
};
use wasmparser::{Parser, Payload};

/// Prefixes of names that only the tools make. Other names in the script are not renamed, since they could mean something else.
const MADE_BY_TOOLS: [&str; 3] = ["__wb", "wasm_bindgen", "__wasm_split_load"];

/// The module and its script with shorter names between them. The script must be minified already: then its own variables have
/// short names, and unused code is gone.
///
/// # Errors
/// Where the module cannot be read.
pub(super) fn shorten(module: &[u8], script: &str) -> Result<(Vec<u8>, String)> {
    let mentioned: std::collections::HashSet<&str> = words(script).map(|(_, word)| word).collect();
    let mut names = ShortNames::default();
    let mut shortened = wasm_encoder::Module::new();
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::ImportSection(section) => {
                let mut imports = ImportSection::new();
                for import in section.clone().into_imports() {
                    let import = import?;
                    let kind = RoundtripReencoder.entity_type(import.ty)?;
                    let name = names.of(import.name).to_owned();
                    imports.import(import.module, &name, kind);
                }
                shortened.section(&imports);
            }
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                for export in section.clone() {
                    let export = export?;
                    if mentioned.contains(export.name) {
                        let kind = RoundtripReencoder.export_kind(export.kind)?;
                        exports.export(names.of(export.name), kind, export.index);
                    }
                }
                shortened.section(&exports);
            }
            _ => {
                if let Some((id, range)) = payload.as_section() {
                    shortened.section(&RawSection {
                        id,
                        data: &module[usize::try_from(range.start)?..usize::try_from(range.end)?],
                    });
                }
            }
        }
    }
    ensure!(!names.0.is_empty(), "wasm-bindgen names its imports in another way than is known here");
    Ok((shortened.finish(), names.put_into(script)))
}

/// The short name for each long name.
#[derive(Default)]
struct ShortNames<'a>(HashMap<&'a str, String>);

impl<'a> ShortNames<'a> {
    fn of(&mut self, name: &'a str) -> &str {
        let is_ours = MADE_BY_TOOLS.iter().any(|start| name.starts_with(start));
        if !is_ours {
            return name;
        }
        let count = self.0.len();
        // No other identifier has this name: properties of the language and of web APIs contain no `$`.
        self.0.entry(name).or_insert_with(|| format!("${}", base_36(count)))
    }

    fn put_into(&self, script: &str) -> String {
        let mut shortened = String::with_capacity(script.len());
        let mut end = 0;
        for (start, word) in words(script) {
            if let Some(short) = self.0.get(word) {
                shortened.push_str(&script[end..start]);
                shortened.push_str(short);
                end = start + word.len();
            }
        }
        shortened.push_str(&script[end..]);
        shortened
    }
}

/// The identifiers and other words of a script, with their positions.
fn words(script: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '$');
    script
        .split(move |character| !is_part(character))
        .map(|word| (word.as_ptr() as usize - script.as_ptr() as usize, word))
        .filter(|(_, word)| !word.is_empty())
}

fn base_36(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{EntityType, ExportKind, FunctionSection, TypeSection};

    use super::*;

    #[test]
    fn module_and_script_share_short_names_and_unused_exports_are_removed() {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("./bg.js", "__wbg_log_0123456789abcdef", EntityType::Function(0));
        let mut exports = ExportSection::new();
        exports.export("__wbindgen_start", ExportKind::Func, 0);
        exports.export("memory_of_old", ExportKind::Func, 0);
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&imports).section(&FunctionSection::new()).section(&exports);
        let script = "({__wbg_log_0123456789abcdef:a=>a});w.__wbindgen_start()";

        let (module, script) = shorten(&module.finish(), script).unwrap();
        assert_eq!(script, "({$0:a=>a});w.$1()");
        let text = String::from_utf8_lossy(&module);
        assert!(text.contains("$0") && text.contains("$1"));
        assert!(!text.contains("__wb") && !text.contains("memory_of_old"));
    }
}
