//! The choice of what to publish.

use leptos::prelude::*;
use sightline_browser::page::environment;

use crate::{
    components::kit::icon::{Icon, IconName},
    language::{Language, Sentence},
    sentence,
    session::model::SourceChoice,
};

/// Radio buttons side by side. The screen is left out where the browser cannot share one.
#[component]
pub fn SourceControl(
    /// The chosen source.
    source: RwSignal<SourceChoice>,
    /// Called with the chosen source.
    choose: Callback<SourceChoice>,
    /// Whether to show icons only, where space is short.
    #[prop(optional)]
    is_compact: bool,
) -> AnyView {
    let language = Language::from_context();
    let can_share = environment::has_display_capture();
    let buttons = [SourceChoice::Camera, SourceChoice::Screen, SourceChoice::File, SourceChoice::None]
        .into_iter()
        .filter(|choice| can_share || *choice != SourceChoice::Screen)
        .map(|choice| {
            let (test_id, icon, words) = looks(choice);
            view! {
                <button
                    type="button"
                    class="segment"
                    data-testid=test_id
                    title=language.text(words)
                    aria-pressed=Signal::derive(move || (source.get() == choice).to_string())
                    on:click=move |_| choose.run(choice)
                >
                    <Icon name=icon />
                    <span>{language.text(words)}</span>
                </button>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field segments-field" class:is-compact=is_compact>
            <legend class="field-label">{language.text(sentence!(lobby.source))}</legend>
            <div class="segments">{buttons}</div>
        </fieldset>
    }
    .into_any()
}

fn looks(choice: SourceChoice) -> (&'static str, IconName, Sentence) {
    match choice {
        SourceChoice::Camera => ("source-camera", IconName::CAMERA, sentence!(lobby.source_camera)),
        SourceChoice::Screen => ("source-screen", IconName::SCREEN, sentence!(lobby.source_screen)),
        SourceChoice::File => ("source-file", IconName::FILM, sentence!(lobby.source_file)),
        SourceChoice::None => ("source-none", IconName::NOTHING, sentence!(lobby.source_none)),
    }
}
