//! Asks a host before a member is removed.

use leptos::prelude::*;
use sightline_core::room::HostAction;
use sightline_protocol::MemberId;

use crate::{
    components::kit::{modal::modal, when::When},
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// The question, while there is a member to remove.
#[component]
pub fn RemoveDialog(
    /// The room, with the member to remove.
    model: RoomModel,
    /// The action that removes.
    actions: RoomActions,
) -> AnyView {
    let is_open = Memo::new(move |_| model.host.removing.get().is_some());
    view! {
        <When is=is_open>
            <RemoveQuestion model=model act=actions.host />
        </When>
    }
    .into_any()
}

#[component]
fn RemoveQuestion(model: RoomModel, act: Callback<HostAction>) -> AnyView {
    let language = Language::from_context();
    let removing = model.host.removing;
    let (dialog, close) = modal(Signal::derive(move || removing.get().is_some()));
    let name = move || {
        let id = removing.get_untracked().unwrap_or_default();
        let tiles = model.others.get_untracked();
        let tile = tiles.into_iter().find(|tile| tile.member.get_value() == id);
        tile.map(|tile| tile.name.get_untracked()).filter(|name| !name.is_empty())
    };
    let name = StoredValue::new(name());
    let title = Signal::derive(move || {
        let locale = language.locale();
        let name = name.get_value().unwrap_or_else(|| sentence!(tile.guest)(locale).to_owned());
        sentence!(host.remove_title)(locale).replace("{}", &name)
    });
    // A server of an earlier version keeps the link as it is.
    let about_link = match (model.is_protected, model.host.changes_link.get_untracked()) {
        (true, true) => Some(sentence!(host.remove_link)),
        (false, _) => Some(sentence!(host.remove_open)),
        (true, false) => None,
    };
    let remove = move |_| {
        if let Some(Ok(member)) = removing.get_untracked().map(MemberId::new) {
            act.run(HostAction::Remove(member));
        }
        close.run(());
    };
    view! {
        <dialog
            node_ref=dialog
            class="dialog leave-dialog"
            data-testid="remove-dialog"
            aria-label=title
            on:close=move |_| removing.set(None)
        >
            <h2 dir="auto" translate="no">
                {title}
            </h2>
            <p class="dialog-hint">{language.text(sentence!(host.remove_text))}</p>
            {about_link.map(|about_link| view! { <p class="dialog-hint" data-testid="remove-link">{language.text(about_link)}</p> })}
            <div class="leave-dialog-actions">
                <button type="button" class="button" autofocus data-testid="remove-keep" on:click=move |_| close.run(())>
                    {language.text(sentence!(host.keep))}
                </button>
                <button type="button" class="button danger" data-testid="remove-confirm" on:click=remove>
                    {language.text(sentence!(host.remove))}
                </button>
            </div>
        </dialog>
    }
    .into_any()
}
