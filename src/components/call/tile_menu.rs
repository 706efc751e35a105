//! The buttons of a picture: volume, a separate window, full screen.

use leptos::{html, prelude::*, task::spawn_local};
use sightline_browser::{media::media_element, page::document};
use sightline_core::room::HostAction;

use super::{
    member_controls::MemberControls,
    own_picture::{MoveButton, OwnPicture},
};
use crate::{
    chunk,
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::{Language, Sentence},
    sentence,
    session::model::{HostModel, SettingsModel, SourceChoice},
};

/// What only the local tile has.
#[derive(Clone, Copy)]
pub struct OwnTile {
    /// The place of the picture.
    pub picture: OwnPicture,
    /// The cameras.
    pub settings: SettingsModel,
    /// The main source that the person wants.
    pub source: RwSignal<SourceChoice>,
}

/// What the buttons of another member's tile act on: the volume from 0 to 1, the member's id, the hosts, and what a host does.
type OfMember = (RwSignal<f64>, StoredValue<String>, HostModel, Callback<HostAction>);

chunk! {
    /// [`TileMenu`], loaded on demand.
    pub fn load_tile_menu, preload_tile_menu in room(
        tile: NodeRef<html::Li>,
        video: NodeRef<html::Video>,
        own: Option<OwnTile>,
        of_member: Option<OfMember>,
    ) {
        view! { <TileMenu tile=tile video=video own=own of_member=of_member /> }.into_any()
    }
}

/// The buttons of a tile.
#[component]
pub fn TileMenu(
    /// The element that fills the screen.
    tile: NodeRef<html::Li>,
    /// The video that can move to a separate window.
    video: NodeRef<html::Video>,
    /// `Some` on the local tile.
    #[prop(optional_no_strip)]
    own: Option<OwnTile>,
    /// `None` on the local tile.
    #[prop(optional_no_strip)]
    of_member: Option<OfMember>,
) -> AnyView {
    let language = Language::from_context();
    let show_in_window = Callback::new(move |()| {
        let Some(video) = video.get_untracked() else { return };
        // Nothing to do if there is no video, or the person canceled.
        spawn_local(async move { drop(media_element::toggle_picture_in_picture(&video).await) });
    });
    let fill_screen = Callback::new(move |()| {
        if let Some(tile) = tile.get_untracked() {
            document::toggle_fullscreen(&tile);
        }
    });
    let button = move |icon: IconName, words: Sentence, test_id: &'static str, press: Callback<()>| {
        view! {
            <button
                type="button"
                class="tile-button"
                data-testid=test_id
                title=language.text(words)
                aria-label=language.text(words)
                on:click=move |_| press.run(())
            >
                <Icon name=icon />
            </button>
        }
        .into_any()
    };
    let slider = NodeRef::<html::Input>::new();
    let volume = of_member.map(|(volume, ..)| {
        view! {
            <label class="tile-volume">
                <Icon name=IconName::SOUND />
                <span class="sr-only">{language.text(sentence!(tile.volume))}</span>
                <input
                    node_ref=slider
                    type="range"
                    min="0"
                    max="1"
                    step="0.05"
                    data-testid="tile-volume"
                    // Passed as a number: code for converting numbers to text is larger than the rest of this module.
                    prop:value=volume
                    on:input=move |_| {
                        if let Some(slider) = slider.get_untracked() {
                            volume.set(slider.value_as_number());
                        }
                    }
                />
            </label>
        }
        .into_any()
    });
    let in_window = media_element::has_picture_in_picture().then(|| {
        button(
            IconName::WINDOW,
            sentence!(tile.picture_in_picture),
            "tile-picture-in-picture",
            show_in_window,
        )
    });
    let fullscreen = document::has_fullscreen()
        .then(|| button(IconName::EXPAND, sentence!(tile.fullscreen), "tile-fullscreen", fill_screen));
    view! {
        // A press on a button begins no drag.
        <div class="tile-menu" class:is-own=own.is_some() on:pointerdown=|event| event.stop_propagation()>
            {volume}
            {in_window}
            {fullscreen}
            {own.map(|own| view! { <OwnControls own=own /> }.into_any())}
            {of_member.map(|(_, member, host, act)| view! { <MemberControls member=member host=host act=act /> }.into_any())}
        </div>
    }
    .into_any()
}

/// The buttons that only the local tile has: for the camera on the other side of a phone, and for the place of the picture.
#[component]
fn OwnControls(own: OwnTile) -> AnyView {
    let language = Language::from_context();
    let OwnTile { picture, settings, source } = own;
    let can_switch = Memo::new(move |_| {
        source.get() == SourceChoice::Camera && settings.cameras.with(|cameras| cameras.len() > 1)
    });
    view! {
        <When is=can_switch>
            <button
                type="button"
                class="tile-button tile-camera"
                data-testid="camera-switch"
                title=language.text(sentence!(tile.switch_camera))
                aria-label=language.text(sentence!(tile.switch_camera))
                on:click=move |_| settings.switch_camera()
            >
                <Icon name=IconName::CAMERA_SWITCH />
            </button>
        </When>
        <MoveButton picture=picture />
    }
    .into_any()
}
