//! The buttons on a member's tile for a host.

use leptos::prelude::*;
use sightline_core::room::HostAction;
use sightline_protocol::MemberId;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    sentence,
    session::model::HostModel,
};

/// The buttons of a member's tile for a host: make host, remove.
#[component]
pub fn MemberControls(
    /// The id of the member.
    member: StoredValue<String>,
    /// The hosts.
    host: HostModel,
    /// The action that makes host.
    act: Callback<HostAction>,
) -> AnyView {
    let language = Language::from_context();
    let can_be_made_host = Memo::new(move |_| {
        host.is_host.get() && host.hosts.with(|hosts| !hosts.contains(&member.get_value()))
    });
    let make_host = move |_| {
        if let Ok(member) = MemberId::new(member.get_value()) {
            act.run(HostAction::MakeHost(member));
        }
    };
    view! {
        <When is=can_be_made_host>
            <button
                type="button"
                class="tile-button tile-host"
                data-testid="member-make-host"
                title=language.text(sentence!(host.make_host))
                aria-label=language.text(sentence!(host.make_host))
                on:click=make_host
            >
                <Icon name=IconName::KEY />
            </button>
        </When>
        <When is=host.is_host>
            <button
                type="button"
                class="tile-button tile-host"
                data-testid="member-remove"
                title=language.text(sentence!(host.remove))
                aria-label=language.text(sentence!(host.remove))
                on:click=move |_| host.removing.set(Some(member.get_value()))
            >
                <Icon name=IconName::NOTHING />
            </button>
        </When>
    }
    .into_any()
}
