//! One person: picture, name, and how the connection is.

use leptos::prelude::*;
use sightline_browser::frame_watch::FrameWatch;
use sightline_core::{
    room::LinkState,
    stats::{LinkPath, Unit},
};
use sightline_protocol::control::Playback;

use super::{
    avatar::Avatar,
    check_link::CheckLink,
    figure_text,
    icon::{Icon, IconName},
    seen_by_text::seen_by_text,
    signal_bars::{SignalBars, cause_text, is_complaint},
    tile_menu::TileMenu,
    tile_path::TilePath,
    video::Video,
    when::When,
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
    /// Whether it has the stage to itself.
    #[prop(optional, into)]
    is_featured: Signal<bool>,
    /// The loudspeaker to play it through.
    speaker: RwSignal<String>,
    /// Called where the browser does not play it before a gesture.
    blocked: Callback<()>,
    /// Whether that gesture is still awaited.
    needs_gesture: RwSignal<bool>,
) -> AnyView {
    let language = Language::from_context();
    let (element, video) = (NodeRef::new(), NodeRef::new());
    let volume = RwSignal::new(1.0);
    let is_speaking = Memo::new(move |_| tile.is_speaking.get());
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
    if !is_own {
        Effect::new(move || {
            let Some(video) = video.get() else { return };
            tile.frames.try_with_value(|frames| frames.attach(&video));
        });
        on_cleanup(move || {
            tile.frames.try_with_value(FrameWatch::detach);
        });
    }
    let state_words =
        Signal::derive(move || state_text(state.get()).map(|sentence| sentence(language.locale())));
    let is_bad = Memo::new(move |_| tile.quality.get().is_some_and(|quality| is_complaint(quality.cause)));
    let cause = Signal::derive(move || {
        let quality = tile.quality.get()?;
        let words = cause_text(quality.cause, is_own)(language.locale());
        match tile.seen_by.get() {
            Some(seen) if is_own => Some(seen_by_text(&seen, language)),
            _ => Some(words.to_owned()),
        }
    });
    let playback = Signal::derive(move || {
        if let Some(words) = tile.playback.get().and_then(playback_text) {
            return Some(words(language.locale()).to_owned());
        }
        let truth = tile.truth.get()?;
        let delay = figure_text::of_number(Unit::Seconds, truth.delay?.as_secs_f64());
        let (lost, all) = (truth.lost.to_string(), truth.shown.saturating_add(truth.lost).to_string());
        Some([&*delay, ", ", &lost, " ", sentence!(known.lost_of)(language.locale()), " ", &all].concat())
    });
    view! {
        <li
            node_ref=element
            class="tile"
            class:has-picture=has_picture
            class:is-speaking=is_speaking
            class:is-bad=is_bad
            class:is-featured=is_featured
            data-testid="tile"
            data-member=tile.member.get_value()
            data-name=tile.name
            data-state=Signal::derive(move || state.get().as_str())
            data-path=Signal::derive(move || tile.path.get().map(LinkPath::as_str))
            data-mic=Signal::derive(move || on_off(tile.microphone.get()))
            data-source=Signal::derive(move || tile.source.get().as_str())
            data-playback=Signal::derive(move || tile.playback.get().map(Playback::as_str))
            data-speaking=Signal::derive(move || is_speaking.get().to_string())
            data-camera=Signal::derive(move || on_off(tile.camera.get()))
        >
            <Video
                stream=tile.stream
                is_muted=is_own
                element=video
                volume=volume
                speaker=speaker
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
            <p class="tile-playback">{playback}</p>
            <When is=Signal::derive(move || state.get() == LinkState::Failed)>
                <p class="tile-check">
                    <CheckLink class="check-link" others=Signal::derive(move || vec![tile]) />
                </p>
            </When>
            {(!is_own).then(|| view! { <TilePath tile=tile /> })}
            <TileMenu tile=element video=video volume=(!is_own).then_some(volume) />
            <div class="tile-label">
                <span class="sr-only">
                    {Signal::derive(move || {
                        if is_speaking.get() { sentence!(tile.speaking)(language.locale()) } else { "" }
                    })}
                </span>
                <span class="tile-muted" hidden=tile.microphone>
                    <Icon name=IconName::MicrophoneOff />
                    <span class="sr-only">{language.text(sentence!(tile.microphone_off))}</span>
                </span>
                <span class="tile-name" dir="auto">
                    {shown_name}
                </span>
                <SignalBars quality=tile.quality is_own=is_own />
                <span class="tile-cause" aria-hidden="true" data-testid=is_own.then_some("seen-by")>
                    {cause}
                </span>
            </div>
        </li>
    }
    .into_any()
}

/// Why a picture stands still, where its provider says so.
fn playback_text(playback: Playback) -> Option<Sentence> {
    match playback {
        Playback::Paused => Some(sentence!(tile.paused)),
        Playback::Ended => Some(sentence!(tile.ended)),
        Playback::Playing | Playback::Seeking | Playback::Unknown => None,
    }
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
