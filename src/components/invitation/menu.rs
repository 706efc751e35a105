//! Invites somebody to the room: the link to copy, to share, to scan.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::page::sharing;
use sightline_core::room::HostAction;

use super::{copy_link::CopyLink, protection::Protection, qr_code::QrCode};
use crate::{
    chunk,
    components::{
        call::room_lock::HostControls,
        kit::{
            icon::{Icon, IconName},
            popover::Popover,
            when::When,
        },
    },
    language::Language,
    sentence,
    session::model::HostModel,
};

/// A button with a popover.
#[component]
pub fn InvitationMenu(
    /// The address to share.
    invitation: RwSignal<String>,
    /// Whether the popover is open.
    is_open: RwSignal<bool>,
    /// Whether the room is protected by its link.
    is_protected: bool,
    /// The lock, for a host.
    host: HostModel,
    /// What a host does with it.
    act: Callback<HostAction>,
    /// Asks a host whether to end the room.
    ask_to_end: Callback<()>,
) -> AnyView {
    let language = Language::from_context();
    let popover = Popover::new(is_open);
    view! {
        <div class="popover">
            <button
                node_ref=popover.toggle
                type="button"
                class="button small"
                data-testid="share-link"
                data-url=invitation
                aria-expanded=popover.expanded()
                on:click=move |_| popover.switch()
            >
                <Icon name=IconName::INVITE />
                <span>{language.text(sentence!(invitation.button))}</span>
            </button>
            <When is=is_open>
                // A click anywhere else closes the popover.
                <div class="popover-backdrop" on:click=move |_| popover.close()></div>
                <section
                    class="popover-sheet invitation-sheet"
                    aria-label=language.text(sentence!(invitation.title))
                    data-testid="invitation"
                >
                    <HostControls host=host act=act ask_to_end=ask_to_end />
                    <h2>{language.text(sentence!(invitation.title))}</h2>
                    <Invitation invitation=invitation is_protected=is_protected />
                </section>
            </When>
        </div>
    }
    .into_any()
}

chunk! {
    /// [`Invitation`], loaded on demand.
    pub fn load_invitation, preload_invitation in room(invitation: RwSignal<String>, is_protected: bool) {
        view! { <Invitation invitation=invitation is_protected=is_protected /> }.into_any()
    }
}

/// The invitation: a QR code, the link, and buttons.
#[component]
pub fn Invitation(
    /// The address to share.
    invitation: RwSignal<String>,
    /// Whether the room is protected by its link.
    is_protected: bool,
) -> AnyView {
    let language = Language::from_context();
    let share = sharing::can_share().then(|| {
        let share = move |_| {
            let url = invitation.get_untracked();
            // If the person closes the system's share sheet, nothing is left to do.
            spawn_local(async move { drop(sharing::share("Sightline", &url).await) });
        };
        view! {
            <button type="button" class="button" data-testid="share-sheet" on:click=share>
                <Icon name=IconName::SHARE />
                <span>{language.text(sentence!(invitation.share))}</span>
            </button>
        }
        .into_any()
    });
    view! {
        <div class="invitation">
            <Protection is_protected=is_protected />
            <QrCode link=invitation />
            <p class="invitation-url" dir="ltr" translate="no">
                {invitation}
            </p>
            <div class="invitation-actions">
                <CopyLink invitation=invitation class="button primary" />
                {share}
            </div>
        </div>
    }
    .into_any()
}
