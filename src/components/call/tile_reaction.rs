//! The reaction of a member on its tile.

use leptos::prelude::*;
use sightline_core::room::ShownReaction;

use super::reactions::reaction_text;
use crate::{chunk, language::Language, session::model::TileModel};

chunk! {
    /// [`TileReaction`], loaded on demand.
    pub fn load_tile_reaction, preload_tile_reaction in room(tile: TileModel) {
        view! { <TileReaction tile=tile /> }.into_any()
    }
}

/// The reaction. Each new reaction is a new element (by its number), because only a new element starts its animation from the beginning.
#[component]
fn TileReaction(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    let shown = move |ShownReaction { reaction, .. }| {
        view! {
            <span
                class="tile-reaction"
                role="img"
                aria-label=language.text(reaction_text(reaction))
                data-testid="tile-reaction"
                data-reaction=reaction.as_str()
            >
                {reaction.emoji()}
            </span>
        }
        .into_any()
    };
    view! { <For each=move || tile.reaction.get() key=|shown| shown.number children=shown /> }.into_any()
}
