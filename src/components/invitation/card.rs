//! The card in an empty room.

use leptos::prelude::*;

use super::menu::load_invitation;
use crate::{components::later::Later, language::Language, sentence};

/// Asks the person to invite somebody.
#[component]
pub fn InvitationCard(
    /// The address to share.
    invitation: RwSignal<String>,
    /// Somebody was here before.
    others_left: RwSignal<bool>,
) -> AnyView {
    let language = Language::from_context();
    let words = Signal::derive(move || {
        let (title, text) = if others_left.get() {
            (sentence!(room.others_left_title), sentence!(room.others_left_text))
        } else {
            (sentence!(room.alone_title), sentence!(room.alone_text))
        };
        let locale = language.locale();
        (title(locale), text(locale))
    });
    view! {
        <section class="invitation-card">
            <h2 data-testid="alone" data-state=Signal::derive(move || if others_left.get() { "left" } else { "first" })>
                {Signal::derive(move || words.get().0)}
            </h2>
            <p>{Signal::derive(move || words.get().1)}</p>
            <Later view=load_invitation(invitation) />
        </section>
    }
    .into_any()
}
