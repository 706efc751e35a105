//! What can be set during a call.

use leptos::prelude::*;

use super::{
    icon::{Icon, IconName},
    selects::{LanguageSelect, ThemeSelect},
};
use crate::{language::Language, sentence};

/// A button and what folds out below it.
#[component]
pub fn SettingsMenu() -> AnyView {
    let language = Language::from_context();
    let is_open = RwSignal::new(false);
    view! {
        <div
            class="settings"
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    is_open.set(false);
                }
            }
        >
            <button
                type="button"
                class="icon-button"
                data-testid="settings-toggle"
                aria-label=language.text(sentence!(settings.title))
                aria-expanded=move || is_open.get().to_string()
                on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
            >
                <Icon name=IconName::Settings />
            </button>
            <Show when=move || is_open.get()>
                // A click anywhere else closes it.
                <div class="settings-backdrop" on:click=move |_| is_open.set(false)></div>
                <div class="settings-sheet" role="group" aria-label=language.text(sentence!(settings.title))>
                    <LanguageSelect />
                    <ThemeSelect />
                </div>
            </Show>
        </div>
    }
    .into_any()
}
