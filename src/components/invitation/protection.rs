//! Says whether a room is protected by its link, and offers a protected one.

use leptos::prelude::*;

use crate::{
    components::kit::icon::{Icon, IconName},
    language::{Language, Sentence},
    navigation::Navigator,
    sentence,
};

/// One sentence, and in an unprotected room a button that opens a protected one of the same name.
#[component]
pub fn Protection(
    /// Whether the room is protected.
    is_protected: bool,
) -> AnyView {
    let language = Language::from_context();
    let navigator = Navigator::from_context();
    let (icon, words, word) = appearance_of(is_protected);
    let protect = move |_| {
        if let Some(navigator) = navigator {
            navigator.protect_room();
        }
    };
    let offer = (!is_protected).then(|| {
        view! {
            <button type="button" class="button small" data-testid="protect-room" title=language.text(sentence!(invitation.protect_hint)) on:click=protect>
                <Icon name=IconName::LOCK />
                <span>{language.text(sentence!(invitation.protect))}</span>
            </button>
        }
        .into_any()
    });
    view! {
        <div class="protection" data-testid="protection" data-trust=word>
            <p>
                <Icon name=icon />
                <span>{language.text(words)}</span>
            </p>
            {offer}
        </div>
    }
    .into_any()
}

/// The lock beside the name of the room, with the same sentence.
#[component]
pub fn ProtectionMark(
    /// Whether the room is protected.
    is_protected: bool,
) -> AnyView {
    let language = Language::from_context();
    let (icon, words, word) = appearance_of(is_protected);
    view! {
        <span
            class="room-trust"
            class:is-open-room=!is_protected
            title=language.text(words)
            data-testid="room-trust"
            data-trust=word
        >
            <Icon name=icon />
            <span class="sr-only">{language.text(words)}</span>
        </span>
    }
    .into_any()
}

/// The icon, the sentence, and the word in `data-trust`.
fn appearance_of(is_protected: bool) -> (IconName, Sentence, &'static str) {
    if is_protected {
        (IconName::LOCK, sentence!(invitation.protected), "protected")
    } else {
        (IconName::LOCK_OPEN, sentence!(invitation.open), "open")
    }
}
