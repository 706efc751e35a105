//! The reaction of a member on its tile.

use leptos::prelude::*;

use super::reactions::reaction_text;
use crate::{chunk, language::Language, session::model::TileModel};

chunk! {
    /// [`TileReaction`], loaded on demand.
    pub fn load_tile_reaction, preload_tile_reaction in engine(tile: TileModel) {
        view! { <TileReaction tile=tile /> }.into_any()
    }
}

/// The reaction. A new one is a new element, so that it moves again.
#[component]
fn TileReaction(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    (move || {
        let reaction = tile.reaction.get()?.reaction;
        Some(view! {
            <span
                class="tile-reaction"
                role="img"
                aria-label=language.text(reaction_text(reaction))
                data-testid="tile-reaction"
                data-reaction=reaction.as_str()
            >
                {reaction.emoji()}
            </span>
        })
    })
    .into_any()
}
