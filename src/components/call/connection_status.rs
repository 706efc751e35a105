//! Shows the state of the signaling connection.

use leptos::prelude::*;
use sightline_core::signaling::SignalingStatus;

use crate::{
    language::{Language, Sentence},
    sentence,
};

/// A dot and a word for the state.
#[component]
pub fn ConnectionStatus(
    /// The state of the signaling connection.
    status: RwSignal<SignalingStatus>,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <span
            class="status"
            role="status"
            translate="no"
            data-testid="connection-status"
            data-state=Signal::derive(move || status.get().as_str())
        >
            <span class="status-dot" aria-hidden="true"></span>
            <span class="sr-only">{language.text(sentence!(room.server))}": "</span>
            <span class="status-word">{Signal::derive(move || word(status.get())(language.locale()))}</span>
        </span>
    }
    .into_any()
}

fn word(status: SignalingStatus) -> Sentence {
    match status {
        SignalingStatus::Connecting => sentence!(room.connecting),
        SignalingStatus::Waiting => sentence!(host.waiting_word),
        SignalingStatus::Connected => sentence!(room.connected),
        SignalingStatus::Reconnecting => sentence!(room.reconnecting),
        SignalingStatus::Lost => sentence!(room.lost),
    }
}
