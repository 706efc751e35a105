//! The card in an empty room.

use leptos::prelude::*;

use super::menu::load_invitation;
use crate::{components::later::Later, language::Language, sentence};

/// Asks the person to invite somebody.
#[component]
pub fn InvitationCard(
    /// The address to share.
    invitation: RwSignal<String>,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <section class="invitation-card">
            <h2>{language.text(sentence!(room.alone_title))}</h2>
            <p>{language.text(sentence!(room.alone_text))}</p>
            <Later view=load_invitation(invitation) />
        </section>
    }
    .into_any()
}
