//! The files of the room, one below the other.

use leptos::prelude::*;
use sightline_core::transfer::{Backlog, LeftOut};

use super::{notes::Notes, transfer::Transfer};
use crate::{
    components::when::When,
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// Every transfer, the newest last; nothing where there is none.
#[component]
pub fn Shelf(
    /// The transfers.
    model: RoomModel,
    /// What can be done with them.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let is_empty = Memo::new(move |_| {
        let transfers = model.transfers;
        transfers.list.with(Vec::is_empty)
            && transfers.backlog.with(|backlog| *backlog == Backlog::default())
            && transfers.left_out.with(LeftOut::is_empty)
    });
    let offered = Memo::new(move |_| {
        model.transfers.offered_here().iter().map(|transfer| transfer.handle).collect::<Vec<_>>()
    });
    let has_several = Memo::new(move |_| offered.with(|offered| offered.len() > 1));
    let accept_all = move |_| {
        for handle in offered.get_untracked() {
            actions.accept_file.run(handle);
        }
    };
    view! {
        <section class="shelf" hidden=is_empty aria-label=language.text(sentence!(files.title))>
            <When is=has_several>
                <button
                    type="button"
                    class="button small shelf-accept"
                    data-testid="transfer-accept-all"
                    on:click=accept_all
                >
                    {language.text(sentence!(files.accept_all))}
                    " ("
                    {move || offered.with(Vec::len).to_string()}
                    ")"
                </button>
            </When>
            <Notes model=model actions=actions />
            <ul class="shelf-list">
                <For each=move || model.transfers.list.get() key=|transfer| transfer.handle let(transfer)>
                    <Transfer transfer=transfer actions=actions />
                </For>
            </ul>
        </section>
    }
    .into_any()
}
