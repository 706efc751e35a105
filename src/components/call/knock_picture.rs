//! The picture that a visitor shows to the hosts of a locked room: the choice in the lobby, and what the visitor sees of it.

use leptos::prelude::*;
use sightline_core::picture::StillPicture;

use crate::{
    chunk,
    components::invitation::protection::Protection,
    language::Language,
    sentence,
    session::{
        knock_wish,
        model::{SourceChoice, StreamSignal},
    },
};

chunk! {
    /// What the lobby says about the room, loaded on demand: its protection, and [`KnockPictureChoice`].
    pub fn load_about_room, preload_about_room in engine(is_protected: bool, source: RwSignal<SourceChoice>, preview: StreamSignal) {
        view! {
            <Protection is_protected=is_protected />
            <KnockPictureChoice source=source preview=preview />
        }
        .into_any()
    }
}

/// A switch, off at first, while the camera is previewed. The picture is taken and sent only if the room turns out to be locked.
#[component]
pub fn KnockPictureChoice(
    /// The source to publish.
    source: RwSignal<SourceChoice>,
    /// The preview of the source.
    preview: StreamSignal,
) -> AnyView {
    let language = Language::from_context();
    let can_be_taken =
        Memo::new(move |_| source.get() == SourceChoice::Camera && preview.with(Option::is_some));
    let switch = move || {
        knock_wish::set(false);
        view! {
            <label class="switch knock-picture-choice">
                <span>{language.text(sentence!(host.show_picture))}</span>
                <input
                    type="checkbox"
                    role="switch"
                    data-testid="knock-picture"
                    on:change=move |event| knock_wish::set(event_target_checked(&event))
                />
            </label>
        }
    };
    (move || can_be_taken.get().then(switch)).into_any()
}

/// The picture that the hosts see of this visitor; nothing if they see none.
#[component]
pub fn ShownPicture(
    /// The picture.
    picture: RwSignal<Option<StillPicture>>,
) -> AnyView {
    let language = Language::from_context();
    (move || {
        let address = picture.with(|picture| picture.as_ref().map(StillPicture::to_data_url))?;
        Some(view! {
            <figure class="shown-picture">
                <img src=address alt="" data-testid="waiting-picture" />
                <figcaption>{language.text(sentence!(host.picture_shown))}</figcaption>
            </figure>
        })
    })
    .into_any()
}
