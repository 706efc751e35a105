//! Everyone's tiles, as large as the space allows (style/stage.css).

use leptos::prelude::*;

use super::{invitation_card::InvitationCard, tile::Tile};
use crate::{
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// The tiles; who is alone finds the invitation beside the own one.
#[component]
pub fn Stage(
    /// Who is there.
    model: RoomModel,
    /// For a tile that may not play.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let is_alone = Memo::new(move |_| model.others.with(Vec::is_empty));
    let count = move || (model.others.with(Vec::len) + 1).to_string();
    let (blocked, needs_gesture) = (actions.playback_blocked, model.needs_gesture);
    view! {
        <div class="stage" class:is-alone=is_alone>
            <ul class="tiles" data-count=count aria-label=language.text(sentence!(room.stage))>
                <For
                    each=move || model.others.get()
                    key=|tile| tile.member.get_value()
                    children=move |tile| view! { <Tile tile=tile blocked=blocked needs_gesture=needs_gesture /> }
                />
                <Tile tile=model.local is_own=true blocked=blocked needs_gesture=needs_gesture />
            </ul>
            <Show when=move || is_alone.get()>
                <InvitationCard invitation=model.invitation />
            </Show>
        </div>
    }
    .into_any()
}
