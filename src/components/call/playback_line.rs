//! A line about a video file that a member plays: why it stands still, or how it arrives.

use leptos::prelude::*;
use sightline_core::measure::Unit;
use sightline_protocol::control::Playback;

use super::file_source::clock_text;
use crate::{
    chunk,
    components::figures::figure_text,
    language::{Language, Sentence},
    sentence,
    session::model::TileModel,
};

chunk! {
    /// [`PlaybackLine`], loaded on demand.
    pub fn load_playback_line, preload_playback_line in room(tile: TileModel) {
        view! { <PlaybackLine tile=tile /> }.into_any()
    }
}

/// The line for one tile.
#[component]
fn PlaybackLine(tile: TileModel) -> AnyView {
    let language = Language::from_context();
    let playback = Signal::derive(move || {
        let declared = tile.playback.get();
        if let Some(words) = declared.and_then(playback_text) {
            let words = words(language.locale());
            let place = tile.failed_at_s.get().filter(|_| declared == Some(Playback::Failed));
            return Some(match place {
                Some(seconds) => [words, " ", &clock_text(f64::from(seconds))].concat(),
                None => words.to_owned(),
            });
        }
        let truth = tile.truth.get()?;
        let delay = figure_text::of_number(Unit::Seconds, truth.delay?.as_secs_f64());
        let (lost, all) = (truth.lost.to_string(), truth.shown.saturating_add(truth.lost).to_string());
        Some([&*delay, ", ", &lost, " ", sentence!(known.lost_of)(language.locale()), " ", &all].concat())
    });
    view! { <p class="tile-playback">{playback}</p> }.into_any()
}

/// Why a picture stands still, if the sender declared a reason.
fn playback_text(playback: Playback) -> Option<Sentence> {
    match playback {
        Playback::Paused => Some(sentence!(tile.paused)),
        Playback::Ended => Some(sentence!(tile.ended)),
        Playback::Failed => Some(sentence!(tile.video_failed)),
        Playback::Playing | Playback::Seeking | Playback::Unknown => None,
    }
}
