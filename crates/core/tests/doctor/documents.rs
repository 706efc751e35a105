//! Compares the tables of checks and codes with the page that explains them and with the texts in each language.

use sightline_core::doctor::{CheckCode, CheckKind};

const DOCUMENT: &str = include_str!("../../../../docs/check.md");
const LOCALES: [&str; 2] =
    [include_str!("../../../../locales/en.json"), include_str!("../../../../locales/zh-CN.json")];

#[test]
fn the_document_has_a_row_for_every_check_and_names_every_code_and_no_other() {
    let table = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    let (mut documented_kinds, mut documented_codes) = (Vec::new(), Vec::new());
    for row in table {
        let mut cells = row.split('|').skip(1);
        let (names, codes) = (cells.next().unwrap(), cells.nth(1).unwrap());
        documented_kinds.extend(words(names).filter(|word| !word.starts_with('-')));
        documented_codes.extend(words(codes));
    }
    let kinds: Vec<_> = CheckKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(documented_kinds, kinds);
    for code in CheckCode::ALL.iter().map(|code| code.as_str()) {
        let is_in_prose = ["ok", "not-tested"].contains(&code);
        assert!(documented_codes.contains(&code) || is_in_prose, "{code}");
    }
    for code in documented_codes {
        assert!(CheckCode::ALL.iter().any(|known| known.as_str() == code), "{code}");
    }
}

#[test]
fn every_language_has_a_text_for_every_check_and_code_and_no_other() {
    for locale in LOCALES {
        let texts: serde_json::Value = serde_json::from_str(locale).unwrap();
        let keys = |section: &str| {
            let section = texts["check"][section].as_object().unwrap();
            section.keys().cloned().collect::<std::collections::BTreeSet<_>>()
        };
        let kinds = CheckKind::ALL.iter().map(|kind| kind.as_str().replace('-', "_"));
        assert_eq!(keys("kind"), kinds.collect());
        let codes = CheckCode::ALL.iter().map(|code| code.as_str().replace('-', "_"));
        // The router has a separate text for `ok`.
        assert_eq!(keys("code"), codes.chain(["nat_ok".to_owned()]).collect());
    }
}

/// The words in backquotes.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
