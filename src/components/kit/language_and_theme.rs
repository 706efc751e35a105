//! The choices of language and theme.

use leptos::prelude::*;

use super::icon::{Icon, IconName};
use crate::{
    appearance::{Appearance, Theme},
    language::{Language, Locale},
    sentence,
};

/// The choice of the language.
#[component]
pub fn LanguageSelect() -> AnyView {
    let language = Language::from_context();
    let options = Locale::ALL
        .map(|locale| {
            view! {
                <option value=locale.as_str() lang=locale.as_str() prop:selected=Signal::derive(move || language.locale() == locale)>
                    {own_name(locale)}
                </option>
            }
        })
        .collect_view();
    view! {
        <label class="quiet-select">
            <span class="sr-only">{language.text(sentence!(settings.language))}</span>
            <Icon name=IconName::GLOBE />
            <select
                data-testid="language"
                on:change=move |event| {
                    if let Some(locale) = Locale::from_tag(&event_target_value(&event)) {
                        language.choose(locale);
                    }
                }
            >
                {options}
            </select>
        </label>
    }
    .into_any()
}

/// The choice between the system's theme, light and dark.
#[component]
pub fn ThemeSelect() -> AnyView {
    let language = Language::from_context();
    let appearance = Appearance::from_context();
    let options = Theme::ALL
        .map(|theme| {
            view! {
                <option value=theme.as_str() prop:selected=Signal::derive(move || appearance.theme() == theme)>
                    {language.text(theme_name(theme))}
                </option>
            }
        })
        .collect_view();
    view! {
        <label class="quiet-select">
            <span class="sr-only">{language.text(sentence!(settings.theme))}</span>
            <Icon name=IconName::THEME />
            <select
                data-testid="theme"
                on:change=move |event| {
                    if let Some(theme) = Theme::from_word(&event_target_value(&event)) {
                        appearance.choose(theme);
                    }
                }
            >
                {options}
            </select>
        </label>
    }
    .into_any()
}

/// The name of a language in that language.
fn own_name(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "English",
        Locale::ZhCn => "简体中文",
    }
}

fn theme_name(theme: Theme) -> crate::language::Sentence {
    match theme {
        Theme::System => sentence!(settings.theme_system),
        Theme::Light => sentence!(settings.theme_light),
        Theme::Dark => sentence!(settings.theme_dark),
    }
}
