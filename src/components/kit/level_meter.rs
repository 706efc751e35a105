//! Shows the level of a microphone.

use leptos::prelude::*;

use crate::{language::Language, sentence};

/// A row of bars that fill with the level.
#[component]
pub fn LevelMeter(
    /// The level, from 0 to 1.
    level: RwSignal<f64>,
) -> AnyView {
    let language = Language::from_context();
    // Rounded to steps that the eye can see. A whole number, since code for formatting fractions is 7 KB.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 20")]
    let percent = Memo::new(move |_| (level.get().clamp(0.0, 1.0) * 20.0).round() as u32 * 5);
    let text = Signal::derive(move || percent.get().to_string());
    view! {
        <span
            class="level"
            role="meter"
            aria-label=language.text(sentence!(lobby.speaker_level))
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=text
            style=("--level", text)
        ></span>
    }
    .into_any()
}
