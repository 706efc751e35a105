//! A tile: picture, name, and state of the connection.

use leptos::prelude::*;
use sightline_browser::{
    media::frame_watch::FrameWatch,
    page::{document, environment},
};
use sightline_core::{
    budget::Standing,
    measure::connection::LinkPath,
    room::{HostAction, LinkState},
};
use sightline_protocol::control::{Playback, PublishedSource};

use super::{
    playback_line::load_playback_line,
    seen_by_text::seen_by_text,
    signal_bars::{cause_text, is_complaint},
    state_text::state_text,
    tile_bars::TileBars,
    tile_hand::load_tile_hand,
    tile_menu::{OwnTile, load_tile_menu},
    tile_path::load_tile_path,
    tile_reaction::load_tile_reaction,
    tile_trust::{TileTrust, Trust},
};
use crate::{
    chunk,
    components::{
        kit::{
            avatar::Avatar,
            check_link::load_call_check_link,
            icon::{Icon, IconName},
            layers::layer,
            short_name::ShortName,
            video::Video,
            when::When,
        },
        room_part::RoomPart,
    },
    language::Language,
    sentence,
    session::model::{CodeJudgment, HostModel, TileModel},
};

/// The tile of one member.
#[component]
pub fn Tile(
    /// The signals of the tile.
    tile: TileModel,
    /// What only the tile of this person has.
    #[prop(optional)]
    own: Option<OwnTile>,
    /// Whether the tile fills the stage.
    #[prop(optional, into)]
    is_featured: Signal<bool>,
    /// The id of the loudspeaker.
    speaker: RwSignal<String>,
    /// Called when the browser requires a gesture before it plays.
    blocked: Callback<()>,
    /// Whether that gesture is still required.
    needs_gesture: RwSignal<bool>,
    /// Called with what the person says of the member's code.
    judge: Callback<CodeJudgment>,
    /// The hosts of the room.
    host: HostModel,
    /// Asks for something that only a host may do.
    act: Callback<HostAction>,
) -> AnyView {
    let is_own = own.is_some();
    let language = Language::from_context();
    let (element, video) = (NodeRef::new(), NodeRef::new());
    let volume = RwSignal::new(1.0);
    let is_menu_shown = RwSignal::new(false);
    layer(
        is_menu_shown.into(),
        Callback::new(|()| {
            document::blur();
            true
        }),
        Callback::new(|()| {}),
    );
    let is_speaking = Memo::new(move |_| tile.is_speaking.get());
    let has_picture = Memo::new(move |_| tile.camera.get() && tile.stream.with(Option::is_some));
    // From the first picture or sound on, permanently: a source that is switched on again then plays at once.
    let is_wanted = Memo::new(move |was: Option<&bool>| {
        let is_on = tile.camera.get() || tile.microphone.get() || tile.source.get() != PublishedSource::None;
        is_own || is_on || was == Some(&true)
    });
    let shown_name = Signal::derive(move || {
        let name = tile.name.get();
        let locale = language.locale();
        match (name.is_empty(), is_own) {
            _ if !tile.has_name.get() => sentence!(tile.unknown)(locale).to_owned(),
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
    let state_words = Signal::derive(move || {
        state_text(state.get(), tile.standing.get()).map(|sentence| sentence(language.locale()))
    });
    let is_bad = Memo::new(move |_| tile.quality.get().is_some_and(|quality| is_complaint(quality.cause)));
    view! {
        <li
            node_ref=element
            class="tile"
            class:has-picture=has_picture
            class:is-speaking=is_speaking
            class:is-bad=is_bad
            class:is-featured=is_featured
            data-corner=move || own.and_then(|own| own.picture.corner())
            style:translate=move || own.and_then(|own| own.picture.translate())
            // A finger cannot hover, so a tap shows the buttons.
            tabindex="-1"
            on:pointerdown=move |event| {
                if let Some(own) = own {
                    own.picture.handle_down(&event);
                }
            }
            on:pointermove=move |event| {
                if let Some(own) = own {
                    own.picture.handle_move(&event, element);
                }
            }
            on:pointerup=move |_| {
                if let Some(own) = own {
                    own.picture.handle_up(element);
                }
            }
            on:pointercancel=move |_| {
                if let Some(own) = own {
                    own.picture.cancel();
                }
            }
            on:focusin=move |event| {
                is_menu_shown.set(environment::lacks_hover() || event.target() != event.current_target());
            }
            on:focusout=move |_| is_menu_shown.set(false)
            translate="no"
            data-testid="tile"
            data-member=tile.member.get_value()
            data-name=tile.name
            data-state=Signal::derive(move || state.get().as_str())
            data-standing=Signal::derive(move || tile.standing.get().as_str())
            data-trust=Signal::derive(move || Trust::of(tile).filter(|_| !is_own).map(Trust::as_str))
            data-path=Signal::derive(move || tile.path.get().map(LinkPath::as_str))
            data-mic=Signal::derive(move || on_off(tile.microphone.get()))
            data-source=Signal::derive(move || tile.source.get().as_str())
            data-playback=Signal::derive(move || tile.playback.get().map(Playback::as_str))
            data-speaking=Signal::derive(move || is_speaking.get().to_string())
            data-camera=Signal::derive(move || on_off(tile.camera.get()))
        >
            <Video
                stream=tile.stream
                is_wanted=is_wanted
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
            <When is=Signal::derive(move || {
                state.get() == LinkState::Failed && tile.standing.get() != Standing::CutOff
            })>
                <p class="tile-check">
                    <RoomPart view=load_call_check_link(tile) />
                </p>
            </When>
            <div class="tile-top">
                <RoomPart view=load_playback_line(tile) />
                {(!is_own).then(|| view! {
                    // With the picture: it may be a warning.
                    <TileTrust tile=tile judge=judge />
                    <RoomPart view=load_tile_path(tile) />
                }.into_any())}
            </div>
            <RoomPart view=load_tile_menu(element, video, own, (!is_own).then_some((volume, tile.member, host, act))) />
            <RoomPart view=load_tile_reaction(tile) />
            <div class="tile-label">
                <RoomPart view=load_tile_hand(tile) />
                <span class="sr-only">
                    {Signal::derive(move || {
                        if is_speaking.get() { sentence!(tile.speaking)(language.locale()) } else { "" }
                    })}
                </span>
                <span class="tile-muted" hidden=tile.microphone>
                    <Icon name=IconName::MICROPHONE_OFF />
                    <span class="sr-only">{language.text(sentence!(tile.microphone_off))}</span>
                </span>
                <span class="tile-name" dir="auto" title=shown_name>
                    <ShortName name=shown_name />
                </span>
                <RoomPart view=load_condition(tile, is_own) />
            </div>
        </li>
    }
    .into_any()
}

chunk! {
    /// [`Condition`], loaded on demand.
    fn load_condition, preload_condition in room(tile: TileModel, is_own: bool) {
        view! { <Condition tile=tile is_own=is_own /> }.into_any()
    }
}

/// The state of the connection, and its cause.
#[component]
fn Condition(tile: TileModel, is_own: bool) -> AnyView {
    let language = Language::from_context();
    let cause = Signal::derive(move || {
        let quality = tile.quality.get()?;
        let words = cause_text(quality.cause, is_own)(language.locale());
        match tile.seen_by.get() {
            Some(seen) if is_own => Some(seen_by_text(&seen, language)),
            _ => Some(words.to_owned()),
        }
    });
    view! {
        <TileBars tile=tile is_own=is_own />
        <span class="tile-cause" aria-hidden="true" data-testid=is_own.then_some("seen-by")>
            {cause}
        </span>
    }
    .into_any()
}

fn on_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}
