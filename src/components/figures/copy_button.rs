//! A button that copies text of the panel.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::page::sharing;

use crate::{language::Language, sentence};

/// Copies a text, and says whether that worked.
#[component]
pub(super) fn CopyButton(
    /// Called for the text when the button is pressed.
    text: Callback<(), String>,
    /// The element's `data-testid`.
    test_id: &'static str,
) -> AnyView {
    let language = Language::from_context();
    let outcome = RwSignal::new(None::<bool>);
    let copy = move |_| {
        let text = text.run(());
        spawn_local(async move {
            let is_copied = sharing::copy_text(&text).await.is_ok();
            outcome.try_set(Some(is_copied));
        });
    };
    let words = Signal::derive(move || {
        let sentence = match outcome.get() {
            None => sentence!(details.copy),
            Some(true) => sentence!(details.copied),
            Some(false) => sentence!(details.by_hand),
        };
        sentence(language.locale())
    });
    view! {
        <button type="button" class="button small copy-text" data-testid=test_id on:click=copy on:blur=move |_| outcome.set(None)>
            <span aria-live="polite">{words}</span>
        </button>
    }
    .into_any()
}
