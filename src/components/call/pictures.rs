//! The pictures of a code to compare, and their names.
//!
//! The order is a part of the protocol: both pages have to show the same pictures. The names are in the same order.

use sightline_core::trust::ShortCode;

use crate::{language::Locale, sentence};

const PICTURES: &str = "🐶 🐱 🦁 🐎 🦄 🐷 🐘 🐰 🐼 🐓 🐧 🐢 🐟 🐙 🦋 🌷 🌳 🌵 🍄 🌏 🌙 ☁️ 🔥 🍌 🍎 🍓 🌽 🍕 🎂 ❤️ 🙂 🤖 🎩 👓 🔧 🎅 👍 ☂️ \
    ⌛ ⏰ 🎁 💡 📕 ✏️ 📎 ✂️ 🍋 🔑 🔨 ☎️ 🏁 🚂 🚲 ✈️ 🚀 🏆 ⚽ 🎸 🎺 🔔 ⚓ 🎧 📁 📌";

/// The pictures of a code, each with its name.
pub fn pictures(code: ShortCode, locale: Locale) -> Vec<(&'static str, &'static str)> {
    let name = |number| sentence!(code.words)(locale).split(' ').nth(number);
    let picture = |number| PICTURES.split(' ').nth(number).zip(name(number));
    code.symbols().into_iter().filter_map(picture).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sightline_core::trust::SYMBOLS;

    use super::*;

    #[test]
    fn each_symbol_has_a_picture_and_a_name_of_its_own_in_each_language() {
        let names = Locale::ALL.map(|locale| sentence!(code.words)(locale));
        for list in [PICTURES].into_iter().chain(names) {
            let distinct: BTreeSet<_> = list.split(' ').collect();
            assert_eq!((list.split(' ').count(), distinct.len()), (SYMBOLS, SYMBOLS), "{list}");
            assert!(!distinct.contains(""), "{list}");
        }
    }
}
