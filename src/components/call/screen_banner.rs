//! Says that the screen of this person is shared, with a button that stops it.

use leptos::prelude::*;
use sightline_protocol::control::PublishedSource;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel, SourceChoice},
};

/// The banner, while the others see the screen.
#[component]
pub fn ScreenBanner(
    /// What this person publishes.
    model: RoomModel,
    /// The action that returns to the camera.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let is_shared = Memo::new(move |_| model.local.source.get() == PublishedSource::Screen);
    view! {
        <When is=is_shared>
            <div class="notice" role="status" data-testid="screen-banner">
                <Icon name=IconName::SCREEN />
                <p class="notice-title">{language.text(sentence!(room.shares_screen))}</p>
                <button
                    type="button"
                    class="button small"
                    data-testid="screen-stop"
                    on:click=move |_| actions.choose_source.run(SourceChoice::Camera)
                >
                    {language.text(sentence!(room.stop_screen))}
                </button>
            </div>
        </When>
    }
    .into_any()
}
