//! The list of all transfers in the room.

use leptos::{html, prelude::*};
use sightline_core::transfer::{Backlog, Direction, LeftOut, TransferHandle};

use super::{amount::size, notes::Notes, transfer::Transfer};
use crate::{
    components::{call::panels::Panels, kit::when::When},
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel, TransferModel},
};

/// Distance from the end, in CSS pixels, up to which the shelf counts as scrolled to the end.
const END_TOLERANCE_PX: i32 = 48;

/// All transfers, newest last; nothing without transfers. A new transfer scrolls into view, unless the person looks at older ones.
#[component]
pub fn Shelf(
    /// The room, whose transfers are listed.
    model: RoomModel,
    /// The actions on transfers.
    actions: RoomActions,
    /// The panels: a folded chat hides the list.
    panels: Panels,
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
    let shelf = NodeRef::<html::Div>::new();
    let is_at_end = StoredValue::new(true);
    let note_scroll = move |_| {
        if let Some(shelf) = shelf.get_untracked() {
            let below = shelf.scroll_height() - shelf.scroll_top() - shelf.client_height();
            is_at_end.set_value(below < END_TOLERANCE_PX);
        }
    };
    let newest = Memo::new(move |_| model.transfers.list.with(|list| list.last().map(|last| last.handle.0)));
    Effect::new(move |before: Option<(Option<u32>, bool)>| {
        let is_own = model.transfers.list.with_untracked(|list| list.last().is_some_and(is_sent));
        let (newest, shelf) = (newest.get(), shelf.get());
        // A hidden list cannot be scrolled.
        let is_shown = panels.chat.get();
        let (newest_before, was_shown) = before.unwrap_or_default();
        if (newest > newest_before || is_shown && !was_shown)
            && (is_own || is_at_end.get_value())
            && let Some(shelf) = shelf
        {
            // Only then has the new transfer its height.
            request_animation_frame(move || shelf.set_scroll_top(shelf.scroll_height()));
        }
        (newest, is_shown)
    });
    view! {
        <section
            class="shelf"
            data-testid="shelf"
            hidden=is_empty
            aria-label=language.text(sentence!(files.title))
        >
            <div class="shelf-top">
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
            <Finished model=model actions=actions />
            </div>
            <div node_ref=shelf class="shelf-scroll" on:scroll=note_scroll>
                <Notes model=model actions=actions />
                <ul class="shelf-list">
                    <For each=move || model.transfers.list.get() key=|transfer| transfer.handle let(transfer)>
                        <Transfer transfer=transfer actions=actions />
                    </For>
                </ul>
            </div>
        </section>
    }
    .into_any()
}

/// Buttons for transfers that ended: save several files at once, and clear the list.
#[component]
fn Finished(model: RoomModel, actions: RoomActions) -> AnyView {
    let language = Language::from_context();
    let transfers = model.transfers;
    let unsaved = Memo::new(move |_| handles(model, is_unsaved));
    let clearable = Memo::new(move |_| handles(model, |transfer| is_over(transfer) && !is_unsaved(transfer)));
    let saves_several = Memo::new(move |_| unsaved.with(Vec::len) > 1 || transfers.is_saving.get());
    let can_clear = Memo::new(move |_| clearable.with(|clearable| !clearable.is_empty()));
    let save_words = Signal::derive(move || {
        let locale = language.locale();
        if transfers.is_saving.get() {
            sentence!(files.saving)(locale)
        } else {
            sentence!(files.save_all)(locale)
        }
    });
    view! {
        <When is=transfers.has_save_failed>
            <p class="shelf-amount" role="alert" data-testid="save-failed">
                {language.text(sentence!(files.save_failed))}
            </p>
        </When>
        <div class="shelf-finished">
            <When is=saves_several>
                <button
                    type="button"
                    class="button small"
                    translate="no"
                    data-testid="transfer-save-all"
                    aria-disabled=Signal::derive(move || transfers.is_saving.get().to_string())
                    on:click=move |_| {
                        if !transfers.is_saving.get_untracked() {
                            actions.save_files.run(unsaved.get_untracked());
                        }
                    }
                >
                    {save_words}
                </button>
            </When>
            <When is=can_clear>
                <button
                    type="button"
                    class="button small"
                    data-testid="transfer-clear"
                    on:click=move |_| actions.clear_files.run(clearable.get_untracked())
                >
                    {language.text(sentence!(files.clear))}
                </button>
            </When>
        </div>
    }
    .into_any()
}

fn handles(model: RoomModel, is_meant: impl Fn(&TransferModel) -> bool) -> Vec<TransferHandle> {
    model.transfers.list.with(|list| {
        list.iter().filter(|transfer| is_meant(transfer)).map(|transfer| transfer.handle).collect()
    })
}

fn is_sent(transfer: &TransferModel) -> bool {
    transfer.view.with_untracked(|view| view.direction == Direction::Sending)
}

fn is_over(transfer: &TransferModel) -> bool {
    transfer.view.with(|view| view.state.is_over())
}

/// Whether a file arrived that the person did not save yet.
fn is_unsaved(transfer: &TransferModel) -> bool {
    let is_here = transfer.view.with(|view| view.direction == Direction::Receiving && view.sha256.is_some());
    is_here && !transfer.is_saved.get()
}
