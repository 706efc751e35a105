//! Turns `locales/*.json` into a function for each sentence and a list of texts for each language. A key that one of
//! them has and another lacks is a build error.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The first is what a missing one is told against.
const LOCALES: [&str; 2] = ["en", "zh-CN"];
/// Ends each text in a list.
const END: char = '\0';

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=locales");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut keys = None;
    for locale in LOCALES {
        let json = fs::read_to_string(Path::new("locales").join(format!("{locale}.json")))?;
        let mut texts = BTreeMap::new();
        collect(&serde_json::from_str(&json)?, &mut Vec::new(), &mut texts)?;
        let mut list = String::new();
        for text in texts.values() {
            list.push_str(text);
            list.push(END);
        }
        fs::write(out.join(format!("{locale}.txt")), list)?;
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
    let keys: Vec<_> = keys.unwrap_or_default().into_iter().enumerate().collect();
    write_module(&mut code, &keys, 0)?;
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
        Value::String(text) if !text.contains(END) => {
            texts.insert(path.clone(), text.clone());
            Ok(())
        }
        other => Err(format!("{} is no text: {other}", path.join(".")).into()),
    }
}

/// The sentences whose keys agree up to `depth`, which are next to each other.
fn write_module(code: &mut String, keys: &[(usize, Vec<String>)], depth: usize) -> std::fmt::Result {
    for group in keys.chunk_by(|(_, one), (_, other)| one[depth] == other[depth]) {
        let (number, key) = &group[0];
        let name = &key[depth];
        if key.len() == depth + 1 {
            writeln!(code, "pub fn r#{name}(locale: crate::language::Locale) -> &'static str {{")?;
            writeln!(code, "    crate::language::text(locale, {number})\n}}")?;
        } else {
            writeln!(code, "pub mod r#{name} {{")?;
            write_module(code, group, depth + 1)?;
            writeln!(code, "}}")?;
        }
    }
    Ok(())
}
