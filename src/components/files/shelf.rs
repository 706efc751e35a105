//! The list of all transfers in the room.

use leptos::prelude::*;
use sightline_core::transfer::{Backlog, LeftOut};

use super::{amount::size, notes::Notes, transfer::Transfer};
use crate::{
    components::kit::when::When,
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// All transfers, newest last; nothing without transfers.
#[component]
pub fn Shelf(
    /// The room, whose transfers are listed.
    model: RoomModel,
    /// The actions on transfers.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    let is_empty = Memo::new(move |_| {
        let transfers = model.transfers;
        transfers.list.with(Vec::is_empty)
            && transfers.backlog.with(|backlog| *backlog == Backlog::default())
            && transfers.left_out.with(LeftOut::is_empty)
    });
    let offered = model.transfers.all_offered;
    let has_several = Memo::new(move |_| offered.get().all_files() > 1);
    let amount = move || {
        let (offered, locale) = (offered.get(), language.locale());
        let files = sentence!(files.files)(locale);
        let mut words = format!("{} {files}, {}", offered.all_files(), size(offered.bytes));
        if offered.files_to_come > 0 {
            words.push_str(&format!(" · {}: {}", sentence!(files.to_come)(locale), offered.files_to_come));
        }
        words
    };
    view! {
        <section class="shelf" hidden=is_empty aria-label=language.text(sentence!(files.title))>
            <When is=has_several>
                <div class="shelf-answers">
                    <button
                        type="button"
                        class="button small primary"
                        data-testid="transfer-accept-all"
                        on:click=move |_| actions.accept_all_files.run(offered.get_untracked())
                    >
                        {language.text(sentence!(files.accept_all))}
                    </button>
                    <button
                        type="button"
                        class="button small"
                        data-testid="transfer-decline-all"
                        on:click=move |_| actions.decline_all_files.run(())
                    >
                        {language.text(sentence!(files.decline_all))}
                    </button>
                    <span class="shelf-amount" data-testid="transfer-all-amount" translate="no">
                        {amount}
                    </span>
                </div>
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
