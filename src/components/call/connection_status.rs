//! Shows the state of the signaling connection.

use leptos::prelude::*;
use sightline_core::signalling::SignallingStatus;

use crate::{
    language::{Language, Sentence},
    sentence,
};

/// A dot and a word for the state.
#[component]
pub fn ConnectionStatus(
    /// The state of the signaling connection.
    status: RwSignal<SignallingStatus>,
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

fn word(status: SignallingStatus) -> Sentence {
    match status {
        SignallingStatus::Connecting => sentence!(room.connecting),
        SignallingStatus::Connected => sentence!(room.connected),
        SignallingStatus::Reconnecting => sentence!(room.reconnecting),
        SignallingStatus::Lost => sentence!(room.lost),
    }
}
