//! The button that raises and lowers the hand.

use leptos::prelude::*;

use crate::{
    components::kit::icon::{Icon, IconName},
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// A toggle button; its label says what a press does.
#[component]
pub fn HandButton(
    /// The room, with the local hand.
    model: RoomModel,
    /// The action of the button.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let is_raised = Signal::derive(move || model.local.hand.with(Option::is_some));
    let label = Signal::derive(move || {
        let words = if is_raised.get() { sentence!(people.lower) } else { sentence!(people.raise) };
        words(language.locale())
    });
    view! {
        <button
            type="button"
            class="round-button"
            class:is-active=is_raised
            data-testid="hand-toggle"
            data-tip=label
            aria-label=label
            on:click=move |_| switch_hand(model, actions)
        >
            <Icon name=IconName::HAND />
        </button>
    }
    .into_any()
}

/// Raises the local hand, or lowers it if it is raised.
pub fn switch_hand(model: RoomModel, actions: RoomActions) {
    actions.raise_hand.run(model.local.hand.with_untracked(Option::is_none));
}
