//! Light or dark: the system's choice, or the person's.

use leptos::prelude::*;
use sightline_browser::page::storage::StorageArea;

const STORAGE_KEY: &str = "sightline.theme";

/// What the person chose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Every theme in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The word of the `data-theme` attribute on `<html>`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }
}

/// The theme of the page, in context.
#[derive(Debug, Clone, Copy)]
pub struct Appearance(RwSignal<Theme>);

impl Appearance {
    /// Takes the choice of last time, keeps `<html data-theme>` in step, and puts the handle into context.
    pub fn provide() -> Self {
        let saved = StorageArea::Local.get(STORAGE_KEY).and_then(|word| Theme::from_word(&word));
        let appearance = Self(RwSignal::new(saved.unwrap_or_default()));
        Effect::new(move || {
            if let Some(html) = document().document_element() {
                let _ = html.set_attribute("data-theme", appearance.theme().as_str());
            }
        });
        provide_context(appearance);
        appearance
    }

    /// The handle from the context.
    #[must_use]
    pub fn from_context() -> Self {
        use_context().unwrap_or_else(|| Self(RwSignal::new(Theme::default())))
    }

    /// The theme now.
    #[must_use]
    pub fn theme(self) -> Theme {
        self.0.get()
    }

    /// Changes the theme, also for the next visit.
    pub fn choose(self, theme: Theme) {
        StorageArea::Local.set(STORAGE_KEY, theme.as_str());
        self.0.set(theme);
    }
}
