//! The quality of a connection as bars and one sentence.

use leptos::prelude::*;
use sightline_core::measure::connection::{Cause, Quality};

use crate::{
    language::{Language, Sentence},
    sentence,
};

/// Four signal bars with a tooltip.
#[component]
pub fn SignalBars(
    /// Bars and cause; nothing is shown before they are known.
    quality: RwSignal<Option<Quality>>,
    /// Whether the bars are about the local picture at the other members.
    #[prop(optional)]
    is_own: bool,
) -> AnyView {
    let language = Language::from_context();
    let label = Signal::derive(move || quality_text(quality.get(), is_own, language));
    let bars = Signal::derive(move || quality.get().map_or(0, |quality| quality.bars.min(4)).to_string());
    view! {
        <span
            class="bars"
            role="img"
            aria-label=label
            data-bars=bars
            hidden=Signal::derive(move || quality.with(Option::is_none))
        >
            <i></i>
            <i></i>
            <i></i>
            <i></i>
        </span>
    }
    .into_any()
}

/// The bars in words: "Signal: good".
#[must_use]
pub fn quality_text(quality: Option<Quality>, is_own: bool, language: Language) -> String {
    let cause = quality.map_or(Cause::Good, |quality| quality.cause);
    let (signal, cause) = (sentence!(tile.signal), cause_text(cause, is_own));
    format!("{}: {}", signal(language.locale()), cause(language.locale()))
}

/// The sentence for a cause, about a received picture or about the local picture at the other members.
#[must_use]
pub fn cause_text(cause: Cause, is_own: bool) -> Sentence {
    if is_own { own_cause_text(cause) } else { arriving_cause_text(cause) }
}

fn arriving_cause_text(cause: Cause) -> Sentence {
    match cause {
        Cause::Good => sentence!(cause.good),
        Cause::NoVideo => sentence!(cause.no_video),
        Cause::NothingArrives => sentence!(cause.nothing_arrives),
        Cause::Loss => sentence!(cause.loss),
        Cause::Delay => sentence!(cause.delay),
        Cause::Jitter => sentence!(cause.jitter),
        Cause::UploadFull => sentence!(cause.their_upload_full),
        Cause::SenderBusy => sentence!(cause.their_computer_busy),
        Cause::ReceiverBusy => sentence!(cause.receiver_busy),
        Cause::Freezes => sentence!(cause.freezes),
        Cause::FewFrames => sentence!(cause.few_frames),
        Cause::SoundGaps => sentence!(cause.sound_gaps),
        Cause::Unknown => sentence!(cause.unknown),
    }
}

fn own_cause_text(cause: Cause) -> Sentence {
    match cause {
        Cause::Good => sentence!(own_cause.good),
        Cause::NoVideo => sentence!(own_cause.no_video),
        Cause::NothingArrives => sentence!(own_cause.nothing_arrives),
        Cause::Loss => sentence!(own_cause.loss),
        Cause::Delay => sentence!(cause.delay),
        Cause::Jitter => sentence!(own_cause.jitter),
        Cause::UploadFull => sentence!(cause.upload_full),
        Cause::SenderBusy => sentence!(cause.sender_busy),
        Cause::ReceiverBusy => sentence!(own_cause.receiver_busy),
        Cause::Freezes => sentence!(own_cause.freezes),
        Cause::FewFrames => sentence!(own_cause.few_frames),
        Cause::SoundGaps => sentence!(own_cause.sound_gaps),
        Cause::Unknown => sentence!(cause.unknown),
    }
}

/// Whether a cause is a problem.
#[must_use]
pub fn is_complaint(cause: Cause) -> bool {
    !matches!(cause, Cause::Good | Cause::NoVideo)
}
