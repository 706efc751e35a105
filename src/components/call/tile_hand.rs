//! The raised hand of a member on its tile.

use leptos::prelude::*;

use crate::{
    chunk,
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    sentence,
    session::model::TileModel,
};

chunk! {
    /// [`TileHand`], loaded on demand.
    pub fn load_tile_hand, preload_tile_hand in room(tile: TileModel) {
        view! { <TileHand tile=tile /> }.into_any()
    }
}

/// The raised hand and its place among all raised hands.
#[component]
fn TileHand(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    let place = Signal::derive(move || tile.hand.get().map(|place| place.to_string()));
    view! {
        <When is=Signal::derive(move || tile.hand.with(Option::is_some))>
            <span class="tile-hand" data-testid="tile-hand" data-place=place>
                <Icon name=IconName::HAND />
                <span class="sr-only">{language.text(sentence!(people.hand))}" "</span>
                {place}
            </span>
        </When>
    }
    .into_any()
}
