//! The card in an empty room.

use leptos::prelude::*;

use super::menu::load_invitation;
use crate::{components::room_part::RoomPart, language::Language, sentence};

/// Asks the person to invite somebody.
#[component]
pub fn InvitationCard(
    /// The address to share.
    invitation: RwSignal<String>,
    /// Somebody was here before.
    others_left: RwSignal<bool>,
    /// Whether the room is protected by its link.
    is_protected: bool,
) -> AnyView {
    let language = Language::from_context();
    let title = Signal::derive(move || {
        let title =
            if others_left.get() { sentence!(room.others_left_title) } else { sentence!(room.alone_title) };
        title(language.locale())
    });
    view! {
        <section class="invitation-card">
            <h2 data-testid="alone" data-state=Signal::derive(move || if others_left.get() { "left" } else { "first" })>
                {title}
            </h2>
            <RoomPart view=load_invitation(invitation, is_protected) />
        </section>
    }
    .into_any()
}
