//! A `<video>` that plays a stream.

use leptos::{html, prelude::*, task::spawn_local};
use sightline_browser::{BrowserErrorKind, media::media_element};

use crate::session::model::StreamSignal;

/// Plays a stream, from the moment there is one. The element stays where it is: sound comes out of it while there is
/// no picture.
#[component]
pub fn Video(
    /// What to play.
    stream: StreamSignal,
    /// Whether there is anything to play yet. A stream that is silent costs an open loudspeaker, and its autoplay may be blocked.
    #[prop(default = true.into(), into)]
    is_wanted: Signal<bool>,
    /// Whether to play without sound, as one's own microphone must be.
    is_muted: bool,
    /// Whether to show it as a mirror does.
    #[prop(into)]
    is_mirrored: Signal<bool>,
    /// Called where the browser wants a gesture before it plays.
    #[prop(optional)]
    blocked: Option<Callback<()>>,
    /// Whether that gesture is still awaited: when it has come, the element plays.
    #[prop(optional, into)]
    needs_gesture: Signal<bool>,
    /// The element, for who does something with it.
    #[prop(optional)]
    element: NodeRef<html::Video>,
    /// How loud it plays, from 0 to 1.
    #[prop(optional)]
    volume: Option<RwSignal<f64>>,
    /// The loudspeaker's id; empty for the system's choice.
    #[prop(optional)]
    speaker: Option<RwSignal<String>>,
    /// `data-testid`, where it has one of its own.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// What it shows, in words.
    #[prop(optional, into)]
    label: Option<Signal<&'static str>>,
) -> AnyView {
    let shape = RwSignal::new("");
    let note_shape = move || {
        if let Some(element) = element.get_untracked() {
            let is_wide = element.video_width() >= element.video_height();
            shape.set(if is_wide { "wide" } else { "tall" });
        }
    };
    Effect::new(move || {
        let Some(element) = element.get() else { return };
        // The property, since the attribute says only how a freshly parsed element begins. Where sound wants a gesture
        // first, the picture need not wait for it.
        element.set_muted(is_muted || needs_gesture.get());
        let stream = stream.get().filter(|_| is_wanted.get());
        media_element::set_stream(&element, stream.as_ref());
        if stream.is_none() {
            return;
        }
        spawn_local(async move {
            let outcome = media_element::play(&element).await;
            let is_blocked = outcome.is_err_and(|error| error.kind() == BrowserErrorKind::NotAllowed);
            if let (true, Some(blocked)) = (is_blocked, blocked) {
                // The tile may be gone by now.
                let _ = blocked.try_run(());
            }
        });
    });
    if let Some(volume) = volume {
        Effect::new(move || {
            if let Some(element) = element.get() {
                media_element::set_volume(&element, volume.get());
            }
        });
    }
    if let Some(speaker) = speaker {
        Effect::new(move || {
            let (Some(element), speaker) = (element.get(), speaker.get()) else { return };
            if media_element::has_speaker_choice(&element) {
                // One that is gone leaves the system's choice.
                spawn_local(async move { drop(media_element::set_speaker(&element, &speaker).await) });
            }
        });
    }
    // A stream in use must not be held by an element that is gone.
    on_cleanup(move || {
        if let Some(element) = element.try_get_untracked().flatten() {
            media_element::set_stream(&element, None);
        }
    });
    view! {
        <video
            node_ref=element
            class="video"
            class:is-mirrored=is_mirrored
            data-testid=test_id
            aria-label=label
            data-shape=shape
            on:loadedmetadata=move |_| note_shape()
            on:resize=move |_| note_shape()
            autoplay
            playsinline
        ></video>
    }
    .into_any()
}
