//! What to publish.

use leptos::prelude::*;

use super::icon::{Icon, IconName};
use crate::{
    language::{Language, Sentence},
    sentence,
    session::model::SourceChoice,
};

const SOURCES: [SourceChoice; 2] = [SourceChoice::Camera, SourceChoice::None];

/// One choice of several, side by side.
#[component]
pub fn SourceControl(
    /// The choice.
    source: RwSignal<SourceChoice>,
) -> AnyView {
    let language = Language::from_context();
    let buttons = SOURCES
        .map(|choice| {
            let (test_id, icon, words) = looks(choice);
            view! {
                <button
                    type="button"
                    class="segment"
                    data-testid=test_id
                    aria-pressed=Signal::derive(move || (source.get() == choice).to_string())
                    on:click=move |_| source.set(choice)
                >
                    <Icon name=icon />
                    {language.text(words)}
                </button>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field segments-field">
            <legend class="field-label">{language.text(sentence!(lobby.source))}</legend>
            <div class="segments">{buttons}</div>
        </fieldset>
    }
    .into_any()
}

fn looks(choice: SourceChoice) -> (&'static str, IconName, Sentence) {
    match choice {
        SourceChoice::Camera => ("source-camera", IconName::Camera, sentence!(lobby.source_camera)),
        SourceChoice::None => ("source-none", IconName::CameraOff, sentence!(lobby.source_none)),
    }
}
