//! Shows that a microphone hears something.

use leptos::prelude::*;

use crate::{language::Language, sentence};

/// A row of bars that fill with the level.
#[component]
pub fn LevelMeter(
    /// From 0 to 1.
    level: RwSignal<f64>,
) -> AnyView {
    let language = Language::from_context();
    // In twentieths: what the eye cannot tell apart need not be drawn.
    let shown = Memo::new(move |_| (level.get().clamp(0.0, 1.0) * 20.0).round() / 20.0);
    view! {
        <span
            class="level"
            role="meter"
            aria-label=language.text(sentence!(lobby.speaker_level))
            aria-valuemin="0"
            aria-valuemax="1"
            aria-valuenow=Signal::derive(move || shown.get().to_string())
            style=("--level", Signal::derive(move || shown.get().to_string()))
        ></span>
    }
    .into_any()
}
