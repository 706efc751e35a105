//! The lock of a tile: whether the connection to a member is protected by the link of the room.

use leptos::prelude::*;
use sightline_core::room::LinkState;

use crate::{
    components::kit::{
        disclosure::Disclosure,
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    sentence,
    session::model::TileModel,
};

/// A lock, with a sentence behind it.
#[component]
pub fn TileTrust(
    /// The signals of the tile.
    tile: TileModel,
) -> AnyView {
    let language = Language::from_context();
    let (icon, word, text) = if tile.is_protected {
        (IconName::Lock, sentence!(tile.protected_word), sentence!(tile.protected))
    } else {
        (IconName::LockOpen, sentence!(tile.open_word), sentence!(tile.open))
    };
    let disclosure = Disclosure::register();
    let is_shown =
        Signal::derive(move || matches!(tile.state.get(), LinkState::Connected | LinkState::Recovering));
    view! {
        <When is=is_shown>
            <details
                node_ref=disclosure.node
                class="tile-path tile-trust"
                class:is-open-room=!tile.is_protected
                data-testid="tile-trust"
                on:toggle=move |_| disclosure.handle_toggle()
            >
                <summary title=language.text(sentence!(tile.trust))>
                    <Icon name=icon />
                    <span class="tile-trust-word">{language.text(word)}</span>
                </summary>
                <p>{language.text(text)}</p>
            </details>
        </When>
    }
    .into_any()
}
