//! The lock of a tile: whether the connection to a member is protected by the link of the room.

use leptos::{html, prelude::*};
use sightline_core::room::LinkState;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        layers::layer,
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
    let (details, is_open) = (NodeRef::<html::Details>::new(), RwSignal::new(false));
    layer(
        is_open.into(),
        Callback::new(move |()| {
            let Some(details) = details.get_untracked() else { return false };
            details.set_open(false);
            true
        }),
        Callback::new(|()| {}),
    );
    let is_shown =
        Signal::derive(move || matches!(tile.state.get(), LinkState::Connected | LinkState::Recovering));
    view! {
        <When is=is_shown>
            <details
                node_ref=details
                class="tile-path tile-trust"
                class:is-open-room=!tile.is_protected
                data-testid="tile-trust"
                on:toggle=move |_| is_open.set(details.get_untracked().is_some_and(|details| details.open()))
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
