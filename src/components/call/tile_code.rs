//! The code of a member, to compare by voice.

use leptos::prelude::*;
use sightline_core::trust::{Acquaintance, ShortCode, Verified};

use super::pictures::pictures;
use crate::{
    chunk,
    components::kit::when::When,
    language::Language,
    sentence,
    session::model::{CodeJudgment, TileModel},
};

chunk! {
    /// [`TileCode`], loaded on demand.
    pub fn load_tile_code, preload_tile_code in room(tile: TileModel, judge: Callback<CodeJudgment>) {
        view! { <TileCode tile=tile judge=judge /> }.into_any()
    }
}

/// Four pictures with their names, and a button to say that both sides have the same.
#[component]
pub fn TileCode(
    /// The signals of the tile.
    tile: TileModel,
    /// Called with what the person says.
    judge: Callback<CodeJudgment>,
) -> AnyView {
    let language = Language::from_context();
    let code = Memo::new(move |_| tile.verification.get().code);
    let is_matching = Memo::new(move |_| tile.verification.get().verified == Verified::Matched);
    let is_remembered = Memo::new(move |_| {
        is_matching.get() && tile.acquaintance.with(|known| matches!(known, Acquaintance::Known(_)))
    });
    let press = move |_| {
        if let Some(code) = code.get_untracked() {
            let is_matching = !is_matching.get_untracked();
            judge.run(CodeJudgment { member: tile.member.get_value(), code, is_matching });
        }
    };
    let symbols = move || {
        let shown = code.get().map(|code| pictures(code, language.locale())).unwrap_or_default();
        let symbol = |(picture, name): (&'static str, &'static str)| {
            view! {
                <li>
                    <span aria-hidden="true">{picture}</span>
                    {name}
                </li>
            }
            .into_any()
        };
        shown.into_iter().map(symbol).collect_view().into_any()
    };
    view! {
        <When is=Signal::derive(move || code.get().is_none())>
            <p data-testid="trust-no-code">{language.text(sentence!(code.none))}</p>
        </When>
        <When is=Signal::derive(move || code.get().is_some())>
            <p>{language.text(sentence!(code.how))}</p>
            <ol
                class="tile-code"
                aria-label=language.text(sentence!(code.title))
                data-testid="trust-code"
                data-code=Signal::derive(move || code.get().map(numbers))
            >
                {symbols}
            </ol>
            <button
                type="button"
                class="button small"
                aria-pressed=Signal::derive(move || is_matching.get().to_string())
                data-testid="trust-confirm"
                on:click=press
            >
                {language.text(sentence!(code.matches))}
            </button>
            <When is=is_remembered>
                <p data-testid="trust-remembered">{language.text(sentence!(code.remembered))}</p>
            </When>
            <p>{language.text(sentence!(code.differs))}</p>
        </When>
    }
    .into_any()
}

/// The numbers of the symbols, for tests and tools.
fn numbers(code: ShortCode) -> String {
    code.symbols().map(|symbol| symbol.to_string()).join("-")
}
