//! The person's language: the `lang` parameter, else the last choice, else the browser's preference.

use std::sync::OnceLock;

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::page::{environment, storage::StorageArea};

use crate::{chunk::ChunkLost, in_chunk};

const STORAGE_KEY: &str = "sightline.language";

/// A text in every language.
pub type Sentence = fn(Locale) -> &'static str;

/// Names a sentence by its key in `locales/*.json`: `sentence!(home.lead)`.
#[macro_export]
macro_rules! sentence {
    ($first:ident $(. $key:ident)+) => {
        // Coerced to a plain function pointer, so that all texts are shown by the same code.
        $crate::sentences::$first $(::$key)+ as $crate::language::Sentence
    };
}

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locale {
    /// English, which is in the main module.
    #[default]
    En,
    /// Simplified Chinese, which is loaded when it is chosen.
    ZhCn,
}

impl Locale {
    /// Every language, in display order.
    pub const ALL: [Self; 2] = [Self::En, Self::ZhCn];

    /// Its BCP 47 tag.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::ZhCn => "zh-CN",
        }
    }

    /// The language for a BCP 47 tag, by the tag's primary subtag; `None` without a translation.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
            "en" => Some(Self::En),
            "zh" => Some(Self::ZhCn),
            _ => None,
        }
    }
}

/// The handle for the language of the page, in the Leptos context.
#[derive(Debug, Clone, Copy)]
pub struct Language(RwSignal<Locale>);

impl Language {
    /// Loads and returns the language at the start; English if the language cannot be loaded.
    pub async fn preferred(parameter: Option<&str>) -> Locale {
        let saved = StorageArea::Local.get(STORAGE_KEY);
        let wanted = parameter.into_iter().map(str::to_owned).chain(saved).chain(environment::languages());
        let locale = wanted.into_iter().find_map(|tag| Locale::from_tag(&tag)).unwrap_or_default();
        load(locale).await.map_or(Locale::default(), |()| locale)
    }

    /// Keeps `<html lang>` up to date, and puts the handle into the context.
    pub fn provide(locale: Locale) -> Self {
        let language = Self(RwSignal::new(locale));
        Effect::new(move || {
            if let Some(html) = document().document_element() {
                let _ = html.set_attribute("lang", language.locale().as_str());
            }
        });
        provide_context(language);
        language
    }

    /// The handle from the context.
    #[must_use]
    pub fn from_context() -> Self {
        use_context().unwrap_or_else(|| Self(RwSignal::new(Locale::default())))
    }

    /// The present language; a reactive read.
    #[must_use]
    pub fn locale(self) -> Locale {
        self.0.get()
    }

    /// Changes the language once its texts are loaded, also for later visits.
    pub fn choose(self, locale: Locale) {
        StorageArea::Local.set(STORAGE_KEY, locale.as_str());
        spawn_local(async move {
            let shown = if load(locale).await.is_ok() { Some(locale) } else { self.0.try_get_untracked() };
            if let Some(shown) = shown {
                // Set even if the language stays the same, so that the control shows it again.
                self.0.try_set(shown);
            }
        });
    }

    /// A text that follows the language.
    #[must_use]
    pub fn text(self, sentence: Sentence) -> Signal<&'static str> {
        Signal::derive(move || sentence(self.locale()))
    }
}

/// The texts of one section of `locales/*.json`. Each section is a separate list, so that the linker can put it into the module
/// that uses its texts.
#[derive(Debug)]
pub struct Section {
    number: usize,
    english: &'static str,
}

/// The sections of `zh-CN.json`, once they are loaded.
static CHINESE: OnceLock<Box<[&'static str]>> = OnceLock::new();

impl Section {
    /// Called by the code that `build.rs` generates.
    #[must_use]
    pub const fn new(number: usize, english: &'static str) -> Self {
        Self { number, english }
    }

    /// The text at this index; in English if the language is not loaded.
    #[inline(never)] // Else it is in each sentence's function.
    #[must_use]
    pub fn text(&self, locale: Locale, place: usize) -> &'static str {
        let texts = match locale {
            Locale::En => None,
            Locale::ZhCn => CHINESE.get().and_then(|sections| sections.get(self.number).copied()),
        };
        texts.unwrap_or(self.english).split('\0').nth(place).unwrap_or_default()
    }
}

/// The texts of a section that the first visit does not need, in every language.
#[derive(Debug)]
pub struct LateSection {
    english: &'static str,
    chinese: &'static str,
}

impl LateSection {
    /// Called by the code that `build.rs` generates.
    #[must_use]
    pub const fn new(english: &'static str, chinese: &'static str) -> Self {
        Self { english, chinese }
    }

    /// The text at this index.
    #[inline(never)]
    #[must_use]
    pub fn text(&self, locale: Locale, place: usize) -> &'static str {
        let texts = match locale {
            Locale::En => self.english,
            Locale::ZhCn => self.chinese,
        };
        texts.split('\0').nth(place).unwrap_or_default()
    }
}

fn keep_chinese(texts: &'static str) {
    CHINESE.get_or_init(|| texts.split('\u{1}').collect());
}

/// Loads the texts of a language.
///
/// # Errors
/// [`ChunkLost`] where the texts cannot be loaded.
async fn load(locale: Locale) -> Result<(), ChunkLost> {
    if locale == Locale::ZhCn && CHINESE.get().is_none() {
        keep_chinese(chinese_texts().await?);
    }
    Ok(())
}

in_chunk! {
    fn chinese_texts, load_chinese in chinese() -> &'static str {
        include_str!(concat!(env!("OUT_DIR"), "/zh-CN.txt"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_english_and_every_chinese_is_understood() {
        for (tag, locale) in [
            ("en", Locale::En),
            ("en-GB", Locale::En),
            ("zh-CN", Locale::ZhCn),
            ("zh-Hans-SG", Locale::ZhCn),
            ("ZH_tw", Locale::ZhCn),
        ] {
            assert_eq!(Locale::from_tag(tag), Some(locale), "{tag}");
        }
    }

    #[test]
    fn other_languages_are_left_to_the_next_choice() {
        for tag in ["", "fr", "zhx", "-en", "<b>"] {
            assert_eq!(Locale::from_tag(tag), None, "{tag}");
        }
    }

    /// All texts of a file, with their keys.
    fn texts(value: &serde_json::Value, key: &str, found: &mut Vec<(String, String)>) {
        match value {
            serde_json::Value::Object(members) => {
                members.iter().for_each(|(name, value)| texts(value, &format!("{key}.{name}"), found));
            }
            other => found.push((key.to_owned(), other.as_str().unwrap().to_owned())),
        }
    }

    #[test]
    fn chinese_has_full_width_punctuation_and_no_space_beside_it() {
        let mut all = Vec::new();
        texts(&serde_json::from_str(include_str!("../locales/zh-CN.json")).unwrap(), "", &mut all);
        let is_han = |c: char| matches!(c, '\u{3400}'..='\u{9fff}');
        let is_full = |c: char| "，。：；！？、（）“”".contains(c);
        for (key, text) in all {
            let chars: Vec<_> = text.chars().collect();
            for pair in chars.windows(2) {
                let (before, after) = (pair[0], pair[1]);
                let half = |c: char| ",.;:!?()\"'".contains(c);
                // Not a line break.
                let is_space = |c: char| c == ' ';
                assert!(!(is_han(before) && half(after)), "{key}: {before}{after} in {text}");
                assert!(!(half(before) && is_han(after)), "{key}: {before}{after} in {text}");
                assert!(!(is_full(before) && is_space(after)), "{key}: a space after {before} in {text}");
                assert!(!(is_space(before) && is_full(after)), "{key}: a space before {after} in {text}");
                assert!(
                    !(is_space(before) && "(".contains(after)),
                    "{key}: a space before a bracket in {text}"
                );
            }
        }
    }

    #[test]
    fn a_sentence_is_found_by_its_key_in_each_language() {
        let file = |json: &'static str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        let (english, chinese) =
            (file(include_str!("../locales/en.json")), file(include_str!("../locales/zh-CN.json")));
        keep_chinese(include_str!(concat!(env!("OUT_DIR"), "/zh-CN.txt")));
        for (locale, texts) in [(Locale::En, english), (Locale::ZhCn, chinese)] {
            assert_eq!(sentence!(home.title)(locale), texts["home"]["title"]);
            assert_eq!(sentence!(lock.verified)(locale), texts["lock"]["verified"]);
            assert_eq!(
                sentence!(room_notice.room_full.title)(locale),
                texts["room_notice"]["room_full"]["title"]
            );
            assert_eq!(sentence!(tile.you)(locale), texts["tile"]["you"]);
        }
    }
}
