//! The person's language: the `lang` parameter, else the choice of last time, else what the browser prefers.

use leptos::prelude::*;
use sightline_browser::{environment, storage::StorageArea};

use crate::i18n::{I18nLocaleTrait, Locale};

const STORAGE_KEY: &str = "sightline.language";

/// A sentence in every language.
pub type Sentence = fn(Locale) -> &'static str;

/// Names a sentence by its key in `locales/*.json`: `sentence!(home.lead)`.
#[macro_export]
macro_rules! sentence {
    ($($key:tt)+) => {
        // As a plain function, so that every sentence is shown by the same code.
        (|locale| $crate::i18n::td_string!(locale, $($key)+)) as $crate::language::Sentence
    };
}

/// The language of the page, in context.
///
/// In place of `leptos_i18n`'s own context, which brings cookies and `<head>` management along.
#[derive(Debug, Clone, Copy)]
pub struct Language(RwSignal<Locale>);

impl Language {
    /// Chooses the language, keeps `<html lang>` in step, and puts the handle into context.
    pub fn provide(parameter: Option<&str>) -> Self {
        let saved = StorageArea::Local.get(STORAGE_KEY);
        let wanted = parameter.into_iter().map(str::to_owned).chain(saved).chain(environment::languages());
        let language =
            Self(RwSignal::new(wanted.into_iter().find_map(|tag| understand(&tag)).unwrap_or_default()));
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

    /// The language now; what reads it is read again after a change.
    #[must_use]
    pub fn locale(self) -> Locale {
        self.0.get()
    }

    /// Changes the language, also for the next visit.
    pub fn choose(self, locale: Locale) {
        StorageArea::Local.set(STORAGE_KEY, locale.as_str());
        self.0.set(locale);
    }

    /// A sentence that follows the language.
    #[must_use]
    pub fn text(self, sentence: Sentence) -> Signal<&'static str> {
        Signal::derive(move || sentence(self.locale()))
    }
}

/// The language of ours that a BCP 47 tag asks for: its primary subtag decides.
fn understand(tag: &str) -> Option<Locale> {
    match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
        "en" => Some(Locale::en),
        "zh" => Some(Locale::zh_CN),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_english_and_every_chinese_is_understood() {
        for (tag, locale) in [
            ("en", Locale::en),
            ("en-GB", Locale::en),
            ("zh-CN", Locale::zh_CN),
            ("zh-Hans-SG", Locale::zh_CN),
            ("ZH_tw", Locale::zh_CN),
        ] {
            assert_eq!(understand(tag), Some(locale), "{tag}");
        }
    }

    #[test]
    fn other_languages_are_left_to_the_next_choice() {
        for tag in ["", "fr", "zhx", "-en", "<b>"] {
            assert_eq!(understand(tag), None, "{tag}");
        }
    }
}
