//! The signal bars of a tile, which open the statistics of its member.

use leptos::prelude::*;

use super::{
    panels::Panels,
    signal_bars::{SignalBars, quality_text},
};
use crate::{language::Language, sentence, session::model::TileModel};

/// The bars as a button. The bars of the local tile are about the member that receives the local picture worst, and open all
/// statistics.
#[component]
pub fn TileBars(
    /// The tile.
    tile: TileModel,
    /// Whether the tile shows this person.
    is_own: bool,
) -> AnyView {
    let language = Language::from_context();
    let Some(panels) = use_context::<Panels>() else {
        return view! { <SignalBars quality=tile.quality is_own=is_own /> }.into_any();
    };
    let label = Signal::derive(move || {
        let statistics = sentence!(people.statistics)(language.locale());
        format!("{}. {statistics}", quality_text(tile.quality.get(), is_own, language))
    });
    let show = move |_| panels.show_figures_of((!is_own).then(|| tile.member.get_value()));
    view! {
        <button
            type="button"
            class="tile-bars"
            data-testid="tile-bars"
            title=language.text(sentence!(people.statistics))
            aria-label=label
            hidden=Signal::derive(move || tile.quality.with(Option::is_none))
            on:click=show
        >
            <SignalBars quality=tile.quality is_own=is_own />
        </button>
    }
    .into_any()
}
