//! What is to be said of a file that someone plays: that it stands still, or how it arrives.

use leptos::prelude::*;
use sightline_core::stats::Unit;
use sightline_protocol::control::Playback;

use super::figure_text;
use crate::{
    chunk,
    language::{Language, Sentence},
    sentence,
    session::model::TileModel,
};

chunk! {
    /// [`PlaybackLine`], when it is here.
    pub fn load_playback_line, preload_playback_line in engine(tile: TileModel) {
        view! { <PlaybackLine tile=tile /> }.into_any()
    }
}

/// What is to be said of a file that plays.
#[component]
fn PlaybackLine(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    let playback = Signal::derive(move || {
        if let Some(words) = tile.playback.get().and_then(playback_text) {
            return Some(words(language.locale()).to_owned());
        }
        let truth = tile.truth.get()?;
        let delay = figure_text::of_number(Unit::Seconds, truth.delay?.as_secs_f64());
        let (lost, all) = (truth.lost.to_string(), truth.shown.saturating_add(truth.lost).to_string());
        Some([&*delay, ", ", &lost, " ", sentence!(known.lost_of)(language.locale()), " ", &all].concat())
    });
    view! { <p class="tile-playback">{playback}</p> }.into_any()
}

/// Why a picture stands still, where its provider says so.
fn playback_text(playback: Playback) -> Option<Sentence> {
    match playback {
        Playback::Paused => Some(sentence!(tile.paused)),
        Playback::Ended => Some(sentence!(tile.ended)),
        Playback::Playing | Playback::Seeking | Playback::Unknown => None,
    }
}
