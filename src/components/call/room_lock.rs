//! The lock of the room: the sign that everybody sees, and the controls of a host.

use leptos::prelude::*;
use sightline_core::room::HostAction;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    sentence,
    session::model::HostModel,
};

/// The sign in the bar of a locked room.
#[component]
pub fn LockedSign(
    /// Whether the room is locked.
    host: HostModel,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <When is=host.is_locked>
            <span class="room-locked" title=language.text(sentence!(host.locked_hint)) data-testid="room-locked">
                <Icon name=IconName::DOOR />
                <span class="room-locked-word">{language.text(sentence!(host.locked))}</span>
            </span>
        </When>
    }
    .into_any()
}

/// The switch of the lock, and the button that ends the room; nothing for others than hosts.
#[component]
pub fn HostControls(
    /// The lock.
    host: HostModel,
    /// The action that locks.
    act: Callback<HostAction>,
    /// Asks whether to end the room.
    ask_to_end: Callback<()>,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <When is=host.is_host>
            <div class="host-controls">
                <label class="switch host-lock">
                    <span>
                        <span class="host-lock-title">{language.text(sentence!(host.lock))}</span>
                        <span class="host-lock-hint">{language.text(sentence!(host.lock_hint))}</span>
                    </span>
                    <input
                        type="checkbox"
                        role="switch"
                        data-testid="room-lock"
                        prop:checked=host.is_locked
                        // The switch shows what the server said, so the click itself changes nothing.
                        on:click=move |event| {
                            event.prevent_default();
                            act.run(HostAction::Lock(!host.is_locked.get_untracked()));
                        }
                    />
                </label>
                <button type="button" class="button small" data-testid="end-room" on:click=move |_| ask_to_end.run(())>
                    {language.text(sentence!(host.end))}
                </button>
            </div>
        </When>
    }
    .into_any()
}
