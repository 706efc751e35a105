//! The header of every page except the call.

use leptos::prelude::*;

use super::{
    language_and_theme::{LanguageSelect, ThemeSelect},
    link::Link,
    logo::Mark,
};
use crate::{language::Language, route::Route, sentence};

/// The wordmark, and the choices of language and theme.
#[component]
pub fn PageHeader() -> AnyView {
    let language = Language::from_context();
    view! {
        <header class="page-header">
            <Link to=Route::Home class="wordmark" label=language.text(sentence!(app.to_home))>
                <Mark />
                <span>{language.text(sentence!(app.name))}</span>
            </Link>
            <div class="page-header-choices">
                <LanguageSelect />
                <ThemeSelect />
            </div>
        </header>
    }
    .into_any()
}
