//! A `<video>` that plays a stream.

use leptos::{html, prelude::*, task::spawn_local};
use sightline_browser::{BrowserErrorKind, media::media_element};

use crate::session::model::StreamSignal;

/// Plays a stream as soon as there is one. The element always stays in the page, since sound plays through it even without a
/// picture.
#[component]
pub fn Video(
    /// The stream to play.
    stream: StreamSignal,
    /// Whether there is anything to play yet. A silent stream keeps the loudspeaker open, and its autoplay may be blocked.
    #[prop(default = true.into(), into)]
    is_wanted: Signal<bool>,
    /// Whether to play without sound, as for the local microphone.
    is_muted: bool,
    /// Whether to mirror the picture.
    #[prop(into)]
    is_mirrored: Signal<bool>,
    /// Called when the browser requires a gesture before it plays.
    #[prop(optional)]
    blocked: Option<Callback<()>>,
    /// Whether that gesture is still required; the element plays once it is not.
    #[prop(optional, into)]
    needs_gesture: Signal<bool>,
    /// The element, for a parent that needs it.
    #[prop(optional)]
    element: NodeRef<html::Video>,
    /// The volume, from 0 to 1.
    #[prop(optional)]
    volume: Option<RwSignal<f64>>,
    /// The loudspeaker's id; empty for the system's choice.
    #[prop(optional)]
    speaker: Option<RwSignal<String>>,
    /// The element's `data-testid`, if it has one.
    #[prop(optional)]
    test_id: Option<&'static str>,
    /// A description of the picture.
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
        // Sets the property, since the attribute is read only when an element is parsed. Where sound requires a gesture, the
        // picture plays without sound until then.
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
                // If that loudspeaker is gone, the system's choice remains.
                spawn_local(async move { drop(media_element::set_speaker(&element, &speaker).await) });
            }
        });
    }
    // The stream must not be kept alive by a removed element.
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
