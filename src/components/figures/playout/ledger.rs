//! The ledger: every stall with its start, length and likely cause.

use leptos::prelude::*;
use sightline_core::measure::{
    Unit,
    playout::{SourceKnownBy, Stall},
};

use super::{cause_text::stall_cause_text, limit_text::limit_text};
use crate::{components::figures::figure_text, language::Language, sentence, session::model::TileModel};

/// The latest stalls of a member's picture, newest first.
#[component]
pub fn Ledger(
    /// The member's tile.
    tile: TileModel,
) -> AnyView {
    let language = Language::from_context();
    let stalls = Memo::new(move |_| {
        tile.playout
            .with(|playout| playout.as_ref().map(|playout| playout.stalls.clone()).unwrap_or_default())
    });
    let rows = move || {
        let stalls = stalls.get();
        stalls.into_iter().rev().map(|stall| row(stall, language)).collect_view().into_any()
    };
    let known_by = Memo::new(move |_| tile.playout.with(|playout| playout.as_ref()?.summary.source_known_by));
    let limit = move || limit_text(known_by.get()).map(|limit| language.text(limit));
    let known_by_word = move || known_by.get().map_or("nothing", SourceKnownBy::as_str);
    view! {
        <p class="report-hint" data-testid="source-limit" data-known-by=known_by_word>{limit}</p>
        <p class="ledger-empty" hidden=Signal::derive(move || !stalls.with(Vec::is_empty)) translate="no">
            {language.text(sentence!(stall.none))}
        </p>
        <ol class="ledger" tabindex="0" translate="no" aria-label=language.text(sentence!(stall.title))>
            {rows}
        </ol>
    }
    .into_any()
}

fn row((start_s, stall): (f64, Stall), language: Language) -> AnyView {
    let duration_s = stall.duration.as_secs_f64();
    view! {
        <li data-testid="stall" data-start=start_s data-duration=duration_s data-cause=stall.cause.as_str()>
            <span class="ledger-start">{figure_text::clock(start_s)}</span>
            " "
            <b>{figure_text::of_number(Unit::Seconds, duration_s)}</b>
            " "
            <span>{language.text(stall_cause_text(stall.cause))}</span>
        </li>
    }
    .into_any()
}
