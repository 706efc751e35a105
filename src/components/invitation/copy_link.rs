//! A button that copies the invitation.

use std::time::Duration;

use leptos::{html, prelude::*, task::spawn_local};
use sightline_browser::page::sharing;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        layers::layer,
        when::When,
    },
    language::Language,
    sentence,
};

const COPIED_FOR: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CopyState {
    Idle,
    Copied,
    /// There is no clipboard (an insecure context), or it was refused.
    ByHand,
}

/// Copies the invitation to the clipboard and says so; where the clipboard is not available, it shows the selected address.
#[component]
pub fn CopyLink(
    /// The address to copy.
    invitation: RwSignal<String>,
    /// The CSS class of the button.
    class: &'static str,
    /// The element's `data-testid`, if it has one.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> AnyView {
    let language = Language::from_context();
    let state = RwSignal::new(CopyState::Idle);
    let address = NodeRef::<html::Input>::new();
    let copy = move |_| {
        let url = invitation.get_untracked();
        spawn_local(async move {
            let outcome = sharing::copy_text(&url).await;
            // The room may have been left meanwhile.
            state.try_set(if outcome.is_ok() { CopyState::Copied } else { CopyState::ByHand });
        });
    };
    Effect::new(move || match state.get() {
        CopyState::Copied => {
            set_timeout(
                move || {
                    state.try_set(CopyState::Idle);
                },
                COPIED_FOR,
            );
        }
        CopyState::ByHand => {
            if let Some(address) = address.get() {
                let _ = address.focus();
                address.select();
            }
        }
        CopyState::Idle => {}
    });
    let button = NodeRef::<html::Button>::new();
    layer(
        Signal::derive(move || state.get() == CopyState::ByHand),
        Callback::new(move |()| {
            state.set(CopyState::Idle);
            true
        }),
        Callback::new(move |()| {
            if let Some(button) = button.get_untracked() {
                let _ = button.focus();
            }
        }),
    );
    let icon = Signal::derive(move || match state.get() {
        CopyState::Copied => IconName::CHECK,
        _ => IconName::LINK,
    });
    let words = Signal::derive(move || {
        let sentence = match state.get() {
            CopyState::Copied => sentence!(room.copied),
            _ => sentence!(room.copy),
        };
        sentence(language.locale())
    });
    view! {
        <span class="copy-link">
            <button
                node_ref=button
                type="button"
                class=class
                class:is-done=Signal::derive(move || state.get() == CopyState::Copied)
                data-testid=test_id
                data-url=invitation
                on:click=copy
            >
                <Icon name=icon />
                <span aria-live="polite" translate="no">{words}</span>
            </button>
            <When is=Signal::derive(move || state.get() == CopyState::ByHand)>
                <label class="copy-by-hand">
                    <span>{language.text(sentence!(room.copy_by_hand))}</span>
                    <input
                        node_ref=address
                        class="input"
                        readonly
                        prop:value=invitation
                        on:blur=move |_| state.set(CopyState::Idle)
                    />
                </label>
            </When>
        </span>
    }
    .into_any()
}
