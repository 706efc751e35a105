//! The path to a member: direct or relayed; on request with the addresses of both ends.

use leptos::prelude::*;
use sightline_core::measure::connection::LinkPath;

use crate::{
    chunk,
    components::kit::{disclosure::Disclosure, when::When},
    language::Language,
    sentence,
    session::model::TileModel,
};

/// The log's replacement for an address that the browser hides.
const HIDDEN: &str = "*";

chunk! {
    /// [`TilePath`], loaded on demand.
    pub fn load_tile_path, preload_tile_path in room(tile: TileModel) {
        view! { <TilePath tile=tile /> }.into_any()
    }
}

/// A word on the tile, with the selected candidate pair behind it.
#[component]
pub fn TilePath(
    /// The signals of the tile.
    tile: TileModel,
) -> AnyView {
    let language = Language::from_context();
    let ends = Memo::new(move |_| {
        tile.pair.with(|pair| {
            let (here, there) = pair.as_deref()?.split_once(" - ")?;
            Some((here.to_owned(), there.to_owned()))
        })
    });
    let protocol = move || {
        let here = ends.get().map(|(here, _)| here).unwrap_or_default();
        here.split(' ').nth(1).map(str::to_uppercase).unwrap_or_default()
    };
    let word = Signal::derive(move || {
        let path = match tile.path.get()? {
            LinkPath::Direct => sentence!(tile.direct),
            LinkPath::Relay => sentence!(tile.relay),
        };
        Some(format!("{} \u{b7} {}", path(language.locale()), protocol()))
    });
    let end = move |is_here: bool| {
        Signal::derive(move || {
            let (here, there) = ends.get().unwrap_or_default();
            let end = if is_here { here } else { there };
            match end.strip_suffix(HIDDEN) {
                Some(rest) => format!("{rest}({})", sentence!(details.hidden)(language.locale())),
                None => end,
            }
        })
    };
    let disclosure = Disclosure::register();
    view! {
        <When is=Signal::derive(move || tile.path.get().is_some() && ends.with(Option::is_some))>
            <details
                node_ref=disclosure.node
                class="tile-path"
                data-testid="tile-path"
                on:toggle=move |_| disclosure.handle_toggle()
            >
                <summary title=language.text(sentence!(tile.path))>{word}</summary>
                <dl>
                    <dt>{language.text(sentence!(tile.here))}</dt>
                    <dd>{end(true)}</dd>
                    <dt>{language.text(sentence!(tile.there))}</dt>
                    <dd>{end(false)}</dd>
                </dl>
            </details>
        </When>
    }
    .into_any()
}
