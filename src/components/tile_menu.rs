//! What can be done with one picture: how loud it is, a window of its own, the whole screen.

use leptos::{html, prelude::*, task::spawn_local};
use sightline_browser::{media_element, page};

use super::icon::{Icon, IconName};
use crate::{
    language::{Language, Sentence},
    sentence,
};

/// The buttons of a tile.
#[component]
pub fn TileMenu(
    /// What fills the screen.
    tile: NodeRef<html::Li>,
    /// What gets a window of its own.
    video: NodeRef<html::Video>,
    /// From 0 to 1; none where there is no sound, as of oneself.
    #[prop(optional_no_strip)]
    volume: Option<RwSignal<f64>>,
) -> AnyView {
    let language = Language::from_context();
    let show_in_window = Callback::new(move |()| {
        let Some(video) = video.get_untracked() else { return };
        // There is nothing to show, or the person did not want it after all.
        spawn_local(async move { drop(media_element::toggle_picture_in_picture(&video).await) });
    });
    let fill_screen = Callback::new(move |()| {
        if let Some(tile) = tile.get_untracked() {
            page::toggle_fullscreen(&tile);
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
    let volume = volume.map(|volume| {
        view! {
            <label class="tile-volume">
                <Icon name=IconName::Sound />
                <span class="sr-only">{language.text(sentence!(tile.volume))}</span>
                <input
                    type="range"
                    min="0"
                    max="1"
                    step="0.05"
                    data-testid="tile-volume"
                    prop:value=Signal::derive(move || volume.get().to_string())
                    on:input=move |event| {
                        if let Ok(loudness) = event_target_value(&event).parse() {
                            volume.set(loudness);
                        }
                    }
                />
            </label>
        }
        .into_any()
    });
    let in_window = media_element::has_picture_in_picture().then(|| {
        button(
            IconName::Window,
            sentence!(tile.picture_in_picture),
            "tile-picture-in-picture",
            show_in_window,
        )
    });
    let fullscreen = page::has_fullscreen()
        .then(|| button(IconName::Expand, sentence!(tile.fullscreen), "tile-fullscreen", fill_screen));
    view! {
        <div class="tile-menu">
            {volume}
            {in_window}
            {fullscreen}
        </div>
    }
    .into_any()
}
