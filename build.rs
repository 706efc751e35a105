//! Turns `locales/*.json` into a function for each text, and a list of texts for each section (a key of the outermost object) in
//! each language. A key that exists in only some languages is a build error.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The first language is the reference for missing keys.
const LOCALES: [&str; 2] = ["en", "zh-CN"];
/// Sections that the first visit does not need: their texts are in the module that uses them, in every language.
const LATE: [&str; 5] = ["code", "host", "lock", "people", "remembered"];
/// Separates two texts of a section.
const BETWEEN_TEXTS: char = '\0';
/// Separates two sections of a language.
const BETWEEN_SECTIONS: char = '\u{1}';

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");
    if env::var_os("CARGO_FEATURE_SPLIT").is_some() {
        // The splitter needs the linker's relocations, which say what refers to what.
        println!("cargo::rustc-link-arg-bins=--emit-relocs");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut keys = None;
    for locale in LOCALES {
        let json = fs::read_to_string(Path::new("locales").join(format!("{locale}.json")))?;
        let mut texts = BTreeMap::new();
        collect(&serde_json::from_str(&json)?, &mut Vec::new(), &mut texts)?;
        let sections: Vec<_> = sections(&texts).collect();
        fs::write(
            out.join(format!("{locale}.txt")),
            join(
                sections.iter().map(|(name, list)| if is_late(name) { "" } else { list.as_str() }),
                BETWEEN_SECTIONS,
            ),
        )?;
        for (name, list) in sections {
            fs::write(out.join(format!("{locale}.{name}.txt")), list)?;
        }
        let own: Vec<_> = texts.into_keys().collect();
        let expected = keys.get_or_insert_with(|| own.clone());
        if let Some(odd) = own.iter().find(|key| !expected.contains(key)) {
            return Err(format!("locales/{locale}.json: {} is not in {}", odd.join("."), LOCALES[0]).into());
        }
        if let Some(missing) = expected.iter().find(|key| !own.contains(key)) {
            return Err(format!("locales/{locale}.json lacks {}", missing.join(".")).into());
        }
    }
    let mut code = String::new();
    for (number, section) in keys.unwrap_or_default().chunk_by(|one, other| one[0] == other[0]).enumerate() {
        let name = &section[0][0];
        let kind = if is_late(name) { "LateSection" } else { "Section" };
        writeln!(code, "pub mod r#{name} {{ use crate::language::{{{kind}, Locale}};")?;
        let [english, chinese] = LOCALES.map(|locale| format!("include_str!(\"{locale}.{name}.txt\")"));
        if is_late(name) {
            writeln!(code, "static SECTION: LateSection = LateSection::new({english}, {chinese});")?;
        } else {
            writeln!(code, "static SECTION: Section = Section::new({number}, {english});")?;
        }
        let keys: Vec<_> = section.iter().cloned().enumerate().collect();
        write_module(&mut code, &keys, 1)?;
        writeln!(code, "}}")?;
    }
    fs::write(out.join("sentences.rs"), code)?;
    Ok(())
}

fn collect(
    value: &Value,
    path: &mut Vec<String>,
    texts: &mut BTreeMap<Vec<String>, String>,
) -> Result<(), Box<dyn Error>> {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                path.push(key.clone());
                collect(member, path, texts)?;
                path.pop();
            }
            Ok(())
        }
        Value::String(text) if !text.contains([BETWEEN_TEXTS, BETWEEN_SECTIONS]) => {
            texts.insert(path.clone(), text.clone());
            Ok(())
        }
        other => Err(format!("{} is no text: {other}", path.join(".")).into()),
    }
}

/// Each section's name, and its texts joined to one string.
fn sections(texts: &BTreeMap<Vec<String>, String>) -> impl Iterator<Item = (String, String)> {
    let texts: Vec<_> = texts.iter().collect();
    let sections: Vec<_> = texts
        .chunk_by(|(one, _), (other, _)| one[0] == other[0])
        .map(|section| {
            (section[0].0[0].clone(), join(section.iter().map(|(_, text)| text.as_str()), BETWEEN_TEXTS))
        })
        .collect();
    sections.into_iter()
}

fn is_late(section: &str) -> bool {
    LATE.contains(&section)
}

fn join<'a>(texts: impl Iterator<Item = &'a str>, between: char) -> String {
    texts.collect::<Vec<_>>().join(&between.to_string())
}

/// Writes a module for keys that agree up to `depth`; such keys are neighbors in the list.
fn write_module(code: &mut String, keys: &[(usize, Vec<String>)], depth: usize) -> std::fmt::Result {
    for group in keys.chunk_by(|(_, one), (_, other)| one[depth] == other[depth]) {
        let (number, key) = &group[0];
        let name = &key[depth];
        if key.len() == depth + 1 {
            writeln!(code, "pub fn r#{name}(locale: Locale) -> &'static str {{")?;
            writeln!(code, "    SECTION.text(locale, {number})\n}}")?;
        } else {
            writeln!(code, "pub mod r#{name} {{ use super::{{Locale, SECTION}};")?;
            write_module(code, group, depth + 1)?;
            writeln!(code, "}}")?;
        }
    }
    Ok(())
}
