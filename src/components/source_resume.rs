//! Asks for the click without which the browser shares no screen.

use leptos::prelude::*;

use super::{
    icon::{Icon, IconName},
    when::When,
};
use crate::{language::Language, sentence, session::model::SourceChoice};

/// Nothing while no click is wanted.
#[component]
pub fn SourceResume(
    /// Whether one is.
    is_wanted: RwSignal<bool>,
    /// Asks for the screen.
    choose: Callback<SourceChoice>,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <When is=is_wanted>
            <div class="notice source-resume" role="status">
                <Icon name=IconName::Screen />
                <div class="notice-text">
                    <p class="notice-title">{language.text(sentence!(room.resume_title))}</p>
                    <p class="notice-hint">{language.text(sentence!(room.resume_hint))}</p>
                </div>
                <button
                    type="button"
                    class="button small"
                    data-testid="source-resume"
                    on:click=move |_| choose.run(SourceChoice::Screen)
                >
                    {language.text(sentence!(room.resume))}
                </button>
            </div>
        </When>
    }
    .into_any()
}
