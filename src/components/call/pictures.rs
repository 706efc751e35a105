//! The pictures of a code to compare, and their names, which the languages list in the order of the symbols.

use sightline_core::trust::ShortCode;

use crate::{language::Locale, sentence};

/// The pictures of a code, each with its name.
pub fn pictures(code: ShortCode, locale: Locale) -> Vec<(&'static str, &'static str)> {
    let name = |symbol| sentence!(code.words)(locale).split(' ').nth(symbol).unwrap_or_default();
    code.pictures().into_iter().zip(code.symbols().map(name)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sightline_core::trust::SYMBOLS;

    use super::*;

    #[test]
    fn each_symbol_has_a_name_of_its_own_in_each_language() {
        for list in Locale::ALL.map(|locale| sentence!(code.words)(locale)) {
            let distinct: BTreeSet<_> = list.split(' ').collect();
            assert_eq!((list.split(' ').count(), distinct.len()), (SYMBOLS, SYMBOLS), "{list}");
            assert!(!distinct.contains(""), "{list}");
        }
    }
}
