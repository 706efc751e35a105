//! The theme: light or dark, by the system or by the person.

use leptos::prelude::*;
use sightline_browser::page::storage::StorageArea;

const STORAGE_KEY: &str = "sightline.theme";

/// The person's choice of a theme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// The theme of the system.
    #[default]
    System,
    /// Light on every system.
    Light,
    /// Dark on every system.
    Dark,
}

impl Theme {
    /// Every theme, in display order.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// The value of the `data-theme` attribute on `<html>`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme for a value of `data-theme`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == word)
    }
}

/// The handle for the theme of the page, in the Leptos context.
#[derive(Debug, Clone, Copy)]
pub struct Appearance(RwSignal<Theme>);

impl Appearance {
    /// Restores the last choice, keeps `<html data-theme>` up to date, and puts the handle into the context.
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

    /// The present theme.
    #[must_use]
    pub fn theme(self) -> Theme {
        self.0.get()
    }

    /// Changes the theme, also for later visits.
    pub fn choose(self, theme: Theme) {
        StorageArea::Local.set(STORAGE_KEY, theme.as_str());
        self.0.set(theme);
    }
}
