//! One person: picture, name, and how the connection is.

use leptos::prelude::*;
use sightline_core::{room::LinkState, stats::LinkPath};

use super::{
    avatar::Avatar,
    icon::{Icon, IconName},
    signal_bars::{SignalBars, cause_text, is_complaint},
    video::Video,
};
use crate::{
    language::{Language, Sentence},
    sentence,
    session::model::TileModel,
};

/// A tile.
#[component]
pub fn Tile(
    /// Whose.
    tile: TileModel,
    /// Whether it is one's own.
    #[prop(optional)]
    is_own: bool,
    /// Called where the browser does not play it before a gesture.
    blocked: Callback<()>,
    /// Whether that gesture is still awaited.
    needs_gesture: RwSignal<bool>,
) -> AnyView {
    let language = Language::from_context();
    let has_picture = Memo::new(move |_| tile.camera.get() && tile.stream.with(Option::is_some));
    let shown_name = Signal::derive(move || {
        let name = tile.name.get();
        let locale = language.locale();
        match (name.is_empty(), is_own) {
            (true, true) => sentence!(tile.you)(locale).to_owned(),
            (true, false) => sentence!(tile.guest)(locale).to_owned(),
            (false, true) => format!("{name} {}", sentence!(tile.you_suffix)(locale)),
            (false, false) => name,
        }
    });
    let state = Memo::new(move |_| tile.state.get());
    let state_words =
        Signal::derive(move || state_text(state.get()).map(|sentence| sentence(language.locale())));
    let is_bad = Memo::new(move |_| tile.quality.get().is_some_and(|quality| is_complaint(quality.cause)));
    let cause = Signal::derive(move || {
        tile.quality.get().map(|quality| cause_text(quality.cause)(language.locale()))
    });
    view! {
        <li
            class="tile"
            class:has-picture=has_picture
            class:is-bad=is_bad
            data-testid="tile"
            data-member=tile.member.get_value()
            data-name=tile.name
            data-state=Signal::derive(move || state.get().as_str())
            data-path=Signal::derive(move || tile.path.get().map(LinkPath::as_str))
            data-mic=Signal::derive(move || on_off(tile.microphone.get()))
            data-camera=Signal::derive(move || on_off(tile.camera.get()))
        >
            <Video
                stream=tile.stream
                is_muted=is_own
                is_mirrored=tile.is_mirrored
                blocked=blocked
                needs_gesture=needs_gesture
            />
            <div class="tile-placeholder">
                <Avatar name=tile.name />
            </div>
            <p class="tile-state" role="status">
                {state_words}
            </p>
            <div class="tile-label">
                <span class="tile-muted" hidden=tile.microphone>
                    <Icon name=IconName::MicrophoneOff />
                    <span class="sr-only">{language.text(sentence!(tile.microphone_off))}</span>
                </span>
                <span class="tile-name" dir="auto">
                    {shown_name}
                </span>
                <SignalBars quality=tile.quality />
                <span class="tile-cause" aria-hidden="true">
                    {cause}
                </span>
            </div>
        </li>
    }
    .into_any()
}

fn on_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

/// What is to be said of a state; nothing while all is well.
fn state_text(state: LinkState) -> Option<Sentence> {
    match state {
        LinkState::Connected => None,
        LinkState::Connecting => Some(sentence!(tile.connecting)),
        LinkState::Recovering => Some(sentence!(tile.recovering)),
        LinkState::Away => Some(sentence!(tile.away)),
        LinkState::Failed => Some(sentence!(tile.failed)),
    }
}
